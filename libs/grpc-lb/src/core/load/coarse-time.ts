import type { Clock } from '../clock.js';

/** How long time stands still for those who choose. */
const MOMENT_MS = 10;

/**
 * The time of a choice, which stands still for 10 ms: what fades with time is worked out once for each endpoint and
 * moment, not for each endpoint and call, and all endpoints are compared as of the same time.
 */
export function momentOf(clock: Clock): number {
  return Math.floor(clock.now() / MOMENT_MS) * MOMENT_MS;
}
