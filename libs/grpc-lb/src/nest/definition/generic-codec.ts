import type { GenericDefinition, GenericMessage } from './definition-types.js';
import type { DefinedMethod, DefinedService } from './defined-service.js';

/** The service of a generic definition of ts-proto. */
export function genericService({ name, fullName, methods }: GenericDefinition): DefinedService {
  return {
    name,
    fullName,
    methods: Object.entries(methods).map(([localName, method]): DefinedMethod => {
      const request = codecOf(method.requestType);
      const response = codecOf(method.responseType);
      const { idempotencyLevel } = (method.options ?? {}) as { readonly idempotencyLevel?: unknown };
      return {
        path: `/${fullName}/${method.name}`,
        requestStream: method.requestStream,
        responseStream: method.responseStream,
        requestSerialize: request.serialize,
        requestDeserialize: request.deserialize,
        responseSerialize: response.serialize,
        responseDeserialize: response.deserialize,
        localName,
        options: { idempotency_level: idempotencyLevel },
        ...fieldsOf(method.requestType),
      };
    }),
  };
}

function codecOf(type: GenericMessage): {
  readonly serialize: (message: unknown) => Buffer;
  readonly deserialize: (bytes: Buffer) => unknown;
} {
  return {
    serialize: (message) => bufferOf(type.encode(type.fromPartial ? type.fromPartial(message) : message).finish()),
    deserialize: (bytes) => type.decode(bytesOf(bytes)) as unknown,
  };
}

/** With `fromPartial` an empty message has all its fields; without, those that are optional may be missing. */
function fieldsOf(type: GenericMessage): Pick<DefinedMethod, 'requestFields'> {
  const empty: unknown = type.fromPartial?.({});
  if (typeof empty !== 'object' || empty === null) return {};
  return { requestFields: Object.keys(empty).filter((name) => name !== '$type' && name !== '_unknownFields') };
}

/** The same bytes as a Buffer, which grpc-js sends. */
export function bufferOf(bytes: Uint8Array): Buffer {
  return Buffer.isBuffer(bytes) ? bytes : Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
}

/** The same bytes as the plain array that generated code promises for fields of bytes, which are parts of it. */
export function bytesOf(buffer: Buffer): Uint8Array {
  return new Uint8Array(buffer.buffer, buffer.byteOffset, buffer.byteLength);
}
