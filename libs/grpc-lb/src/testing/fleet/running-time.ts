import { performance } from 'node:perf_hooks';
import { clearTimeout, setTimeout } from 'node:timers';

/** A delay is waited for in so many steps, of which each counts as two at most, however late its timer is. */
const STEPS = 10;

// Taken now: a test may put fake ones in their place later.
const now = performance.now.bind(performance);

/**
 * Waits for a time during which this process runs. While it waits for the processor, its backends that are not slow do
 * not answer either; if that time counted, a busy machine would make them all as slow as the slow one.
 *
 * @param signal Ends the wait.
 */
export function after(delayMs: number, signal: AbortSignal): Promise<void> {
  const step = Math.max(1, delayMs / STEPS);
  return new Promise((resolve) => {
    let left = delayMs;
    let last = now();
    const done = (): void => {
      clearTimeout(timer);
      signal.removeEventListener('abort', done);
      resolve();
    };
    const look = (): void => {
      const at = now();
      left -= Math.min(at - last, 2 * step);
      last = at;
      if (left <= 0) done();
      else timer = setTimeout(look, Math.min(step, left));
    };
    let timer = setTimeout(look, Math.min(step, left));
    if (signal.aborted) done();
    else signal.addEventListener('abort', done);
  });
}
