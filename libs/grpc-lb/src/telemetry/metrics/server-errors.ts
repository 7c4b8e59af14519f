import { status as Status } from '@grpc/grpc-js';

/** OpenTelemetry's conventions for gRPC servers: "The following status codes SHOULD be considered errors". */
const ERRORS: ReadonlySet<number> = new Set([
  Status.UNKNOWN,
  Status.DEADLINE_EXCEEDED,
  Status.UNIMPLEMENTED,
  Status.INTERNAL,
  Status.UNAVAILABLE,
  Status.DATA_LOSS,
]);

/** Whether a status of a server is an error; otherwise it is the caller's. */
export function isServerError(code: number): boolean {
  return ERRORS.has(code);
}
