import { Metadata, type ServiceError, status as Status, type StatusObject } from '@grpc/grpc-js';

/** What statuses mean that a new client or server often gets, in the words of grpc-js, Go, Java and the C core. */
const MEANINGS: readonly (readonly [code: Status, details: RegExp, meaning: string])[] = [
  [
    Status.UNIMPLEMENTED,
    /does not implement the method|^unknown (?:service|method) |^method not found/i,
    'the server has no such method: check the address, and its package and service against its proto file',
  ],
  [
    Status.DEADLINE_EXCEEDED,
    /^Deadline exceeded after 0\.0[0-5]\d?s/,
    'times are in milliseconds, as in { timeout: 5000 } for 5 s',
  ],
];

/** In the message alone: `details` stays what was received. */
function meaningOf({ code, details }: Pick<StatusObject, 'code' | 'details'>, client: string | undefined): string {
  const known = MEANINGS.find((each) => each[0] === code && each[1].test(details));
  return known && client !== undefined ? ` (client ${client}: ${known[2]})` : '';
}

/** An error like those of grpc-js's clients. With the name of the client the message may say what to do. */
export function serviceError(
  {
    code,
    details,
    metadata = new Metadata(),
  }: Omit<StatusObject, 'metadata'> & Partial<Pick<StatusObject, 'metadata'>>,
  cause?: unknown,
  client?: string,
): ServiceError {
  const message = `${code} ${Status[code]}: ${details}${meaningOf({ code, details }, client)}`;
  const error = new Error(message, cause === undefined ? undefined : { cause });
  return Object.assign(error, { code, details, metadata });
}

/** The error of a call that ends on this side. */
export function cancelled(details: string, cause?: unknown): Error {
  return serviceError({ code: Status.CANCELLED, details }, cause);
}

/** The error of a call whose signal is aborted. */
export function aborted(signal: AbortSignal): Error {
  return cancelled('The call was cancelled by its AbortSignal', signal.reason);
}
