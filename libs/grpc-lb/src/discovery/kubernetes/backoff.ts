import { jittered, type Random } from '../../core/random.js';

const FIRST_MS = 1000;
const MULTIPLIER = 1.6;
const MAX_MS = 30_000;
const JITTER = 0.2;

/** How long to wait after that many failures in a row and one more. */
export function backoffMs(failures: number, random: Random): number {
  return jittered(random, Math.min(FIRST_MS * MULTIPLIER ** failures, MAX_MS), JITTER);
}
