import { Metadata, type ServiceError, status as Status, type StatusObject } from '@grpc/grpc-js';
import { LOOKS_LIKE_SECONDS_MS } from '../../grpc/call/deadline-text.js';

/**
 * The error of a call that has failed, as Observables, Promises and loops of the client get it: a `ServiceError` of
 * grpc-js with the names of what was called. `details` stays what the server said. The properties are absent from errors
 * that no call of this package has ended with, such as those of grpc-js's own clients.
 *
 * @example
 *   const { code, client, method, peer } = error as GrpcLbServiceError;
 *   console.warn(`${method} of ${client} at ${peer ?? 'no backend'} failed with ${code}`);
 */
export interface GrpcLbServiceError extends ServiceError {
  /** The name of the client. */
  readonly client?: string;
  /** As in `/orders.v1.Orders/Find`. */
  readonly method?: string;
  /** The backend that the call was sent to last, IP and port; absent if it was not sent. */
  readonly peer?: string;
}

export interface CallNames {
  readonly client: string;
  /** As in `/orders.v1.Orders/Find`. */
  readonly method: string;
}

/** What is known of a call whose error is made. */
export interface FailedCall extends CallNames {
  readonly peer: string | undefined;
  /** Milliseconds from its start to its deadline, if known. */
  readonly timeout?: number | undefined;
}

const SECONDS_FOR_MILLISECONDS = 'times are in milliseconds, as in { timeout: 5000 } for 5 s';

/** What statuses mean that a new client or server often gets, in the words of grpc-js, Go, Java and the C core. */
const MEANINGS: readonly (readonly [code: Status, details: RegExp, meaning: string])[] = [
  [
    Status.UNIMPLEMENTED,
    /does not implement the method|^unknown (?:service|method) |^method not found/i,
    'the server has no such method: check the address, and its package and service against its proto file',
  ],
  [Status.DEADLINE_EXCEEDED, /^Deadline exceeded after 0\.0[0-5]\d?s/, SECONDS_FOR_MILLISECONDS],
];

/** In the message alone: `details` stays what was received. */
function meaningOf({ code, details }: Pick<StatusObject, 'code' | 'details'>, call: FailedCall | undefined): string {
  if (!call) return '';
  // The server knows the deadline too, and may say first that it has passed, without the time.
  const isShort =
    code === Status.DEADLINE_EXCEEDED && call.timeout !== undefined && call.timeout < LOOKS_LIKE_SECONDS_MS;
  const known = MEANINGS.find((each) => each[0] === code && each[1].test(details));
  const meaning = isShort ? SECONDS_FOR_MILLISECONDS : known?.[2];
  return meaning === undefined ? '' : ` (client ${call.client}: ${meaning})`;
}

/** Adds what is known of the call. */
export function named<E extends Error>(error: E, { client, method, peer }: FailedCall): E {
  return Object.assign(error, { client, method }, peer === undefined ? undefined : { peer });
}

/** An error like those of grpc-js's clients. With its call the message may say what to do. */
export function serviceError(
  {
    code,
    details,
    metadata = new Metadata(),
  }: Omit<StatusObject, 'metadata'> & Partial<Pick<StatusObject, 'metadata'>>,
  cause?: unknown,
  call?: FailedCall,
): GrpcLbServiceError {
  const message = `${code} ${Status[code]}: ${details}${meaningOf({ code, details }, call)}`;
  const error = new Error(message, cause === undefined ? undefined : { cause });
  const failure = Object.assign(error, { code, details, metadata });
  return call ? named(failure, call) : failure;
}

/** The error of a call that ends on this side. */
export function cancelled(details: string, cause?: unknown): Error {
  return serviceError({ code: Status.CANCELLED, details }, cause);
}

/** The error of a call whose signal is aborted. */
export function aborted(signal: AbortSignal): Error {
  return cancelled('The call was cancelled by its AbortSignal', signal.reason);
}
