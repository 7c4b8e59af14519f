import { performance } from 'node:perf_hooks';
import { setTimeout as sleep } from 'node:timers/promises';

const TICK_MS = 4;
/** A computer that wakes up does not catch up on the calls of the night. */
const FORGET_AFTER_MS = 5000;

/**
 * Starts calls at a steady rate, whatever happens to earlier ones, as users do. Each call knows when it should have
 * started: latency measured from that time includes the time in which the caller itself was delayed (coordinated
 * omission).
 */
export async function openLoop(
  ratePerSecond: number,
  durationMs: number,
  stop: AbortSignal,
  start: (intendedStart: number) => void,
): Promise<void> {
  const gap = 1000 / ratePerSecond;
  const count = Math.round(durationMs / gap);
  let begun = performance.now();
  let started = 0;
  while (!stop.aborted && started < count) {
    const now = performance.now();
    const late = now - (begun + started * gap);
    if (late > FORGET_AFTER_MS) begun += late;
    for (; started < count && begun + started * gap <= now; started++) start(begun + started * gap);
    // Aborted: the loop's condition ends it.
    await sleep(TICK_MS, undefined, { signal: stop }).catch(() => {});
  }
}
