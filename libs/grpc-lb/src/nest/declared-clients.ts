import type { Type } from '@nestjs/common';
import { mergeLoadBalancing } from '../core/options/load-balancing.js';
import { type Fault, GrpcLbOptionsError } from '../core/errors.js';
import { isObject, shown } from '../core/options/validation.js';
import type { GrpcLbClientOptions } from './client-options.js';
import { clientDeclaration } from './decorators/metadata.js';
import { mergeTls } from './merge-tls.js';
import { CLIENT_PROPERTY } from './grpc-service.js';
import { isDefined } from './stub/service-definitions.js';
import type { GrpcLbClientItem } from './module-options.js';
import type { ClientRef } from './tokens.js';

/** A client as the code declares it. */
export interface DeclaredClient {
  readonly name: string;
  readonly options: GrpcLbClientOptions;
  /** Its class or its token. */
  readonly ref: ClientRef;
  /** Faults found so far, such as two policies on one class. */
  readonly faults?: readonly Fault[];
  /** The factory of the options, and its arguments. */
  readonly madeBy?: readonly unknown[];
}

/** `Transport.GRPC` of @nestjs/microservices. */
export const GRPC_TRANSPORT: number = 4;
/** By their number in `Transport`, for messages. */
const TRANSPORTS = ['TCP', 'REDIS', 'NATS', 'MQTT', 'GRPC', 'RMQ', 'KAFKA'];

/** The name under which a client is known in snapshots, events and errors. */
export function clientName(client: ClientRef): string {
  if (typeof client === 'symbol') return client.description ?? String(client);
  return typeof client === 'string' ? client : (clientDeclaration(client)?.client.name ?? client.name);
}

/** A class as its decorators declare it, completed and overridden by `more`. */
export function declaredClass(target: Type, more: Partial<GrpcLbClientOptions> = {}): DeclaredClient {
  const declaration = clientDeclaration(target);
  if (!declaration) {
    throw new GrpcLbOptionsError(`client ${target.name}`, [
      {
        path: '@GrpcLbClient',
        message:
          'is missing on the class; decorate the class with @GrpcLbClient({ package, service, protoPath, target })',
      },
    ]);
  }
  const { name, service, loadBalancing: _, tls: __, ...options } = declaration.client;
  // Faults for each of its fields would mislead.
  if ('options' in options || 'transport' in options) {
    throw new GrpcLbOptionsError(`client ${name ?? target.name}`, [
      {
        path: '@GrpcLbClient',
        message:
          'has { transport, options }, an item of ClientsModule; write the options alone, as in { package, service, protoPath, target }',
      },
    ]);
  }
  const faults: Fault[] = declaration.conflicts.map(([key, decorators]) => ({
    path: key === 'tls' ? key : `loadBalancing.${key}`,
    message: `is declared by ${decorators.join(' and ')}; keep one`,
  }));
  if (!(CLIENT_PROPERTY in (target.prototype as object))) {
    faults.push({
      path: '@GrpcLbClient',
      message: 'is on a class without methods to call; extend GrpcService<T>()',
    });
  }
  if (declaration.hasTwoDefinitions)
    faults.push({ path: 'definition', message: 'is another one than that of GrpcService(); keep one of them' });
  faults.push(...serviceFaults(service, { ...options, ...more }));
  const loadBalancing = mergeLoadBalancing(declaration.loadBalancing, more.loadBalancing);
  const tls = mergeTls(declaration.tls, more.tls);
  const resumable = more.resumable ?? declaration.resumable;
  return {
    ref: target,
    name: name ?? target.name,
    options: {
      ...options,
      ...more,
      ...(tls === undefined ? {} : { tls }),
      ...(resumable && { resumable }),
      loadBalancing,
    },
    faults,
  };
}

/** A class calls one service: that of its definition, or one of its package. */
function serviceFaults(service: unknown, options: Partial<GrpcLbClientOptions>): Fault[] {
  if (!isDefined(options)) {
    if (typeof service === 'string' && service !== '') return [];
    return [{ path: 'service', message: `is ${shown(service)}; set the service of the proto file` }];
  }
  const faults: Fault[] = [];
  if (service !== undefined)
    faults.push({ path: 'service', message: 'is set together with definition, which says it all; remove it' });
  if (Array.isArray(options.definition))
    faults.push({ path: 'definition', message: 'is a list; a class calls one service, so declare a class for each' });
  return faults;
}

/** @throws GrpcLbOptionsError if checking the options further would only report consequential faults. */
export function declaredItem({ name, ...item }: GrpcLbClientItem): DeclaredClient {
  const client = clientName(name);
  return { ref: name, name: client, ...checkedItem(client, item) };
}

/**
 * A client whose options a factory has created, alone or as an item of `ClientsModule`. `factory` is the user's name for
 * it, for errors.
 *
 * @throws GrpcLbOptionsError if it created neither, or an item of another transport.
 */
export function declaredByFactory(ref: ClientRef, made: unknown, factory: string): DeclaredClient {
  const client = clientName(ref);
  if (made !== undefined && !isObject(made)) {
    const remedy = 'return the options of the client, as in { url, package, protoPath }';
    throw new GrpcLbOptionsError(`client ${client}`, [{ path: factory, message: `returns ${shown(made)}; ${remedy}` }]);
  }
  const isItem = made !== undefined && ('options' in made || 'transport' in made);
  const item = (isItem ? made : { options: made }) as Partial<GrpcLbClientItem>;
  const { options, faults } = checkedItem(client, item);
  if (typeof ref !== 'function') return { ref, name: client, options, faults };
  const declared = declaredClass(ref, options);
  return { ...declared, faults: [...declared.faults!, ...faults] };
}

function checkedItem(
  client: string,
  { transport, options, ...rest }: Partial<GrpcLbClientItem>,
): { readonly options: GrpcLbClientOptions; readonly faults: readonly Fault[] } {
  const others = Object.keys(rest);
  if (transport !== undefined && transport !== GRPC_TRANSPORT) {
    const found = TRANSPORTS[transport] ?? shown(transport);
    throw new GrpcLbOptionsError(`client ${client}`, [
      {
        path: 'transport',
        message: `is ${found}; only gRPC is balanced, so keep this item in ClientsModule of @nestjs/microservices`,
      },
    ]);
  }
  if (options === undefined && others.length > 0) {
    throw new GrpcLbOptionsError(`client ${client}`, [
      {
        path: 'options',
        message: `is missing; move ${others.join(', ')} to options, as in { name, options: { ... } }`,
      },
    ]);
  }
  const faults = others.map((key) => ({
    path: key,
    message: 'is not a field of a client item; move it to options',
  }));
  return { options: options ?? {}, faults };
}
