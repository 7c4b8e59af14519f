import { jittered, type Random } from './random.js';

const FACTOR = 1.6;
const JITTER = 0.2;

/**
 * Milliseconds to wait before the next attempt, given `failures` consecutive failures before the last one: the
 * connection backoff of gRPC (doc/connection-backoff.md: multiplier 1.6, jitter 0.2). The jitter matters: all clients
 * lose a peer at the same time and must not reconnect at the same time.
 */
export function backoffMs(failures: number, maxMs: number, random: Random, initialMs = 1000): number {
  return jittered(random, Math.min(initialMs * FACTOR ** failures, maxMs), JITTER);
}
