import { Metadata, type ServiceError, status as Status, type StatusObject } from '@grpc/grpc-js';

/** An error like those of grpc-js's clients. */
export function serviceError(
  {
    code,
    details,
    metadata = new Metadata(),
  }: Omit<StatusObject, 'metadata'> & Partial<Pick<StatusObject, 'metadata'>>,
  cause?: unknown,
): ServiceError {
  const error = new Error(`${code} ${Status[code]}: ${details}`, cause === undefined ? undefined : { cause });
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
