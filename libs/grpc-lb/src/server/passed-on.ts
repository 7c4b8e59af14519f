import type { Metadata } from '@grpc/grpc-js';
import { DEGRADED_KEY } from './degraded.js';
import { PUSHBACK_KEY, SHED_KEY } from './shed-status.js';
import { DRAINING_KEY, STREAM_END_KEY } from './stream-end.js';

/** What a server says of itself, beside that it has shed the call. */
const OF_ITSELF = [STREAM_END_KEY, DRAINING_KEY, DEGRADED_KEY];

/**
 * The trailers of a handler that has failed, without what another server said of itself: a handler that passes on the
 * error of a call which it has made has run, and must not be repeated as if it had not; and it does not drain because the
 * server that it has called does.
 */
export function withoutSignals(metadata: Metadata | null | undefined): Metadata | null | undefined {
  if (!metadata) return metadata;
  const shed = metadata.get(SHED_KEY).length > 0;
  if (!shed && OF_ITSELF.every((key) => metadata.get(key).length === 0)) return metadata;
  const own = metadata.clone();
  for (const key of OF_ITSELF) own.remove(key);
  if (!shed) return own;
  own.remove(SHED_KEY);
  // "At once" was said of another server, by which this one's clients are not to go round their backoff.
  if (own.get(PUSHBACK_KEY)[0] === '0') own.remove(PUSHBACK_KEY);
  return own;
}
