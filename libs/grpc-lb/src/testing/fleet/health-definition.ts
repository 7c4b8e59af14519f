import type { MethodDefinition, ServiceDefinition } from '@grpc/grpc-js';
import { decodeStatus, encodeRequest, type ServingStatus, STATUSES } from '../../grpc/endpoint/health-messages.js';
import { isWellFormed, LENGTH_DELIMITED, VARINT, WireReader } from '../../grpc/endpoint/wire-reader.js';

/** As in grpc/health/v1/health.proto. */
const HEALTH_SERVICE = 'grpc.health.v1.Health';

/** An object: grpc-js does not take an empty text for a message. */
export interface HealthRequest {
  readonly service: string;
}

/** The service, for a server of grpc-js; written out, so that a fleet of generated code needs no proto-loader. */
export const healthDefinition: ServiceDefinition = { Check: method('Check', false), Watch: method('Watch', true) };

/** Whether a service is the health service, which the user serves then. */
export function servesHealth(service: ServiceDefinition): boolean {
  return Object.values(service).some(({ path }) => path.startsWith(`/${HEALTH_SERVICE}/`));
}

function method(name: string, responseStream: boolean): MethodDefinition<HealthRequest, ServingStatus> {
  return {
    path: `/${HEALTH_SERVICE}/${name}`,
    requestStream: false,
    responseStream,
    requestSerialize: ({ service }) => encodeRequest(service),
    requestDeserialize: decodeRequest,
    responseSerialize: (status) => Buffer.from([(1 << 3) | VARINT, STATUSES.indexOf(status)]),
    responseDeserialize: (bytes) => decodeStatus(bytes) as ServingStatus,
  };
}

function decodeRequest(bytes: Buffer): HealthRequest {
  let service = '';
  const reader = new WireReader(bytes);
  const readable = isWellFormed(reader, (field, wireType) => {
    if (field === 1 && wireType === LENGTH_DELIMITED) service = reader.text();
    else reader.skipField(wireType);
  });
  if (!readable) throw new RangeError('the request of the health service is cut');
  return { service };
}
