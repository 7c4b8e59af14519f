import type { ServiceDefinition } from '@grpc/grpc-js';
import type { DefinedMethod } from '../nest/definition/defined-service.js';

/**
 * A service whose answers may leave out fields, as handlers do. proto-loader, `fromPartial` of ts-proto and
 * `@bufbuild/protobuf` complete messages; `encode` of ts-proto does not.
 */
export function completing(service: ServiceDefinition): ServiceDefinition {
  return Object.fromEntries(
    Object.entries(service).map(([key, method]) => [key, isIncomplete(method) ? completed(method) : method]),
  );
}

/** Whether its messages are those of `encode`: proto-loader describes its types, and the other two know their fields. */
function isIncomplete(method: DefinedMethod): boolean {
  return method.requestFields === undefined && !('requestType' in method);
}

function completed<Method extends DefinedMethod>(method: Method): Method {
  const { responseSerialize, responseDeserialize } = method;
  return {
    ...method,
    responseSerialize: (answer: object) =>
      responseSerialize(
        isPlain(answer) ? Object.assign(responseDeserialize(Buffer.alloc(0)) as object, answer) : answer,
      ),
  };
}

/** Messages of classes, as of google-protobuf, are whole. */
function isPlain(answer: object): boolean {
  return Object.getPrototypeOf(answer) === Object.prototype;
}
