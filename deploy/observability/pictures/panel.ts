import { linearScale, type Scale } from '../../../bench/sim/report/scale.js';
import { element, line as straight, text } from '../../../bench/sim/report/svg.js';
import type { PanelDefinition } from '../dashboards/definition.js';
import { area, line, type Plane } from './curves.js';
import type { Curve, Run } from './run.js';
import { axisUnit } from './units.js';

/** The colors of `svg.ts`; more curves repeat them. */
const COLORS = 6;
const LETTER = 6.1;
const PADDING = 12;
const AXIS = 40;
const PLOT_TOP = 44;
const PLOT_BOTTOM = 150;
const LEGEND_TOP = 184;
const LEGEND_LINE = 16;

/** Where a panel is. */
export interface Place {
  readonly left: number;
  readonly top: number;
  readonly width: number;
  readonly height: number;
}

export function panelHeight(curves: readonly Curve[]): number {
  const { shown, zero } = split(curves);
  const lines = shown.length + (zero.length > 0 ? 1 : 0);
  return LEGEND_TOP + Math.max(1, lines) * LEGEND_LINE - 4;
}

/** Title, unit, marks, axes, curves and legend of one panel. */
export function panelPicture(panel: PanelDefinition, { seconds, marks, curves }: Run, place: Place): string {
  const { left, top, width, height } = place;
  const { shown, zero } = split(curves.get(panel.title) ?? []);
  const drawn = panel.stacked ? stack(shown) : shown;
  const high = Math.max(0, ...drawn.flatMap(({ values }) => values).filter(Number.isFinite));
  const { name, factor, least } = axisUnit(panel.unit, high);
  const scale = linearScale(Math.max(least, high * factor), PLOT_BOTTOM, PLOT_TOP);
  const right = width - PADDING;
  const x = (second: number): number => AXIS + (second / seconds) * (right - AXIS);
  const y = (value: number): number => scale.place(value * factor);
  return element(
    'g',
    { transform: `translate(${Math.round(left)} ${Math.round(top)})` },
    element('rect', { width, height, rx: 4, class: 'card' }),
    text(PADDING, 20, panel.title, { class: 'strong' }),
    text(right, 20, name, { 'text-anchor': 'end', class: 'soft small' }),
    ...rows(scale, right),
    ...columns(seconds, x),
    ...marks.flatMap(({ second, label }) => [
      straight(x(second), PLOT_TOP, x(second), PLOT_BOTTOM, { class: 'axis', 'stroke-dasharray': '2 3' }),
      text(x(second), PLOT_TOP - 6, label, { 'text-anchor': 'middle', class: 'soft tiny' }),
    ]),
    ...limit(panel, scale, factor, right),
    ...(panel.stacked ? areas(drawn, { x, y }) : []),
    ...drawn.map(({ values }, i) => line(values, i % COLORS, { x, y })),
    ...legend(shown, zero, width),
  );
}

/** Curves that are always 0 are only named, so that they neither hide the others nor use up the colors. */
function split(curves: readonly Curve[]): { readonly shown: readonly Curve[]; readonly zero: readonly Curve[] } {
  const isZero = ({ values }: Curve): boolean => values.every((value) => !(Math.abs(value) > 0));
  const zero = curves.filter(isZero);
  return zero.length === curves.length
    ? { shown: curves, zero: [] }
    : { shown: curves.filter((curve) => !isZero(curve)), zero };
}

/** Each curve on top of the ones before it. */
function stack(curves: readonly Curve[]): Curve[] {
  let below: readonly number[] = [];
  return curves.map(({ name, values }) => {
    below = values.map((value, i) => (below[i] ?? 0) + (Number.isFinite(value) ? value : 0));
    return { name, values: below };
  });
}

function areas(stacked: readonly Curve[], plane: Plane): string[] {
  return stacked.map(({ values }, i) => area(values, stacked[i - 1]?.values ?? values.map(() => 0), i % COLORS, plane));
}

function rows(scale: Scale, right: number): string[] {
  return scale.ticks.flatMap((tick) => {
    const y = scale.place(tick);
    return [
      straight(AXIS, y, right, y, { class: tick === 0 ? 'axis' : 'grid' }),
      text(AXIS - 6, y + 4, String(Number(tick.toPrecision(3))), { 'text-anchor': 'end', class: 'soft small' }),
    ];
  });
}

function columns(seconds: number, x: Plane['x']): string[] {
  const ticks = Array.from({ length: Math.floor(seconds / 30) + 1 }, (_, i) => i * 30);
  return ticks.map((second) =>
    text(x(second), PLOT_BOTTOM + 15, `${second} s`, {
      'text-anchor': second === seconds ? 'end' : 'middle',
      class: 'soft small',
    }),
  );
}

/** The threshold, if the axis reaches it. */
function limit({ threshold }: PanelDefinition, scale: Scale, factor: number, right: number): string[] {
  if (threshold === undefined || threshold * factor > scale.ticks.at(-1)!) return [];
  const y = scale.place(threshold * factor);
  return [straight(AXIS, y, right, y, { class: 'limit' })];
}

function legend(shown: readonly Curve[], zero: readonly Curve[], width: number): string[] {
  if (shown.length === 0) return [text(PADDING, LEGEND_TOP, 'No data in this run', { class: 'soft small' })];
  const letters = Math.floor((width - 3 * PADDING - 20) / LETTER);
  const top = (i: number): number => LEGEND_TOP + i * LEGEND_LINE;
  const lines = shown.flatMap(({ name }, i) => [
    straight(PADDING, top(i) - 4, PADDING + 18, top(i) - 4, { class: `s${i % COLORS} curve` }),
    text(PADDING + 26, top(i), shorten(name, letters), { class: 'small' }),
  ]);
  if (zero.length === 0) return lines;
  const names = zero.map(({ name }) => name).join(', ');
  return [...lines, text(PADDING, top(shown.length), shorten(`always 0: ${names}`, letters), { class: 'soft small' })];
}

/** Without its middle if it is too long: names often differ in their last letters. */
function shorten(name: string, letters: number): string {
  return name.length <= letters ? name : `${name.slice(0, letters - 13)}…${name.slice(-12)}`;
}
