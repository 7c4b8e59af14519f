import { milliseconds, percent, ratio } from '../../sim/report/numbers.js';
import { type Table, toMarkdown } from '../../sim/report/tables.js';
import { SCENARIOS, type Scenario } from '../model/scenario.js';
import { MAX_LATE } from '../result.js';
import type { Cell } from './cells.js';
import { tailPlot } from './plot.js';
import { clientsName, duration, ratioSpread } from './words.js';

/** Where plots go, and what the page calls them. */
export type SaveImage = (name: string, svg: string) => string;

/** p99 over the bound at a glance. */
export function overview(cells: readonly Cell[]): string {
  const situations = SCENARIOS.flatMap(({ name }) => {
    const clients = new Set(cells.filter(({ scenario }) => scenario === name).map((cell) => cell.clients));
    return [...clients].map((count) => ({ scenario: name, clients: count }));
  });
  const show = (cell: Cell | undefined): string => {
    if (!cell) return '-';
    const lost = cell.timedOut.median + cell.failed.median;
    if (lost >= 0.01) return `${percent(lost)} lost`;
    return lost >= 0.00005 ? `${ratio(cell.p99.median)}, ${percent(lost)} lost` : ratio(cell.p99.median);
  };
  const names = [...new Set(cells.map(({ subject }) => subject))];
  return toMarkdown({
    head: ['client', ...situations.map(({ scenario, clients }) => `\`${scenario}\`, ${clients}`)],
    rows: names.map((name) => [
      strong(name),
      ...situations.map(({ scenario, clients }) =>
        show(cells.find((cell) => cell.subject === name && cell.scenario === scenario && cell.clients === clients)),
      ),
    ]),
  });
}

export function chapter(scenario: Scenario, cells: readonly Cell[], saveImage: SaveImage): string {
  const clients = [...new Set(cells.map((cell) => cell.clients))].toSorted((a, b) => a - b);
  const image = saveImage(scenario.name.replaceAll('_', '-'), tailPlot(scenario, cells));
  return [
    `### ${scenario.title}`,
    scenario.explains,
    `![${scenario.title}: latency of each policy over that of the bound](${image})`,
    ...clients.flatMap((count) => {
      const own = cells.filter((cell) => cell.clients === count);
      const { bound, calls, rounds } = own[0]!;
      const [p50, p90, p99, p999] = [bound.p50, bound.p90, bound.p99, bound.p999].map(milliseconds);
      return [
        `**${capital(clientsName(count))}**, \`${scenario.name}\`, ${rounds} rounds, ${calls.toLocaleString('en')} calls each. The bound: p50 ${p50}, p90 ${p90}, p99 ${p99}, p99.9 ${p999} ms.`,
        toMarkdown(resultTable(own)),
      ];
    }),
  ].join('\n\n');
}

function resultTable(cells: readonly Cell[]): Table {
  return {
    head: [
      'client',
      'p50',
      'p90',
      'p99',
      'p99.9',
      'p99 / bound',
      'p99.9 / bound',
      'timed out',
      'failed',
      'share of a backend',
      'CPU µs',
      'MB',
    ],
    rows: cells.map((cell) => [
      strong(cell.subject),
      ...[cell.latency.p50, cell.latency.p90, cell.latency.p99, cell.latency.p999].map(duration),
      ratioSpread(cell.p99),
      ratioSpread(cell.p999),
      percent(cell.timedOut.median),
      percent(cell.failed.median),
      `${percent(cell.idlest)} to ${percent(cell.busiest)}`,
      cell.cpu.median.toFixed(0),
      (cell.resident / 2 ** 20).toFixed(0),
    ]),
  };
}

/** What says whether the machine was quiet enough. */
export function soundness(cells: readonly Cell[]): string {
  const most = (value: (cell: Cell) => number): string => Math.max(...cells.map(value)).toFixed(1);
  const median = (value: (cell: Cell) => number): number =>
    cells.map(value).toSorted((a, b) => a - b)[cells.length >> 1]!;
  const runs = cells.reduce((sum, { rounds }) => sum + rounds, 0);
  const bad = cells.filter(({ unsound }) => unsound > 0);
  const count = bad.reduce((sum, { unsound }) => sum + unsound, 0);
  const where = bad.map((cell) => `${cell.subject} (\`${cell.scenario}\`, ${clientsName(cell.clients)})`).join('; ');
  const verdict =
    count === 0
      ? `All ${runs} runs are sound.`
      : `${count} of ${runs} runs are not, and are counted all the same: ${where}.`;
  return `A run is sound if at p99 calls start, and answers leave, later than they should by at most ${MAX_LATE * 100} % of the bound's p99. Over all runs, the worst p99 was ${most((cell) => cell.lateStarts)} ms for starts and ${most((cell) => cell.lateAnswers)} ms for answers; a call without work on an idle client took ${median((cell) => cell.idleCall).toFixed(2)} ms in the median, the event loops of clients and backends were busy for ${percent(median((cell) => cell.busyClient))} and ${percent(median((cell) => cell.busyBackend))} of the time, and the machine ${percent(median((cell) => cell.busyMachine))}. ${verdict}`;
}

function strong(name: string): string {
  return name === 'adaptive' ? `**${name}**` : name;
}

function capital(words: string): string {
  return words.charAt(0).toUpperCase() + words.slice(1);
}
