/**
 * CPU time of the client for a unary call through Nest: this package against Nest's own ClientGrpc over grpc-js
 * round_robin, on the same backends, interleaved in rounds. Each run is a fresh process.
 *
 *   npm run bench:cpu -- [--rounds 7] [--calls 20000] [--concurrency 10] [--with '{"grpc.enable_channelz":0}']...
 *
 * Each `--with` is one more contender: this package's least_request with those channel options.
 */
import { fork } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { saveResults } from '../results/store.js';
import { type CpuRow, cpuRows, type CpuRun } from './cpu-table.js';

const { values } = parseArgs({
  options: {
    rounds: { type: 'string', default: '7' },
    calls: { type: 'string', default: '20000' },
    concurrency: { type: 'string', default: '10' },
    with: { type: 'string', multiple: true, default: [] },
  },
});

const CONTENDERS = [
  'nest + grpc-js round_robin',
  'nestjs-grpc-lb least_request',
  'nestjs-grpc-lb adaptive',
  'nestjs-grpc-lb round_robin',
  'nest + grpc-js pick_first',
];
const BASELINE = CONTENDERS[0]!;
const WITH = 'nestjs-grpc-lb least_request';
const contenders = [...CONTENDERS, ...values.with.map((options) => `${WITH}, ${options}`)];

const here = (name: string): string => fileURLToPath(new URL(name, import.meta.url));
const proto = fileURLToPath(new URL('../../../../test/support/echo.proto', import.meta.url));

async function run(contender: string, addresses: string[]): Promise<CpuRun> {
  const [, name, options] = /^([^,]+)(?:, (.*))?$/.exec(contender)!;
  const args = [name!, proto, addresses.join(','), values.calls, values.concurrency];
  const child = fork(here('contender.js'), [...args, ...(options === undefined ? [] : [options])]);
  const [result] = (await once(child, 'message')) as [CpuRun];
  const [code] = (await once(child, 'exit')) as [number];
  if (code !== 0) throw new Error(`${contender} ended with ${code}`);
  return result;
}

const backends = fork(here('backends.js'), [proto]);
const [addresses] = (await once(backends, 'message')) as [string[]];
const results = new Map(contenders.map((contender) => [contender, [] as CpuRun[]]));
for (let round = 1; round <= Number(values.rounds); round++) {
  // Each round begins with another contender, so that none always runs first.
  for (let i = 0; i < contenders.length; i++) {
    const contender = contenders[(i + round) % contenders.length]!;
    results.get(contender)!.push(await run(contender, addresses));
  }
  process.stderr.write(`round ${round} of ${values.rounds}\n`);
}
backends.disconnect();

const title = `Client CPU for a unary call, ${values.rounds} rounds of ${values.calls} calls, ${values.concurrency} at a time; median (min to max)`;
const rows: CpuRow[] = cpuRows(results, BASELINE);
console.log(
  `${title}\n\n| client | CPU µs a call | ratio in the same round | µs a call, wall |\n| --- | --- | --- | --- |`,
);
for (const { client, cpu, ratio, wall } of rows) console.log(`| ${client} | ${cpu} | ${ratio} | ${wall} |`);
saveResults('bench:cpu', 'cpu', { title, rows });
