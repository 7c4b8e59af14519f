/** The gRPC status codes that can be a failure of an endpoint: all but OK and CANCELLED, which the caller causes. */
export const FAILURE_STATUS_NAMES = [
  'UNKNOWN',
  'INVALID_ARGUMENT',
  'DEADLINE_EXCEEDED',
  'NOT_FOUND',
  'ALREADY_EXISTS',
  'PERMISSION_DENIED',
  'RESOURCE_EXHAUSTED',
  'FAILED_PRECONDITION',
  'ABORTED',
  'OUT_OF_RANGE',
  'UNIMPLEMENTED',
  'INTERNAL',
  'UNAVAILABLE',
  'DATA_LOSS',
  'UNAUTHENTICATED',
] as const;

/** A gRPC status that can be a failure of an endpoint, by name. */
export type FailureStatus = (typeof FAILURE_STATUS_NAMES)[number];
