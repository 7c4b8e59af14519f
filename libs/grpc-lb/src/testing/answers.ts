import { fromEvent, isObservable, lastValueFrom, type Observable, takeUntil } from 'rxjs';

/**
 * The message that a handler answers a unary call with.
 *
 * @param signal Aborts when the call is over: an Observable is unsubscribed then.
 * @throws TypeError if the answer is a stream.
 */
export async function messageOf(answer: unknown, signal: AbortSignal): Promise<object> {
  const settled = await answer;
  const message: unknown = isObservable(settled) ? await lastValueUntil(settled, signal) : settled;
  // Some codecs would send it as a message without fields.
  if (isIterable(message))
    throw new TypeError('the handler of a method with one response returned a stream; return one message');
  // A handler may return nothing: every field of a message may be left out.
  return message ?? {};
}

/**
 * The messages of a stream that a handler answers with.
 *
 * @param signal Aborts when the call is over: an Observable is unsubscribed then, and an iterator is closed.
 * @throws TypeError if the answer is not a stream.
 */
export async function* messagesOf(answer: unknown, signal: AbortSignal): AsyncGenerator<object, void, undefined> {
  const settled = await answer;
  if (isObservable(settled)) yield* valuesOf(settled as Observable<object>, signal);
  else if (isIterable(settled)) yield* itemsOf(settled, signal);
  else if (settled !== undefined && settled !== null)
    throw new TypeError('the handler of a stream returned one message; return an array, an iterable or an Observable');
}

function isIterable(value: unknown): value is AsyncIterable<object> | Iterable<object> {
  return typeof value === 'object' && value !== null && (Symbol.asyncIterator in value || Symbol.iterator in value);
}

async function lastValueUntil(source: Observable<unknown>, signal: AbortSignal): Promise<unknown> {
  // It would not abort any more.
  if (signal.aborted) return undefined;
  return lastValueFrom(source.pipe(takeUntil(fromEvent(signal, 'abort'))));
}

/** An iterator is closed even while its next item is awaited, which may never come. */
async function* itemsOf<T>(
  source: AsyncIterable<T> | Iterable<T>,
  signal: AbortSignal,
): AsyncGenerator<T, void, undefined> {
  if (signal.aborted) return;
  if (!(Symbol.asyncIterator in source)) {
    yield* source;
    return;
  }
  const iterator = source[Symbol.asyncIterator]();
  const close = (): void => void closed(iterator);
  signal.addEventListener('abort', close);
  try {
    yield* { [Symbol.asyncIterator]: () => iterator };
  } finally {
    signal.removeEventListener('abort', close);
  }
}

async function closed(iterator: AsyncIterator<unknown>): Promise<void> {
  try {
    await iterator.return?.();
  } catch {
    // The call is over, so there is no one to report the error to.
  }
}

/** The values of an Observable, kept until they are asked for; unsubscribes when the reader stops early. */
async function* valuesOf<T>(source: Observable<T>, signal: AbortSignal): AsyncGenerator<T, void, undefined> {
  const values: T[] = [];
  let end: { readonly error?: unknown } | undefined;
  let wake = (): void => {};
  const ended = (how: { readonly error?: unknown }): void => {
    end ??= how;
    wake();
  };
  const subscription = source.subscribe({
    next: (value) => {
      values.push(value);
      wake();
    },
    error: (error: unknown) => ended({ error }),
    complete: () => ended({}),
  });
  const over = (): void => {
    subscription.unsubscribe();
    ended({});
  };
  signal.addEventListener('abort', over);
  if (signal.aborted) over();
  try {
    for (;;) {
      while (values.length > 0) yield values.shift()!;
      if (end && 'error' in end) throw end.error;
      if (end) return;
      await new Promise<void>((resolve) => (wake = resolve));
    }
  } finally {
    signal.removeEventListener('abort', over);
    subscription.unsubscribe();
  }
}
