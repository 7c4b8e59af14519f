import { isObservable, lastValueFrom, type Observable } from 'rxjs';

/** The message that a handler answers a unary call with. */
export async function messageOf(answer: unknown): Promise<object> {
  const settled = await answer;
  const message: unknown = isObservable(settled) ? await lastValueFrom(settled) : settled;
  // A handler may return nothing: every field of a message may be left out.
  return message ?? {};
}

/** The messages of a stream that a handler answers with. @throws TypeError if the answer is not a stream. */
export async function* messagesOf(answer: unknown): AsyncGenerator<object, void, undefined> {
  const settled = await answer;
  if (isObservable(settled)) yield* valuesOf(settled as Observable<object>);
  else if (isIterable(settled)) yield* settled;
  else if (settled !== undefined && settled !== null)
    throw new TypeError('the handler of a stream returned one message; return an array, an iterable or an Observable');
}

function isIterable(value: unknown): value is AsyncIterable<object> | Iterable<object> {
  return typeof value === 'object' && value !== null && (Symbol.asyncIterator in value || Symbol.iterator in value);
}

/** The values of an Observable, kept until they are asked for; unsubscribes when the reader stops early. */
async function* valuesOf<T>(source: Observable<T>): AsyncGenerator<T, void, undefined> {
  const values: T[] = [];
  let end: { readonly error?: unknown } | undefined;
  let wake = (): void => {};
  const subscription = source.subscribe({
    next: (value) => {
      values.push(value);
      wake();
    },
    error: (error: unknown) => {
      end = { error };
      wake();
    },
    complete: () => {
      end = {};
      wake();
    },
  });
  try {
    for (;;) {
      while (values.length > 0) yield values.shift()!;
      if (end && 'error' in end) throw end.error;
      if (end) return;
      await new Promise<void>((resolve) => (wake = resolve));
    }
  } finally {
    subscription.unsubscribe();
  }
}
