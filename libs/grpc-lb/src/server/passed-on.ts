import type { Metadata } from '@grpc/grpc-js';
import { DEGRADED_KEY } from './degraded.js';
import { PUSHBACK_KEY, SHED_KEY } from './shed-status.js';
import { STREAM_END_KEY } from './stream-end.js';

/**
 * The trailers of a handler that has failed, without what another server said of itself: a handler that passes on the
 * error of a call which it has made has run, and must not be repeated as if it had not; and it does not drain because the
 * server that it has called does.
 */
export function withoutSignals(metadata: Metadata | null | undefined): Metadata | null | undefined {
  if (!metadata) return metadata;
  const shed = metadata.get(SHED_KEY).length > 0;
  if (!shed && metadata.get(STREAM_END_KEY).length === 0 && metadata.get(DEGRADED_KEY).length === 0) return metadata;
  const own = metadata.clone();
  own.remove(STREAM_END_KEY);
  own.remove(DEGRADED_KEY);
  if (!shed) return own;
  own.remove(SHED_KEY);
  // "At once" was said of another server, by which this one's clients are not to go round their backoff.
  if (own.get(PUSHBACK_KEY)[0] === '0') own.remove(PUSHBACK_KEY);
  return own;
}
