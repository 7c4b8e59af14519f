import { AssertionError } from 'node:assert';
import type { CallLog } from './call-log.js';

/** Bounds of the part of the calls that one backend got. */
export interface ShareBounds {
  /**
   * The least part, 0 to 1.
   *
   * @default 0
   */
  readonly atLeast?: number;
  /**
   * The largest part, 0 to 1.
   *
   * @default 1
   */
  readonly atMost?: number;
}

/** How exact shares must be. */
export interface ShareOptions {
  /**
   * The largest difference from the expected share, as a part of it: with 0.2 a share of 0.5 may be 0.4 to 0.6.
   *
   * @default 0.1
   */
  readonly within?: number;
}

/** @throws AssertionError unless the backends got their parts of the calls. */
export function assertShares(
  expected: ReadonlyMap<number, number>,
  { within = 0.1 }: ShareOptions,
  log: CallLog,
  backends: number,
): void {
  const calls = Array.from({ length: backends }, (_, i) => log.countOf(i));
  const total = calls.reduce((sum, each) => sum + each, 0);
  const wrong = [...expected].filter(([index, share]) => Math.abs(calls[index]! / total - share) > share * within);
  // Without calls there are no shares.
  if (total > 0 && wrong.length === 0) return;
  const bounds = `within ${percent(within)} of what is expected`;
  const why = total === 0 ? 'no backend got a call' : `the shares are not ${bounds}`;
  const lines = [...expected].map(([index, share]) => {
    const mark = total > 0 && wrong.some(([each]) => each === index) ? '  <- wrong' : '';
    return `  ${lineOf(index, calls[index]!, total)}, expected ${percent(share)}${mark}`;
  });
  throw new AssertionError({
    message: [why, ...lines].join('\n'),
    actual: [...expected.keys()].map((index) => (total === 0 ? 0 : calls[index]! / total)),
    expected: [...expected.values()],
    operator: 'expectShares',
  });
}

/** @throws AssertionError always. */
export function failShare(index: number, share: number, { atLeast, atMost }: ShareBounds, log: CallLog): never {
  const bounds = [
    ...(atLeast === undefined ? [] : [`at least ${percent(atLeast)}`]),
    ...(atMost === undefined ? [] : [`at most ${percent(atMost)}`]),
  ].join(' and ');
  const total = log.total;
  throw new AssertionError({
    message: [
      `backend ${index} got ${percent(share)} of the calls; expected ${bounds}`,
      ...log.counts.map((calls, i) => `  ${lineOf(i, calls, total)}`),
    ].join('\n'),
    actual: share,
    expected: { atLeast, atMost },
    operator: 'expectShare',
  });
}

function lineOf(index: number, calls: number, total: number): string {
  return `backend ${index}: ${calls} of ${total} calls (${percent(total === 0 ? 0 : calls / total)})`;
}

function percent(share: number): string {
  return `${Math.round(share * 1000) / 10} %`;
}
