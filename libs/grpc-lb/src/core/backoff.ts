import { jittered, type Random } from './random.js';

const FACTOR = 1.6;
const JITTER = 0.2;

/**
 * Milliseconds to wait before the next attempt, after `failures` failures in a row before the last one: the connection
 * backoff of gRPC (doc/connection-backoff.md: multiplier 1.6, jitter 0.2). The jitter matters: all clients lose a peer
 * at the same time and must not return at the same time.
 */
export function backoffMs(failures: number, maxMs: number, random: Random, initialMs = 1000): number {
  return jittered(random, Math.min(initialMs * FACTOR ** failures, maxMs), JITTER);
}
