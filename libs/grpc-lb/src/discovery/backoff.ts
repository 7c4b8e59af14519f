import { jittered, type Random } from '../core/random.js';

const FIRST_MS = 1000;
const MULTIPLIER = 1.6;
const JITTER = 0.2;

/**
 * How long to wait after that many failures in a row and one more: the connection backoff of gRPC. With jitter, as all
 * clients lose a registry at the same moment, and shall not come back at the same moment.
 */
export function backoffMs(failures: number, maxMs: number, random: Random): number {
  return jittered(random, Math.min(FIRST_MS * MULTIPLIER ** failures, maxMs), JITTER);
}
