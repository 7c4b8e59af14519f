import { textField } from './text-field.js';
import { isWellFormed, VARINT, WireReader } from './wire-reader.js';

export const WATCH_PATH = '/grpc.health.v1.Health/Watch';

/** By number, as in grpc/health/v1/health.proto. */
export const STATUSES = ['UNKNOWN', 'SERVING', 'NOT_SERVING', 'SERVICE_UNKNOWN'] as const;

/** The status of a service in `grpc.health.v1`. */
export type ServingStatus = (typeof STATUSES)[number];

/** A HealthCheckRequest, whose only field is the name of the service. */
export function encodeRequest(service: string): Buffer {
  return service === '' ? Buffer.alloc(0) : textField(1, service);
}

/** An answer takes two bytes; the rest allows for a few unknown fields. */
const MAX_BYTES = 1024;

/** The status of a HealthCheckResponse: a number if it is a newer one, undefined if the message is unreadable. */
export function decodeStatus(bytes: Buffer): ServingStatus | number | undefined {
  if (bytes.length > MAX_BYTES) return undefined;
  let status = 0;
  const reader = new WireReader(bytes);
  const readable = isWellFormed(reader, (field, wireType) => {
    if (field === 1 && wireType === VARINT) status = reader.varint();
    else reader.skipField(wireType);
  });
  return readable ? (STATUSES[status] ?? status) : undefined;
}
