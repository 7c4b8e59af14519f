/**
 * CPU time of the client for a unary call through Nest: this package against Nest's own ClientGrpc over grpc-js
 * round_robin, on the same backends, interleaved in rounds. Each run is a fresh process.
 *
 *   npm run bench:cpu -- [--rounds 7] [--calls 20000] [--concurrency 10]
 */
import { fork } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';

const { values } = parseArgs({
  options: {
    rounds: { type: 'string', default: '7' },
    calls: { type: 'string', default: '20000' },
    concurrency: { type: 'string', default: '10' },
  },
});

const CONTENDERS = [
  'nest + grpc-js round_robin',
  'nestjs-grpc-lb least_request',
  'nestjs-grpc-lb round_robin',
  'nest + grpc-js pick_first',
];
const BASELINE = CONTENDERS[0]!;

const here = (name: string): string => fileURLToPath(new URL(name, import.meta.url));
const proto = fileURLToPath(new URL('../../../../test/support/echo.proto', import.meta.url));

interface Result {
  cpu: number;
  wall: number;
}

async function run(contender: string, addresses: string[]): Promise<Result> {
  const child = fork(here('contender.js'), [contender, proto, addresses.join(','), values.calls, values.concurrency]);
  const [result] = (await once(child, 'message')) as [Result];
  const [code] = (await once(child, 'exit')) as [number];
  if (code !== 0) throw new Error(`${contender} ended with ${code}`);
  return result;
}

const median = (numbers: number[]): number => numbers.toSorted((a, b) => a - b)[Math.floor(numbers.length / 2)]!;
const spread = (numbers: number[], digits: number): string =>
  `${median(numbers).toFixed(digits)} (${Math.min(...numbers).toFixed(digits)} to ${Math.max(...numbers).toFixed(digits)})`;

const backends = fork(here('backends.js'), [proto]);
const [addresses] = (await once(backends, 'message')) as [string[]];
const results = new Map(CONTENDERS.map((contender) => [contender, [] as Result[]]));
for (let round = 1; round <= Number(values.rounds); round++) {
  // Each round begins with another contender, so that none always runs first.
  for (let i = 0; i < CONTENDERS.length; i++) {
    const contender = CONTENDERS[(i + round) % CONTENDERS.length]!;
    results.get(contender)!.push(await run(contender, addresses));
  }
  process.stderr.write(`round ${round} of ${values.rounds}\n`);
}
backends.disconnect();

const baseline = results.get(BASELINE)!;
console.log(
  `Client CPU for a unary call, ${values.rounds} rounds of ${values.calls} calls, ${values.concurrency} at a time; median (min to max)\n`,
);
console.log('| client | CPU µs a call | ratio in the same round | µs a call, wall |\n| --- | --- | --- | --- |');
for (const [contender, runs] of results) {
  const ratios = runs.map(({ cpu }, round) => cpu / baseline[round]!.cpu);
  console.log(
    `| ${contender} | ${spread(
      runs.map(({ cpu }) => cpu),
      0,
    )} | ${spread(ratios, 2)} | ${spread(
      runs.map(({ wall }) => wall),
      0,
    )} |`,
  );
}
