import { performance } from 'node:perf_hooks';
import { setTimeout as delay } from 'node:timers/promises';

/** The longest wait for an event that must happen: it detects a test that hangs, not one that is slow. */
const PATIENCE_MS = 45_000;

// Taken now: a test may put fake ones in their place later.
const now = performance.now.bind(performance);

/** Resolves as soon as the condition holds. If there is an event for it, wait for that instead. */
export async function eventually(condition: () => boolean): Promise<void> {
  for (const end = now() + PATIENCE_MS; !condition(); await delay(2)) {
    if (now() > end) throw new Error(`not within ${PATIENCE_MS} ms: ${String(condition)}`);
  }
}

/** The promise, or after the timeout an error with the current state. */
export async function patiently<T>(promise: Promise<T>, found: () => unknown): Promise<T> {
  let timer: NodeJS.Timeout | undefined;
  const end = new Promise<never>((_, reject) => {
    const tell = (): void => reject(new Error(`not within ${PATIENCE_MS} ms: ${JSON.stringify(found())}`));
    timer = setTimeout(tell, PATIENCE_MS);
  });
  return Promise.race([promise, end]).finally(() => clearTimeout(timer));
}
