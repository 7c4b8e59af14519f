import { LazyPeer } from '../../peers/lazy-peer.js';
import type { EsDefinition, EsMessageDescriptor } from './definition-types.js';
import type { DefinedMethod, DefinedService } from './defined-service.js';
import { bufferOf, bytesOf } from './generic-codec.js';

/** What is used of `@bufbuild/protobuf`. */
interface EsRuntime {
  create(type: EsMessageDescriptor, init: unknown): object;
  toBinary(type: EsMessageDescriptor, message: object): Uint8Array;
  fromBinary(type: EsMessageDescriptor, bytes: Uint8Array): object;
}

const NAME = '@bufbuild/protobuf';

/** Not a literal, so that bundlers do not look for it in applications that have none. */
export const esRuntime = new LazyPeer<EsRuntime>(
  NAME,
  () => import(/* webpackIgnore: true */ /* @vite-ignore */ NAME) as Promise<EsRuntime>,
);

/** By the number in google.protobuf.MethodOptions.IdempotencyLevel. */
const IDEMPOTENCY_LEVELS = ['IDEMPOTENCY_UNKNOWN', 'NO_SIDE_EFFECTS', 'IDEMPOTENT'];

/**
 * The service of a descriptor of `@bufbuild/protobuf`.
 *
 * @throws GrpcLbPeerError if the package is not installed.
 */
export function esService({ name, typeName, method }: EsDefinition, subject: string): DefinedService {
  const runtime = esRuntime.get(`${subject}: the definition of ${typeName}`);
  return {
    name,
    fullName: typeName,
    methods: Object.entries(method).map(([localName, each]): DefinedMethod => {
      const { methodKind: kind, input, output } = each;
      return {
        path: `/${typeName}/${each.name}`,
        requestStream: kind === 'client_streaming' || kind === 'bidi_streaming',
        responseStream: kind === 'server_streaming' || kind === 'bidi_streaming',
        requestSerialize: serializerOf(runtime, input),
        requestDeserialize: deserializerOf(runtime, input),
        responseSerialize: serializerOf(runtime, output),
        responseDeserialize: deserializerOf(runtime, output),
        localName,
        options: { idempotency_level: IDEMPOTENCY_LEVELS[each.idempotency] },
        requestFields: input.members.map((member) => member.localName),
      };
    }),
  };
}

function serializerOf(runtime: EsRuntime, type: EsMessageDescriptor): (message: unknown) => Buffer {
  // `create` returns a message as it is.
  return (message) => bufferOf(runtime.toBinary(type, runtime.create(type, message)));
}

function deserializerOf(runtime: EsRuntime, type: EsMessageDescriptor): (bytes: Buffer) => object {
  return (bytes) => runtime.fromBinary(type, bytesOf(bytes));
}
