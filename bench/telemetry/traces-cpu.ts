/**
 * CPU time of the client for a unary call with traces, over the same without: an application with OpenTelemetry's SDK, in
 * which this package starts no spans. Interleaved, on the same backends.
 *
 *   npm run bench traces -- [--rounds 7] [--calls 20000] [--concurrency 10]
 */
import { loadavg } from 'node:os';
import { parseArgs } from 'node:util';
import { cellsOf, type CpuRound, cpuRows } from '../peers/cpu-table.js';
import { startBackends } from '../peers/processes.js';
import { type Entry, measureRound } from '../peers/round.js';
import { saveResults } from '../results/store.js';
import { toMarkdown } from '../sim/report/tables.js';

const { values } = parseArgs({
  options: {
    rounds: { type: 'string', default: '7' },
    calls: { type: 'string', default: '20000' },
    concurrency: { type: 'string', default: '10' },
  },
});
const rounds = Number(values.rounds);
const calls = Number(values.calls);

/** How much more a call may cost with traces of which 1 % are sampled. */
const GOAL = 1.15;
const SAMPLED = 'traces, 1 % sampled';
const ENTRIES: readonly Entry[] = [
  { title: 'with the SDK, no traces', subject: 'nestjs-grpc-lb with an SDK, no traces' },
  { title: 'again', subject: 'nestjs-grpc-lb with an SDK, no traces' },
  { title: 'without an SDK', subject: 'nestjs-grpc-lb least_request' },
  { title: SAMPLED, subject: 'nestjs-grpc-lb with traces, 1 % sampled' },
  { title: 'traces, all sampled', subject: 'nestjs-grpc-lb with traces, all sampled' },
];

const backends = await startBackends();
const results = new Map(ENTRIES.map(({ title }) => [title, [] as CpuRound[]]));
const options = { kind: 'unary', concurrency: Number(values.concurrency), total: calls } as const;
for (let round = 1; round <= rounds; round++) {
  const runs = await measureRound(ENTRIES, options, backends);
  ENTRIES.forEach(({ title }, i) => results.get(title)!.push(runs[i]!));
  const ratios = runs.map(({ ratio }) => ratio.toFixed(2)).join(' ');
  process.stderr.write(`traces: round ${round} of ${rounds}, ${ratios}, load average ${loadavg()[0]!.toFixed(1)}\n`);
}
await backends.stop();
const title = `Client CPU for a unary call; ${calls} calls a round, ${values.concurrency} at a time; median (min to max) of ${rounds} rounds`;
const rows = cpuRows(results, new Map([[SAMPLED, GOAL]]));
const head = ['client', 'CPU µs', 'over the same without', 'goal', 'µs, wall'];
console.log(`\n${title}\n\n${toMarkdown({ head, rows: rows.map(cellsOf) })}`);
saveResults('traces', 'traces', { tables: [{ title, rows }] });
