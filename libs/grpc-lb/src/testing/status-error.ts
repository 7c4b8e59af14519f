import { Metadata, type ServiceError, status as Status } from '@grpc/grpc-js';
import { GrpcLbArgumentError } from '../core/errors.js';
import { didYouMean, shown } from '../core/options/validation.js';

/** The name of a gRPC status of a call that fails, such as `UNAVAILABLE`. */
export type StatusName = Exclude<keyof typeof Status, 'OK'>;

const NAMES = Object.keys(Status).filter((name) => Number.isNaN(Number(name)) && name !== 'OK');

/**
 * Creates the error with which a handler fails its call, in a fleet and in a mocked client.
 *
 * @param code The name of the status.
 * @param details The text of the status.
 * @param trailers Metadata that the client gets with the status.
 * @throws GrpcLbArgumentError if there is no such status.
 * @example
 *   const handlers = { find: () => Promise.reject(statusError('NOT_FOUND', 'no order 7')) };
 */
export function statusError(
  code: StatusName,
  details: string = code,
  trailers: Readonly<Record<string, string>> = {},
): ServiceError {
  if (!NAMES.includes(code)) {
    throw new GrpcLbArgumentError(
      `status is ${shown(code)}${didYouMean(shown(code).replaceAll('"', ''), NAMES)}; use one of ${NAMES.join(', ')}`,
    );
  }
  const metadata = new Metadata();
  for (const [key, value] of Object.entries(trailers)) metadata.set(key, value);
  return Object.assign(new Error(`${Status[code]} ${code}: ${details}`), { code: Status[code], details, metadata });
}
