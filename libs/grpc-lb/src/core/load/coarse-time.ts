import type { Clock } from '../clock.js';

/** How long coarse time stands still. */
const STEP_MS = 10;

/**
 * Coarse time, which stands still for 10 ms: what fades with time is worked out once for each endpoint and
 * step, not for each endpoint and call, and all endpoints are compared as of the same time.
 */
export function coarseTime(clock: Clock): number {
  return Math.floor(clock.now() / STEP_MS) * STEP_MS;
}
