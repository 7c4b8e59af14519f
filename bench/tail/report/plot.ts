import { percent, ratio } from '../../sim/report/numbers.js';
import { logScale, type Scale } from '../../sim/report/scale.js';
import { element, line, svg, text } from '../../sim/report/svg.js';
import { QUEUE_OVER_SOCKETS } from '../subjects.js';
import type { Scenario } from '../model/scenario.js';
import type { Cell, Spread } from './cells.js';
import { clientsName } from './words.js';

const WIDTH = 860;
const LEFT = 210;
const RIGHT = 640;
const TOP = 40;
const ROW = 26;
/** Right of this a value is written, not drawn. */
const MOST = 5;

/** All subjects of a scenario: one row each, one mark for each number of clients, with the spread over the rounds. */
export function tailPlot(scenario: Scenario, cells: readonly Cell[]): string {
  const names = [...new Set(cells.map(({ subject }) => subject))];
  const clients = [...new Set(cells.map((cell) => cell.clients))].toSorted((a, b) => a - b);
  const bottom = TOP + names.length * ROW;
  const scale = logScale(0.8, MOST, LEFT, RIGHT);
  const body = [
    ...legend(clients),
    ...scale.ticks.flatMap((tick) => [
      line(scale.place(tick), TOP, scale.place(tick), bottom, { class: tick === 1 ? 'axis' : 'grid' }),
      text(scale.place(tick), bottom + 16, String(tick), { 'text-anchor': 'middle', class: 'soft' }),
    ]),
    text((LEFT + RIGHT) / 2, bottom + 34, 'latency over that of the bound (log)', {
      'text-anchor': 'middle',
      class: 'soft',
    }),
    ...names.flatMap((name, row) => {
      const own = cells.filter(({ subject }) => subject === name);
      const y = TOP + row * ROW + ROW / 2;
      return [
        text(LEFT - 14, y + 4, name, { 'text-anchor': 'end', class: classOf(name) }),
        ...own.flatMap((cell) => marks(cell, clients, scale, y)),
        text(RIGHT + 14, y + 4, remark(own), { class: 'soft' }),
      ];
    }),
  ];
  return svg(WIDTH, bottom + 44, `${scenario.title}: latency of each policy over that of the bound`, body);
}

function classOf(name: string): string | undefined {
  if (name === QUEUE_OVER_SOCKETS) return 'soft';
  return name === 'adaptive' ? 'strong' : undefined;
}

function marks(cell: Cell, clients: readonly number[], scale: Scale, row: number): string[] {
  const series = clients.indexOf(cell.clients);
  // Side by side, so that equal values do not hide each other.
  const y = row + (series - (clients.length - 1) / 2) * 9;
  return [...mark(cell.p999, true, series, scale, y), ...mark(cell.p99, false, series, scale, y)];
}

function mark({ median, low, high }: Spread, hollow: boolean, series: number, scale: Scale, y: number): string[] {
  if (!(median <= MOST)) return [];
  const look = { class: `s${series} ${hollow ? 'hollow' : 'fill'}` };
  const spread = line(scale.place(low), y, scale.place(high), y, { class: `s${series} curve` });
  return [...(hollow ? [] : [spread]), symbol(scale.place(median), y, series, look)];
}

/** A shape for each series beside its colour. */
function symbol(x: number, y: number, series: number, look: { class: string }): string {
  if (series === 1) return element('rect', { x: x - 3, y: y - 3, width: 6, height: 6, ...look });
  return element('circle', { cx: x, cy: y, r: 3.3, ...look });
}

/** What is off the scale, and how many calls were lost: of the worst number of clients. */
function remark(cells: readonly Cell[]): string {
  const far = Math.max(...cells.map(({ p99 }) => p99.median));
  const lost = Math.max(...cells.map(({ timedOut, failed }) => timedOut.median + failed.median));
  const parts = [far > MOST ? `→ ${ratio(far)}` : '', lost >= 0.0005 ? `${percent(lost)} lost` : ''];
  return parts.filter((part) => part !== '').join(', ');
}

function legend(clients: readonly number[]): string[] {
  let x = LEFT;
  const entry = (drawn: string, words: string): string[] => {
    const label = text(x + 10, 20, words);
    x += 30 + words.length * 6.5;
    return [drawn, label];
  };
  const shape = (series: number, hollow: boolean): string =>
    symbol(x, 16, series, { class: `s${series} ${hollow ? 'hollow' : 'fill'}` });
  return [
    ...clients.flatMap((count, series) => entry(shape(series, false), clientsName(count))),
    ...entry(shape(5, false), 'filled: p99, with the spread'),
    ...entry(shape(5, true), 'hollow: p99.9'),
  ];
}
