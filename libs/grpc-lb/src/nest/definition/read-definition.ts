import type { Fault } from '../../core/errors.js';
import { isObject, shown } from '../../core/options/validation.js';
import type { EsDefinition, GenericDefinition, GenericMethod, GrpcJsDefinition } from './definition-types.js';
import type { DefinedMethod, DefinedService } from './defined-service.js';
import { esService } from './es-codec.js';
import { genericService } from './generic-codec.js';

const REMEDY =
  'use a service of generated code: OrdersService of ts-proto with outputServices=grpc-js, OrdersDefinition with outputServices=generic-definitions, or Orders of protoc-gen-es';

/**
 * The service that a definition defines, in any of its forms; undefined with faults.
 *
 * @param subject For errors, as in `client ORDERS`.
 * @throws GrpcLbPeerError if the package of its form is not installed.
 */
export function readDefinition(
  subject: string,
  path: string,
  value: unknown,
  faults: Fault[],
): DefinedService | undefined {
  const before = faults.length;
  if (isEsDefinition(value)) {
    for (const [name, method] of Object.entries(value.method)) checkEs(`${path}.method.${name}`, method, faults);
    return faults.length > before ? undefined : withMethods(path, esService(value, subject), faults);
  }
  if (isGenericDefinition(value)) {
    for (const [name, method] of Object.entries(value.methods)) checkGeneric(`${path}.methods.${name}`, method, faults);
    return faults.length > before ? undefined : withMethods(path, genericService(value), faults);
  }
  const methods = Object.values(recordOf(value) ?? {});
  if (methods.length > 0 && methods.every((method) => typeof recordOf(method)?.['path'] === 'string'))
    return grpcJsService(path, value as GrpcJsDefinition, faults);
  faults.push({ path, message: `${describe(value)}; ${hintFor(value)}` });
  return undefined;
}

/** The name of the service that a valid definition defines; undefined for any other value. */
export function nameOfDefinition(value: unknown): string | undefined {
  if (isEsDefinition(value) || isGenericDefinition(value)) return value.name;
  const [method] = Object.values(recordOf(value) ?? {});
  const path = recordOf(method)?.['path'];
  return typeof path === 'string' ? serviceName(path.split('/')[1] ?? '') : undefined;
}

/** Without its package. */
function serviceName(fullName: string): string {
  return fullName.slice(fullName.lastIndexOf('.') + 1);
}

/** Whether it is a service descriptor of `@bufbuild/protobuf` 2. */
export function isEsDefinition(value: unknown): value is EsDefinition {
  const { kind, name, typeName, method } = recordOf(value) ?? {};
  return (
    kind === 'service' && typeof name === 'string' && typeof typeName === 'string' && recordOf(method) !== undefined
  );
}

function isGenericDefinition(value: unknown): value is GenericDefinition {
  const { name, fullName, methods } = recordOf(value) ?? {};
  return typeof name === 'string' && typeof fullName === 'string' && recordOf(methods) !== undefined;
}

function withMethods(path: string, service: DefinedService, faults: Fault[]): DefinedService | undefined {
  if (service.methods.length === 0) {
    faults.push({ path, message: `is the service ${service.fullName}, which has no methods; use another one` });
    return undefined;
  }
  const wrong = service.methods.find((method) => !isPath(method.path));
  if (!wrong) return service;
  faults.push({
    path,
    message: `has a method with the path ${shown(wrong.path)}, not /package.Service/Method; ${REMEDY}`,
  });
  return undefined;
}

function isPath(path: string): boolean {
  return /^\/[^/]+\/[^/]+$/.test(path);
}

const METHOD_KINDS: ReadonlySet<unknown> = new Set(['unary', 'server_streaming', 'client_streaming', 'bidi_streaming']);

function checkEs(path: string, value: unknown, faults: Fault[]): void {
  const { name, methodKind, input, output } = recordOf(value) ?? {};
  const areMessages = [input, output].every((type) => recordOf(type)?.['kind'] === 'message');
  if (
    typeof name === 'string' &&
    METHOD_KINDS.has(methodKind) &&
    areMessages &&
    Array.isArray(recordOf(input)!['members'])
  )
    return;
  const message = 'is not a method of protoc-gen-es 2, which has a name, a methodKind, an input and an output';
  faults.push({ path, message: `${message}; ${REMEDY}` });
}

