import { groupBy } from '../engine/group-by.js';
import { CENTRAL_QUEUE } from '../subjects.js';
import type { Scenario } from '../scenario.js';
import type { Cell } from './cells.js';
import { clientsName, loadName, ratio, roundPercent } from './numbers.js';
import { linearScale, logScale, type Scale } from './scale.js';
import { element, line, svg, text } from './svg.js';

const WIDTH = 860;
const LABELS = 170;
const TOP = 58;
const ROW = 24;
/** Values beyond this are written, not drawn. */
const MOST = 10;

interface Mark {
  readonly value: number;
  readonly hollow: boolean;
  readonly series: number;
}

/** All policies of a scenario at a glance: one row each, one panel for each load, one mark for each number of clients. */
export function dotPlot(scenario: Scenario, cells: readonly Cell[]): string {
  const shown = cells.filter(({ subject }) => subject !== CENTRAL_QUEUE.name);
  const names = [...new Set(shown.map(({ subject }) => subject))];
  const clients = [...new Set(shown.map((cell) => cell.clients))].toSorted((a, b) => a - b);
  const panels = [...groupBy(shown, ({ load }) => load)].toSorted(([a], [b]) => a - b);
  const bottom = TOP + names.length * ROW;
  const width = (WIDTH - LABELS) / panels.length;
  const byFailures = scenario.byFailures === true;
  const body = [
    ...legend(clients, byFailures),
    ...names.map((name, i) => label(name, i)),
    ...panels.flatMap(([load, panel], i) => {
      const left = LABELS + i * width;
      const right = left + width - 56;
      const scale = byFailures
        ? linearScale(Math.max(...shown.map(({ failed }) => failed)), left, right)
        : logScale(0.5, MOST, left, right);
      return [
        text((left + right) / 2, TOP - 14, `${loadName(load)} load`, { 'text-anchor': 'middle', class: 'strong' }),
        ...grid(scale, bottom, byFailures),
        ...panel.flatMap((cell) => marks(cell, clients, byFailures, scale, names.indexOf(cell.subject), right)),
        text((left + right) / 2, bottom + 34, axisName(byFailures), { 'text-anchor': 'middle', class: 'soft' }),
      ];
    }),
  ];
  return svg(WIDTH, bottom + 44, `${scenario.title}: ${axisName(byFailures)}`, body);
}

function axisName(byFailures: boolean): string {
  return byFailures ? 'share of calls that fail' : 'latency over that of the central queue (log)';
}

function rowAt(index: number): number {
  return TOP + index * ROW + ROW / 2;
}

function label(name: string, index: number): string {
  const strong = name === 'adaptive' ? 'strong' : undefined;
  return text(LABELS - 14, rowAt(index) + 4, name, { 'text-anchor': 'end', class: strong });
}

function grid({ ticks, place }: Scale, bottom: number, asPercent: boolean): string[] {
  return ticks.flatMap((tick) => [
    line(place(tick), TOP, place(tick), bottom, { class: tick === 1 && !asPercent ? 'axis' : 'grid' }),
    text(place(tick), bottom + 16, asPercent ? roundPercent(tick) : String(tick), {
      'text-anchor': 'middle',
      class: 'soft',
    }),
  ]);
}

function marks(
  cell: Cell,
  clients: readonly number[],
  byFailures: boolean,
  scale: Scale,
  row: number,
  right: number,
): string[] {
  const series = clients.indexOf(cell.clients);
  // Side by side, so that equal values do not hide each other.
  const y = rowAt(row) + (series - (clients.length - 1) / 2) * 6;
  const values: Mark[] = byFailures
    ? [{ value: cell.failed, hollow: false, series }]
    : [
        { value: cell.p999, hollow: true, series },
        { value: cell.p99, hollow: false, series },
      ];
  const drawn = values
    .filter(({ value }) => Number.isFinite(value) && (byFailures || value <= MOST))
    .map((mark) => symbol(scale.place(mark.value), y, mark));
  // One label for those beyond the scale, from the policy's worst number of clients.
  const far = !byFailures && cell.p99 > MOST && series === clients.length - 1;
  return far ? [...drawn, text(right + 6, rowAt(row) + 4, `→ ${ratio(cell.p99)}`, { class: 'soft' })] : drawn;
}

/** Each series has a shape in addition to its color. */
function symbol(x: number, y: number, { hollow, series }: Omit<Mark, 'value'>): string {
  const look = { class: `s${series} ${hollow ? 'hollow' : 'fill'}` };
  if (series === 1) return element('rect', { x: x - 3, y: y - 3, width: 6, height: 6, ...look });
  if (series === 2) return element('path', { d: `M${px(x)} ${px(y - 4)}l4 4l-4 4l-4 -4z`, ...look });
  return element('circle', { cx: x, cy: y, r: 3.3, ...look });
}

function px(value: number): string {
  return value.toFixed(1);
}

function legend(clients: readonly number[], byFailures: boolean): string[] {
  let x = LABELS;
  const entry = (mark: string[], words: string): string[] => {
    const drawn = [...mark, text(x + 10, 20, words)];
    x += 26 + words.length * 7;
    return drawn;
  };
  const counts = clients.flatMap((count, series) =>
    entry([symbol(x, 16, { series, hollow: false })], clientsName(count)),
  );
  if (byFailures) return counts;
  return [
    ...counts,
    ...entry([symbol(x, 16, { series: 5, hollow: false })], 'filled: p99'),
    ...entry([symbol(x, 16, { series: 5, hollow: true })], 'hollow: p99.9'),
  ];
}
