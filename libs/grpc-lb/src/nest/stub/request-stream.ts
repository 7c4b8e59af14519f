import type { ClientWritableStream } from '@grpc/grpc-js';
import { isObservable } from 'rxjs';
import type { RequestStream } from '../grpc-service.js';

type Writable = Pick<ClientWritableStream<unknown>, 'write' | 'end' | 'once' | 'off'>;

export function isRequestStream(value: unknown): value is RequestStream<unknown> {
  return isObservable(value) || (typeof value === 'object' && value !== null && (Symbol.asyncIterator in value || Symbol.iterator in value));
}

/**
 * Writes all requests to a call, no faster than the connection takes them, then ends it. An iterable is asked for its
 * next item only when there is room; an Observable cannot be slowed down, so what it emits meanwhile waits in order.
 * Returns what stops it.
 */
export function writeRequests(source: RequestStream<unknown>, call: Writable, onError: (error: unknown) => void): () => void {
  return isObservable(source) ? fromObservable(source, call, onError) : fromIterable(source, call, onError);
}

function fromObservable(source: Extract<RequestStream<unknown>, { subscribe: unknown }>, call: Writable, onError: (error: unknown) => void): () => void {
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
      if (blocked) waiting.push(item);
      else write(item);
    },
    error: onError,
    complete: () => {
      completed = true;
      if (!blocked) call.end();
    },
  });
  return () => {
    subscription.unsubscribe();
    call.off('drain', flush);
    waiting.length = 0;
  };
}

function fromIterable(source: AsyncIterable<unknown> | Iterable<unknown>, call: Writable, onError: (error: unknown) => void): () => void {
  let stopped = false;
  let wake: (() => void) | undefined;
  const drained = (): Promise<void> =>
    new Promise((resolve) => {
      wake = resolve;
      call.once('drain', resolve);
    });
  const pump = async (): Promise<void> => {
    for await (const item of source) {
      // Leaving the loop also closes the iterator.
      if (stopped) return;
      if (!call.write(item)) await drained();
      if (stopped) return;
    }
    call.end();
  };
  pump().catch((error: unknown) => {
    if (!stopped) onError(error);
  });
  return () => {
    stopped = true;
    if (wake) call.off('drain', wake);
    wake?.();
  };
}
