import { element } from '../../../bench/sim/report/svg.js';

/** Maps a second and a value to the picture. */
export interface Plane {
  readonly x: (second: number) => number;
  readonly y: (value: number) => number;
}

/** A line through the values, with a gap where there is none. */
export function line(values: readonly number[], series: number, plane: Plane): string {
  const d = runsOf(values)
    .map(({ start, values: run }) => `M${corners(run, start, plane).join('L')}`)
    .join('');
  return element('path', { d, class: `s${series} curve` });
}

/** The area between two lines. Both have a value at each second. */
export function area(top: readonly number[], bottom: readonly number[], series: number, plane: Plane): string {
  const outline = [...corners(top, 0, plane), ...corners(bottom, 0, plane).toReversed()];
  return element('path', {
    d: `M${outline.join('L')}Z`,
    class: `s${series} fill`,
    'fill-opacity': 0.4,
    'stroke-width': 0,
  });
}

interface Piece {
  readonly start: number;
  readonly values: readonly number[];
}

/** The pieces between the gaps. */
function runsOf(values: readonly number[]): Piece[] {
  const pieces: { start: number; values: number[] }[] = [];
  values.forEach((value, second) => {
    if (!Number.isFinite(value)) return;
    const last = pieces.at(-1);
    if (last && last.start + last.values.length === second) last.values.push(value);
    else pieces.push({ start: second, values: [value] });
  });
  return pieces;
}

/** Without the points in the middle of a level stretch. A single value becomes a dash of one second. */
function corners(values: readonly number[], start: number, { x, y }: Plane): string[] {
  const level = (i: number): boolean => values[i - 1] === values[i] && values[i] === values[i + 1];
  const points = values.flatMap((value, i) => (level(i) ? [] : [`${x(start + i).toFixed(1)} ${y(value).toFixed(1)}`]));
  return points.length === 1 ? [points[0]!, `${x(start + 1).toFixed(1)} ${y(values[0]!).toFixed(1)}`] : points;
}
