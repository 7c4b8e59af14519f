import { CENTRAL_QUEUE } from '../subjects.js';
import type { Scenario } from '../scenario.js';
import type { Cell } from './cells.js';
import { clientsName, loadName, roundPercent } from './numbers.js';
import { linearScale, logScale, type Scale } from './scale.js';
import { element, line, svg, text } from './svg.js';

const WIDTH = 860;
const LEFT = 64;
const RIGHT = WIDTH - 190;
const TOP = 34;
const BOTTOM = 264;
/** The same color for each in every plot; more curves than these cannot be told apart. */
const CURVES = ['adaptive', 'round_robin', 'least_request', 'peak_ewma', 'hot_cold', CENTRAL_QUEUE.name];

/** One situation over time, second by second. */
export function timePlot(scenario: Scenario, cells: readonly Cell[]): string {
  const names = scenario.subjects?.map(({ name }) => name) ?? CURVES;
  const curves = cells.filter(({ subject, timeline }) => names.includes(subject) && timeline.length > 0);
  // A subject without clients has no share of the calls to compare.
  const shown = typeof scenario.timeline === 'object' ? withoutBound(curves) : curves;
  const seconds = shown[0]!.timeline.length;
  const values = shown.flatMap(({ timeline }) => timeline).filter((value) => Number.isFinite(value) && value > 0);
  const asShare = scenario.timeline !== 'latency' && scenario.timeline !== 'attempts';
  const y =
    scenario.timeline !== 'latency'
      ? linearScale(Math.max(...values), BOTTOM, TOP)
      : logScale(Math.min(50, ...values), Math.max(...values), BOTTOM, TOP);
  const x = (second: number): number => LEFT + ((second + 0.5) / seconds) * (RIGHT - LEFT);
  const { load, clients } = shown[0]!;
  const title = `${axisName(scenario)}, ${loadName(load)} load, ${clientsName(clients)}`;
  const body = [
    text(LEFT, 18, title, { class: 'strong' }),
    ...rows(y, asShare),
    ...columns(seconds, x),
    text((LEFT + RIGHT) / 2, BOTTOM + 36, 'time in seconds', { 'text-anchor': 'middle', class: 'soft' }),
    ...shown.map((cell) => curve(cell, names.indexOf(cell.subject), x, y)),
    ...shown.flatMap(({ subject }, i) => key(subject, names.indexOf(subject), i)),
  ];
  return svg(WIDTH, BOTTOM + 46, `${scenario.title}: ${title}`, body);
}

function withoutBound(cells: readonly Cell[]): Cell[] {
  return cells.filter(({ subject }) => subject !== CENTRAL_QUEUE.name);
}

function axisName({ timeline }: Scenario): string {
  if (timeline === 'latency') return 'p99 of each second in ms (log)';
  if (timeline === 'attempts') return 'attempts for a call';
  return timeline === 'failures' ? 'share of calls that fail' : 'share of the calls that the new backends get';
}

function rows({ ticks, place }: Scale, asShare: boolean): string[] {
  return ticks.flatMap((tick) => [
    line(LEFT, place(tick), RIGHT, place(tick), { class: 'grid' }),
    text(LEFT - 8, place(tick) + 4, asShare ? roundPercent(tick) : String(tick), {
      'text-anchor': 'end',
      class: 'soft',
    }),
  ]);
}

function columns(seconds: number, x: (second: number) => number): string[] {
  const marks = Array.from({ length: Math.floor(seconds / 5) + 1 }, (_, i) => i * 5);
  return [
    line(LEFT, BOTTOM, RIGHT, BOTTOM, { class: 'axis' }),
    ...marks.map((second) =>
      text(x(second - 0.5), BOTTOM + 18, String(second), { 'text-anchor': 'middle', class: 'soft' }),
    ),
  ];
}

function curve({ timeline }: Cell, series: number, x: (second: number) => number, y: Scale): string {
  const points = timeline
    .map((value, second) => [x(second), y.place(value)] as const)
    .filter(([, place]) => Number.isFinite(place))
    .map(([left, top]) => `${left.toFixed(1)},${top.toFixed(1)}`);
  return element('polyline', { points: points.join(' '), class: `s${series} curve` });
}

function key(subject: string, series: number, index: number): string[] {
  const top = TOP + 14 + index * 20;
  return [
    line(RIGHT + 16, top - 4, RIGHT + 38, top - 4, { class: `s${series} curve` }),
    text(RIGHT + 46, top, subject, { class: subject === 'adaptive' ? 'strong' : undefined }),
  ];
}
