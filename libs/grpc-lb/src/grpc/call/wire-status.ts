import { type Metadata, status as Status, type StatusObject } from '@grpc/grpc-js';

/** Codes that a control plane must not return (gRFC A54), because a server might have sent them. */
const INAPPROPRIATE = new Set<Status>([
  Status.OK,
  Status.INVALID_ARGUMENT,
  Status.NOT_FOUND,
  Status.ALREADY_EXISTS,
  Status.FAILED_PRECONDITION,
  Status.ABORTED,
  Status.OUT_OF_RANGE,
  Status.DATA_LOSS,
]);

/** A status from credentials or balancing as the caller gets it (gRFC A54). */
export function controlPlaneStatus(code: Status, details: string): { readonly code: Status; readonly details: string } {
  if (!INAPPROPRIATE.has(code)) return { code, details };
  return { code: Status.INTERNAL, details: `Invalid status from control plane: ${code} ${Status[code]} ${details}` };
}

/**
 * Whether grpc-js ended the stream on this side because a response exceeded `maxReceiveMessageLength`. It reports that
 * like a status of the peer, but without trailers.
 */
export function isReceiveLimit({ code, details, metadata }: StatusObject): boolean {
  return (
    code === Status.RESOURCE_EXHAUSTED &&
    details.startsWith('Received message larger than max (') &&
    Object.keys(metadata.getMap()).length === 0
  );
}

/** `grpc-retry-pushback-ms` in milliseconds (gRFC A6); NaN if it cannot be read, undefined if there is none. */
export function retryPushback(metadata: Metadata): number | undefined {
  const [value] = metadata.get('grpc-retry-pushback-ms');
  if (value === undefined) return undefined;
  return typeof value === 'string' && /^-?\d+$/.test(value) ? Number(value) : Number.NaN;
}
