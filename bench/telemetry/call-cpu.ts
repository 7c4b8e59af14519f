/**
 * CPU time of the client for a unary call with metrics, over the same without; interleaved, on the same backends.
 *
 *   npm run bench metrics -- [--rounds 7] [--calls 20000] [--concurrency 10]
 */
import { loadavg } from 'node:os';
import { parseArgs } from 'node:util';
import { saveResults } from '../results/store.js';
import { toMarkdown } from '../sim/report/tables.js';
import { cellsOf, type CpuRound, cpuRows } from '../peers/cpu-table.js';
import { METRICS_HEAD } from './tables.js';
import { startBackends } from '../peers/processes.js';
import { type Entry, measureRound } from '../peers/round.js';

const { values } = parseArgs({
  // `scrape` runs with the same arguments.
  strict: false,
  options: {
    rounds: { type: 'string', default: '7' },
    calls: { type: 'string', default: '20000' },
    concurrency: { type: 'string', default: '10' },
  },
});
const rounds = Number(values.rounds);
const calls = Number(values.calls);

/** How much more a call may cost with metrics. */
const GOAL = 1.08;
const ENTRIES: readonly Entry[] = [
  { title: 'nestjs-grpc-lb', subject: 'nestjs-grpc-lb least_request' },
  { title: 'again', subject: 'nestjs-grpc-lb least_request' },
  { title: 'with OpenTelemetry, instruments', subject: 'nestjs-grpc-lb with OpenTelemetry metrics' },
  { title: 'with OpenTelemetry, a producer', subject: 'nestjs-grpc-lb with an OpenTelemetry producer' },
  { title: 'with Prometheus', subject: 'nestjs-grpc-lb with Prometheus metrics' },
];

const backends = await startBackends();
const results = new Map(ENTRIES.map(({ title }) => [title, [] as CpuRound[]]));
const options = { kind: 'unary', concurrency: Number(values.concurrency), total: calls } as const;
for (let round = 1; round <= rounds; round++) {
  const runs = await measureRound(ENTRIES, options, backends);
  ENTRIES.forEach(({ title }, i) => results.get(title)!.push(runs[i]!));
  const ratios = runs.map(({ ratio }) => ratio.toFixed(2)).join(' ');
  process.stderr.write(`metrics: round ${round} of ${rounds}, ${ratios}, load average ${loadavg()[0]!.toFixed(1)}\n`);
}
await backends.stop();
const measured = ENTRIES.slice(2).map(({ title }) => [title, GOAL] as const);
const title = `Client CPU for a unary call; ${calls} calls a round, ${values.concurrency} at a time; median (min to max) of ${rounds} rounds`;
const rows = cpuRows(results, new Map(measured));
console.log(`\n${title}\n\n${toMarkdown({ head: METRICS_HEAD, rows: rows.map(cellsOf) })}`);
saveResults('metrics', 'metrics', { tables: [{ title, rows }] });
