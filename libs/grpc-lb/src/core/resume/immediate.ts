import { GrpcLbArgumentError } from '../errors.js';

/**
 * What a function of the user has returned, which must be there at once: a promise would be taken for an answer, such as
 * for a request without fields, with which a stream begins anew.
 *
 * @throws GrpcLbArgumentError if it is a promise.
 */
export function immediate<T>({ subject }: { readonly subject: string }, name: string, value: T): T {
  if (typeof (value as PromiseLike<unknown> | null | undefined)?.then !== 'function') return value;
  // What it is rejected with would end the process, and is not the cause.
  (value as PromiseLike<unknown>).then(undefined, () => {});
  throw new GrpcLbArgumentError(`${subject}: what ${name} returns is a promise; return the value itself`);
}
