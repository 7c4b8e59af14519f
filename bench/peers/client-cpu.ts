/**
 * CPU time of the client for a unary call through Nest: this package against Nest's own ClientGrpc over grpc-js
 * round_robin, on the same backends, interleaved in rounds. Each run is a fresh process.
 *
 *   npm run bench cpu -- [--rounds 7] [--calls 20000] [--concurrency 10] [--with '{"grpc.enable_channelz":0}']...
 *     [--node=--max-semi-space-size=64]...
 *
 * Each `--with` is one more subject: this package's least_request with those channel options. Each `--node` is two more:
 * that and the baseline in a Node process with that option.
 */
import { parseArgs } from 'node:util';
import { saveResults } from '../results/store.js';
import { type CpuRow, cpuRows, type CpuRun } from './cpu-table.js';
import { runSubject, startBackends } from './processes.js';

const { values } = parseArgs({
  options: {
    rounds: { type: 'string', default: '7' },
    calls: { type: 'string', default: '20000' },
    concurrency: { type: 'string', default: '10' },
    with: { type: 'string', multiple: true, default: [] },
    node: { type: 'string', multiple: true, default: [] },
  },
});

interface Subject {
  readonly title: string;
  readonly name: string;
  readonly channelOptions?: string;
  readonly nodeOption?: string;
}

const BASELINE = 'nest + grpc-js round_robin';
const OWN = 'nestjs-grpc-lb least_request';
const subjects: readonly Subject[] = [
  ...[BASELINE, OWN, 'nestjs-grpc-lb adaptive', 'nestjs-grpc-lb round_robin', 'nest + grpc-js pick_first'].map(
    (name) => ({ title: name, name }),
  ),
  ...values.with.map((channelOptions) => ({ title: `${OWN}, ${channelOptions}`, name: OWN, channelOptions })),
  ...values.node.flatMap((nodeOption) =>
    [BASELINE, OWN].map((name) => ({ title: `${name}, node ${nodeOption}`, name, nodeOption })),
  ),
];

const backends = await startBackends();
const results = new Map(subjects.map(({ title }) => [title, [] as CpuRun[]]));
for (let round = 1; round <= Number(values.rounds); round++) {
  // Each round begins with another subject, so that none always runs first.
  for (let i = 0; i < subjects.length; i++) {
    const subject = subjects[(i + round) % subjects.length]!;
    const { title, name, channelOptions = '{}', nodeOption } = subject;
    const args = [values.calls, values.concurrency, channelOptions];
    const nodeOptions = nodeOption === undefined ? [] : [nodeOption];
    results.get(title)!.push(await runSubject(name, backends.addresses, args, nodeOptions));
  }
  process.stderr.write(`round ${round} of ${values.rounds}\n`);
}
await backends.stop();

const title = `Client CPU for a unary call, ${values.rounds} rounds of ${values.calls} calls, ${values.concurrency} at a time; median (min to max)`;
const rows: CpuRow[] = cpuRows(results, BASELINE);
console.log(
  `${title}\n\n| client | CPU µs a call | ratio in the same round | µs a call, wall |\n| --- | --- | --- | --- |`,
);
for (const { client, cpu, ratio, wall } of rows) console.log(`| ${client} | ${cpu} | ${ratio} | ${wall} |`);
saveResults('cpu', 'cpu', { title, rows });
