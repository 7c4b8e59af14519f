/**
 * CPU time of the client for a unary call through Nest: this package against Nest's own ClientGrpc over grpc-js
 * round_robin, on the same backends, interleaved in rounds. Each run is a fresh process.
 *
 *   npm run bench cpu -- [--rounds 7] [--calls 20000] [--concurrency 10] [--with '{"grpc.enable_channelz":0}']...
 *     [--node=--max-semi-space-size=64]...
 *
 * Each `--with` is one more contender: this package's least_request with those channel options. Each `--node` is two more:
 * that and the baseline in a Node process with that option.
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
    node: { type: 'string', multiple: true, default: [] },
  },
});

interface Contender {
  readonly title: string;
  readonly name: string;
  readonly channelOptions?: string;
  readonly nodeOption?: string;
}

const BASELINE = 'nest + grpc-js round_robin';
const OWN = 'nestjs-grpc-lb least_request';
const contenders: readonly Contender[] = [
  ...[BASELINE, OWN, 'nestjs-grpc-lb adaptive', 'nestjs-grpc-lb round_robin', 'nest + grpc-js pick_first'].map(
    (name) => ({ title: name, name }),
  ),
  ...values.with.map((channelOptions) => ({ title: `${OWN}, ${channelOptions}`, name: OWN, channelOptions })),
  ...values.node.flatMap((nodeOption) =>
    [BASELINE, OWN].map((name) => ({ title: `${name}, node ${nodeOption}`, name, nodeOption })),
  ),
];

const here = (name: string): string => fileURLToPath(new URL(name, import.meta.url));
const proto = fileURLToPath(new URL('../../../../test/support/echo/echo.proto', import.meta.url));

async function run(
  { title, name, channelOptions = '{}', nodeOption }: Contender,
  addresses: string[],
): Promise<CpuRun> {
  const args = [name, proto, addresses.join(','), values.calls, values.concurrency, channelOptions];
  const child = fork(here('contender.js'), args, { execArgv: nodeOption === undefined ? [] : [nodeOption] });
  const [result] = (await once(child, 'message')) as [CpuRun];
  const [code] = (await once(child, 'exit')) as [number];
  if (code !== 0) throw new Error(`${title} ended with ${code}`);
  return result;
}

const backends = fork(here('backends.js'), [proto]);
const [addresses] = (await once(backends, 'message')) as [string[]];
const results = new Map(contenders.map(({ title }) => [title, [] as CpuRun[]]));
for (let round = 1; round <= Number(values.rounds); round++) {
  // Each round begins with another contender, so that none always runs first.
  for (let i = 0; i < contenders.length; i++) {
    const contender = contenders[(i + round) % contenders.length]!;
    results.get(contender.title)!.push(await run(contender, addresses));
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
saveResults('cpu', 'cpu', { title, rows });
