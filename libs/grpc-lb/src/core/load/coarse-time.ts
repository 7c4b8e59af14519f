import type { Clock } from '../clock.js';

/** The resolution of coarse time. */
const STEP_MS = 10;

/**
 * Coarse time advances in steps of 10 ms: values that fade with time are computed once per endpoint and step, not per
 * endpoint and call, and all endpoints are compared as of the same time.
 */
export function coarseTime(clock: Clock): number {
  return Math.floor(clock.now() / STEP_MS) * STEP_MS;
}