function checkGeneric(path: string, value: unknown, faults: Fault[]): void {
  const { name, requestType, responseType, requestStream, responseStream } = (value ?? {}) as Partial<GenericMethod>;
  const isWhole =
    typeof name === 'string' &&
    [requestType, responseType].every(isGenericMessage) &&
    [requestStream, responseStream].every((streams) => typeof streams === 'boolean');
  if (isWhole) return;
  const message = 'is not a method of ts-proto, whose requestType and responseType have encode and decode';
  faults.push({ path, message: `${message}; generate the code without outputEncodeMethods=false` });
}

function isGenericMessage(type: Partial<GenericMethod['requestType']> | undefined): boolean {
  const isFunction = (value: unknown): boolean => typeof value === 'function';
  return (
    isFunction(type?.encode) &&
    isFunction(type?.decode) &&
    (type?.fromPartial === undefined || isFunction(type.fromPartial))
  );
}

/** All its methods belong to one service, which only their paths name. */
function grpcJsService(path: string, definition: GrpcJsDefinition, faults: Fault[]): DefinedService | undefined {
  const before = faults.length;
  const services = new Set<string>();
  const methods = Object.entries(definition).map(([key, method]): DefinedMethod => {
    const { requestSerialize, responseDeserialize, requestStream, responseStream } = method;
    const [, service = ''] = method.path.split('/');
    const isWhole =
      isPath(method.path) &&
      typeof requestSerialize === 'function' &&
      typeof responseDeserialize === 'function' &&
      typeof requestStream === 'boolean' &&
      typeof responseStream === 'boolean';
    if (!isWhole) {
      const message = `is not a method of grpc-js: it has the path ${shown(method.path)}, and needs requestSerialize, responseDeserialize, requestStream and responseStream`;
      faults.push({ path: `${path}.${key}`, message: `${message}; ${REMEDY}` });
    }
    services.add(service);
    // The keys of proto-loader are the names in the proto file, those of generators the names of their methods.
    const { originalName } = method as { readonly originalName?: string };
    return originalName === undefined ? { ...method, localName: key } : { ...method, originalName };
  });
  if (faults.length > before) return undefined;
  const [fullName = '', other] = services;
  if (other !== undefined) {
    faults.push({
      path,
      message: `has methods of ${[...services].join(' and ')}; use one service, or a list of services`,
    });
    return undefined;
  }
  return { name: serviceName(fullName), fullName, methods };
}

function describe(value: unknown): string {
  if (typeof value === 'function') return `is the class ${value.name}`;
  const parts = recordOf(value);
  if (!parts) return `is ${shown(value)}`;
  const { kind, typeName } = parts;
  if (typeof kind === 'string') return `is a descriptor of a ${kind}`;
  if (typeof typeName === 'string') return `is the service ${typeName} of @bufbuild/protobuf 1`;
  return Object.keys(parts).length === 0 ? 'has no methods' : 'is not a service';
}

/** What to pass instead, by what is often taken for a service. */
function hintFor(value: unknown): string {
  if (typeof value === 'function' && 'service' in value) return `use ${value.name}.service`;
  if (value === undefined) return `is there a circular import? Otherwise ${REMEDY}`;
  const parts = recordOf(value) ?? {};
  if (parts['kind'] === 'file') return 'use one of the services of the file, as in Orders of orders_pb';
  if (parts['kind'] === undefined && typeof parts['typeName'] === 'string') return 'generate it with protoc-gen-es 2';
  const isPackage = Object.values(parts).some((part) => typeof recordOf(part)?.['format'] === 'string');
  return isPackage ? 'set what loadSync() returns as packageDefinition' : REMEDY;
}

function recordOf(value: unknown): Readonly<Record<string, unknown>> | undefined {
  return isObject(value) ? (value as Readonly<Record<string, unknown>>) : undefined;
}
