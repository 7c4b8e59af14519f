import type { Metadata } from '@grpc/grpc-js';
import { PUSHBACK_KEY, SHED_KEY } from './shedder.js';

/**
 * The trailers of a handler that has failed, without the mark of a call that was shed: a handler that passes on the error
 * of a call which it has made has run, and must not be repeated as if it had not.
 */
export function withoutShedMark(metadata: Metadata | null | undefined): Metadata | null | undefined {
  if (!metadata || metadata.get(SHED_KEY).length === 0) return metadata;
  const own = metadata.clone();
  own.remove(SHED_KEY);
  // "At once" was said of another server, by which this one's clients are not to go round their backoff.
  if (own.get(PUSHBACK_KEY)[0] === '0') own.remove(PUSHBACK_KEY);
  return own;
}
