import { Observable } from 'rxjs';
import { GrpcLbArgumentError } from '../../core/errors.js';
import { type PulledCall, PulledStream } from './pulled-stream.js';
import type { Sink } from './sink.js';

/** Creates a call whose messages a sink takes when it wants them. */
export type OpenPulled = (sink: Sink) => PulledCall;

const PULLED = Symbol('nestjs-grpc-lb pulled stream');

/** Makes an Observable one that `iterate` can pull. */
export function pullable(observable: Observable<unknown>, open: OpenPulled): Observable<unknown> {
  return Object.defineProperty(observable, PULLED, { value: open });
}

/** How to pull what a method has returned; undefined if it is not a stream that can be pulled. */
export function pulledBy(stream: unknown): OpenPulled | undefined {
  return (stream as { [PULLED]?: OpenPulled } | null | undefined)?.[PULLED];
}

/**
 * The messages of a stream of responses one by one, as the consumer asks for them: a consumer that is slow stops the server,
 * by HTTP/2 flow control, and at most 16 messages wait here. The call starts with the loop, and is canceled when the
 * loop is left. An error of the stream is thrown by the loop.
 *
 * @example
 *   for await (const change of iterate(this.feed.watch({ after: 0 }))) await this.store.apply(change);
 *
 * @param stream What a method of a client of this package returned, before any `pipe()`.
 * @throws GrpcLbArgumentError if it is another Observable, which cannot be slowed down.
 */
export function iterate<T>(stream: Observable<T>): AsyncIterableIterator<T> {
  const open = pulledBy(stream);
  if (open) return new PulledStream(open) as AsyncIterableIterator<T>;
  const found = stream instanceof Observable ? 'an Observable of something else' : 'not an Observable';
  throw new GrpcLbArgumentError(
    `iterate: stream is ${found}; pass what a method of a client with a stream of responses returns, before any pipe()`,
  );
}
