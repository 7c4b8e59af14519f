import { groupBy } from '../../sim/engine/group-by.js';
import { milliseconds, percent, ratio } from '../../sim/report/numbers.js';
import { type Table, toText } from '../../sim/report/tables.js';
import { type RunResult, unsound } from '../result.js';
import { type Cell, cellsOf } from './cells.js';
import { hedgingTable } from './hedging.js';
import { clientsName, duration, ratioSpread } from './words.js';

export function progressLine(result: RunResult): string {
  const { subject, spec, latency, bound, timedOut, failed, busyMachine, error } = result;
  const fault = unsound(result);
  return [
    `${spec.scenario}, ${clientsName(spec.clients)}, round ${spec.seed}, ${subject}:`,
    `p99 ${duration(latency.p99)} ms, ${ratio(latency.p99 / bound.p99)} of the bound,`,
    `${percent(timedOut)} timed out, ${percent(failed)} failed, machine ${percent(busyMachine)} busy`,
    fault === undefined ? '' : `NOT SOUND: ${fault}`,
    error === undefined ? '' : `(${error})`,
  ]
    .filter((part) => part !== '')
    .join(' ');
}

export function tell(results: readonly RunResult[]): void {
  const cells = cellsOf(results);
  for (const [, group] of groupBy(cells, ({ scenario, clients }) => `${scenario}/${clients}`)) {
    const { scenario, clients, bound, rounds, calls } = group[0]!;
    const [p50, p90, p99, p999] = [bound.p50, bound.p90, bound.p99, bound.p999].map(milliseconds);
    console.log(`\n${scenario}, ${clientsName(clients)}, ${rounds} rounds, ${calls} calls each`);
    console.log(`central queue: ${p50} / ${p90} / ${p99} / ${p999} ms`);
    console.log(toText(detailTable(group)));
  }
  const hedging = hedgingTable(results);
  if (hedging) console.log(`\nhedging\n${toText(hedging)}`);
  const bad = cells.reduce((sum, { unsound: count }) => sum + count, 0);
  const runs = cells.reduce((sum, { rounds }) => sum + rounds, 0);
  if (bad > 0) console.log(`\n${bad} of ${runs} runs are not sound: timers were late. Run it on a quiet machine.`);
}

function detailTable(cells: readonly Cell[]): Table {
  const rows = cells.map((cell) => [
    cell.subject,
    ...[cell.latency.p50, cell.latency.p90, cell.latency.p99, cell.latency.p999].map(duration),
    ratioSpread(cell.p99),
    ratioSpread(cell.p999),
    percent(cell.timedOut.median),
    percent(cell.failed.median),
    percent(cell.extraAttempts),
    `${percent(cell.idlest)} to ${percent(cell.busiest)}`,
    cell.cpu.median.toFixed(0),
    (cell.resident / 2 ** 20).toFixed(0),
    milliseconds(cell.idleCall),
    `${cell.lateStarts.toFixed(1)} / ${cell.lateAnswers.toFixed(1)}`,
    percent(cell.busyMachine),
    cell.unsound > 0 ? `${cell.unsound} not sound` : '',
  ]);
  const head = [
    'client',
    'p50',
    'p90',
    'p99',
    'p99.9',
    'p99 of bound',
    'p99.9 of bound',
    'timed out',
    'failed',
    'more calls',
  ];
  return { head: [...head, 'share of a backend', 'µs', 'MB', 'idle ms', 'late ms', 'machine', ''], rows };
}
