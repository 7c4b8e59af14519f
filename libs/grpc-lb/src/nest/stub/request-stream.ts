import { isObservable } from 'rxjs';
import { GrpcLbArgumentError } from '../../core/errors.js';
import type { RequestStream } from '../service-types.js';
import { type ArgumentRules, kindOf } from './argument-rules.js';

/** The part of a call that is needed: a Node stream that requests are written to. */
export interface Writable {
  /** False if the buffer is full; `drain` signals room. */
  write(item: unknown): boolean;
  end(): unknown;
  once(event: 'drain', listener: () => void): unknown;
  off(event: 'drain', listener: () => void): unknown;
}

export function isRequestStream(value: unknown): value is RequestStream<unknown> {
  return (
    isObservable(value) ||
    (typeof value === 'object' && value !== null && (Symbol.asyncIterator in value || Symbol.iterator in value))
  );
}

/** @throws GrpcLbArgumentError if it is a single request, of a method that takes a stream of them. */
export function assertRequestStream(
  { subject }: Pick<ArgumentRules, 'subject'>,
  request: unknown,
): asserts request is RequestStream<unknown> {
  if (isRequestStream(request)) return;
  throw new GrpcLbArgumentError(
    `${subject}: request is ${kindOf(request)}, but the method takes a stream of requests; pass an Observable or an (async) iterable`,
  );
}

/**
 * Writes all requests to a call, no faster than the connection takes them, then ends it. An iterable is asked for its
 * next item only when there is room; an Observable cannot be slowed down, so its items wait in order in the meantime.
 * Returns a function that stops it.
 */
export function writeRequests(
  source: RequestStream<unknown>,
  call: Writable,
  onError: (error: unknown) => void,
): () => void {
  return isObservable(source) ? fromObservable(source, call, onError) : fromIterable(source, call, onError);
}

function fromObservable(
  source: Extract<RequestStream<unknown>, { subscribe: unknown }>,
  call: Writable,
  onError: (error: unknown) => void,
): () => void {
  const waiting: unknown[] = [];
  let blocked = false;
  let completed = false;
  const flush = (): void => {
    blocked = false;
    let next = 0;
    while (next < waiting.length && !blocked) write(waiting[next++]);
    waiting.splice(0, next);
    if (completed && !blocked) call.end();
  };
  const write = (item: unknown): void => {
    if (call.write(item)) return;
    blocked = true;
    call.once('drain', flush);
  };
  const subscription = source.subscribe({
    next: (item) => {
      // Also what comes while others are written, such as from an interceptor that sees them.
      if (blocked || waiting.length > 0) waiting.push(item);
      else write(item);
    },
    error: onError,
    complete: () => {
      completed = true;
      if (!blocked && waiting.length === 0) call.end();
    },
  });
  return () => {
    subscription.unsubscribe();
    call.off('drain', flush);
    waiting.length = 0;
  };
}

function fromIterable(
  source: AsyncIterable<unknown> | Iterable<unknown>,
  call: Writable,
  onError: (error: unknown) => void,
): () => void {
  let iterator: AsyncIterator<unknown> | Iterator<unknown> | undefined;
  let exhausted = false;
  let stopped = false;
  let wake: (() => void) | undefined;
  const drained = (): Promise<void> =>
    new Promise((resolve) => {
      wake = resolve;
      call.once('drain', resolve);
    });
  const pump = async (): Promise<void> => {
    iterator = Symbol.asyncIterator in source ? source[Symbol.asyncIterator]() : source[Symbol.iterator]();
    while (!stopped) {
      const next: IteratorResult<unknown, unknown> = await iterator.next();
      if (next.done) exhausted = true;
      if (stopped) return;
      if (next.done) return void call.end();
      if (!call.write(next.value)) await drained();
    }
  };
  pump().catch((error: unknown) => {
    exhausted = true;
    if (!stopped) onError(error);
  });
  return () => {
    stopped = true;
    if (wake) call.off('drain', wake);
    wake?.();
    if (!exhausted && iterator) void close(iterator);
  };
}

/** Closes it even while its next item is awaited, which may never come: events.on() releases its emitter only then. */
async function close(iterator: AsyncIterator<unknown> | Iterator<unknown>): Promise<void> {
  try {
    // A generator that stops its own call is still running now.
    await Promise.resolve();
    await iterator.return?.();
  } catch {
    // The call is over, so there is no one to report the error to.
  }
}
