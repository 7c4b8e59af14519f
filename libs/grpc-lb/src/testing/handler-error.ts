import { Metadata, type ServiceError, status as Status } from '@grpc/grpc-js';
import { shown } from '../core/options/validation.js';
import { serviceError } from '../nest/stub/service-error.js';

/** The error of a handler, which may throw anything, as a server answers it. */
export function handlerError(error: unknown): ServiceError {
  const { code, details, message, metadata } = (error ?? {}) as Partial<Record<keyof ServiceError, unknown>>;
  const known = Number.isInteger(code) && Status[code as Status] !== undefined;
  const status = {
    code: known ? (code as Status) : Status.UNKNOWN,
    details: [details, message].find((text) => typeof text === 'string') ?? shown(error),
    metadata: isMetadata(metadata) ? metadata : new Metadata(),
  };
  return serviceError(status, error);
}

/** An error of another library may have metadata of a class of its own, as `Headers`. */
function isMetadata(value: unknown): value is Metadata {
  return typeof (value as Partial<Metadata> | null | undefined)?.toHttp2Headers === 'function';
}
