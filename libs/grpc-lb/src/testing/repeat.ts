import { firstValueFrom, isObservable, type Observable } from 'rxjs';
import { GrpcLbArgumentError } from '../core/errors.js';
import { shown } from '../core/options/validation.js';

/** How calls ended. */
export interface RepeatedCalls<T> {
  /** The answers, in the order in which they came. */
  readonly answers: readonly T[];
  /** The errors of the calls that failed. */
  readonly errors: readonly Error[];
}

/** How calls are made. */
export interface RepeatOptions {
  /**
   * How many calls run at a time.
   *
   * @default 10
   */
  readonly concurrent?: number;
}

/**
 * Makes a call many times, and waits until all have ended. It never rejects because a call fails: look at `errors`.
 *
 * @param call Makes the call number `i`: an Observable, of which the first value counts, or a promise.
 * @throws GrpcLbArgumentError if a number is not a whole number from 1.
 * @example
 *   const { errors } = await repeat(100, () => orders.find({ id: '7' }));
 */
export async function repeat<T>(
  times: number,
  call: (i: number) => Observable<T> | PromiseLike<T>,
  { concurrent = 10 }: RepeatOptions = {},
): Promise<RepeatedCalls<T>> {
  for (const [name, value] of Object.entries({ times, concurrent })) {
    if (!Number.isInteger(value) || value < 1)
      throw new GrpcLbArgumentError(`repeat: ${name} is ${shown(value)}; use a whole number from 1`);
  }
  const answers: T[] = [];
  const errors: Error[] = [];
  let next = 0;
  const work = async (): Promise<void> => {
    while (next < times) {
      try {
        const made = call(next++);
        answers.push(await (isObservable(made) ? firstValueFrom(made) : made));
      } catch (error) {
        errors.push(error as Error);
      }
    }
  };
  await Promise.all(Array.from({ length: Math.min(concurrent, times) }, work));
  return { answers, errors };
}
