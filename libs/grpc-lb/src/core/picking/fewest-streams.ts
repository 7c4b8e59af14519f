import type { StreamHost } from '../streams/placed-stream.js';
import { levelOf } from '../streams/relocation.js';

/** An endpoint to which streams are counted. */
export interface StreamCandidate extends Omit<StreamHost, 'joinedAt'> {
  /** Refused calls that still count as load: an endpoint that refuses every stream would always have the fewest. */
  readonly lingering: number;
}

/**
 * The endpoints that one more stream fills least, by weight. Streams stay, so their numbers add up over the time in which
 * a policy would see one call begin and end; among equals the policy decides, which knows who is busy or slow.
 */
export function withFewestStreams<E extends StreamCandidate>(endpoints: readonly E[]): readonly E[] {
  let least = Infinity;
  let fewest: E[] = [];
  for (const endpoint of endpoints) {
    const level = levelOf(endpoint, endpoint.streams + endpoint.lingering + 1);
    if (level > least) continue;
    if (level < least) {
      least = level;
      fewest = [];
    }
    fewest.push(endpoint);
  }
  return fewest.length === endpoints.length ? endpoints : fewest;
}
