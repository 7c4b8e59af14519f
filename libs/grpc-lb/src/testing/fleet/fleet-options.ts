import { isIP } from 'node:net';
import type { ServerOptions, ServiceDefinition } from '@grpc/grpc-js';
import type { Type } from '@nestjs/common';
import { type Fault, GrpcLbOptionsError } from '../../core/errors.js';
import { boolean, type Check, fields, integer, shown } from '../../core/options/validation.js';
import type { AnyClient, BackendCall, HandlersOf } from '../handlers.js';
import { clientDeclaration } from '../../nest/decorators/metadata.js';
import type { GrpcLbServiceDefinition } from '../../nest/definition/definition-types.js';
import { peersFor } from '../../nest/stub/service-definitions.js';
import { checkHandlerNames, type ProtoOptions, servicesOf, servicesOfClient } from '../served-services.js';
import type { BackendOptions } from './backend-options.js';
import { type FleetTls, fleetTls, type FleetTlsOptions } from './fleet-tls.js';

/**
 * What `createFleet` takes. The services come from exactly one of `client`, `definition`, `protoPath` and
 * `packageDefinition`; the last two need `package`.
 */
export interface FleetOptions<Client = AnyClient> extends ProtoOptions {
  /**
   * A class with `@GrpcLbClient`: the fleet serves all services of its package, and knows the types of the handlers.
   * Required without `definition`, `protoPath` and `packageDefinition`.
   */
  readonly client?: Type<Client>;
  /**
   * Services of generated code, as the option `definition` of a client takes them, or `OrdersClient.service` of grpc-js.
   *
   * @default none; required without `client`, `protoPath` and `packageDefinition`
   */
  readonly definition?: GrpcLbServiceDefinition | readonly GrpcLbServiceDefinition[];
  /**
   * How many backends there are, 0 to 1000; or a list of what discovery tells of each.
   *
   * @default 1
   */
  readonly backends?: number | readonly BackendOptions[];
  /**
   * Answers by method. A method without a handler answers an empty message, or an empty stream.
   *
   * @default {}
   */
  readonly handlers?: HandlersOf<NoInfer<Client>, BackendCall>;
  /**
   * Whether the backends serve `grpc.health.v1`, where all is `SERVING` until `setHealth`. A definition that has this
   * service serves it itself.
   *
   * @default true
   */
  readonly health?: boolean;
  /**
   * TLS. `true`: with certificates of a CA that is made in this process. `mutual`: clients need one of that CA, too. Or
   * PEM of your own. Clients of `fleet.client()` use `fleet.tls` by themselves, merged over `forRoot({ tls })`.
   *
   * @default false
   */
  readonly tls?: boolean | 'mutual' | FleetTlsOptions;
  /**
   * Options of the grpc-js servers.
   *
   * @default {}
   */
  readonly serverOptions?: ServerOptions;
}

const text: Check = (path, value, faults) => {
  if (typeof value !== 'string')
    faults.push({ path, message: `is ${shown(value)}; use a text, as in "eu-central-1a"` });
};

const host: Check = (path, value, faults) => {
  if (typeof value !== 'string' || isIP(value) === 0)
    faults.push({ path, message: `is ${shown(value)}; use an IP address of this machine, as in "127.0.0.2" or "::1"` });
};

/** Discovery drops endpoints that are not as it says; a fleet reports them. */
const checkBackend = fields({
  weight: integer({ min: 1, max: 4_294_967_295 }),
  priority: integer({ min: 0, max: 127 }),
  degraded: boolean,
  locality: fields({ region: text, zone: text, subZone: text }),
  maxConcurrentStreams: integer({ min: 1, max: 1_000_000 }),
  host,
  port: integer({ min: 1, max: 65_535 }),
});

/** @throws GrpcLbOptionsError that lists all faults. */
export function checkAdded(options: BackendOptions): void {
  const faults: Fault[] = [];
  checkBackend('options', options, faults);
  if (faults.length > 0) throw new GrpcLbOptionsError('add of the fleet', faults);
}

const SOURCES = ['client', 'definition', 'protoPath', 'packageDefinition'] as const;
const OTHERS = ['backends', 'handlers', 'health', 'tls', 'serverOptions', 'package', 'loader', 'protoLoader'];
const MAX_BACKENDS = 1000;

/** Loads the optional packages that the services need. */
export async function preparePeers({ client, ...own }: FleetOptions<never>): Promise<void> {
  const options = typeof client === 'function' ? clientDeclaration(client)?.client : own;
  await Promise.all(peersFor(options ?? {}).map((peer) => peer.prepare()));
}

/** What a fleet is made of. @throws GrpcLbOptionsError that lists all faults. */
export function checkedFleet(options: FleetOptions<never>): {
  readonly services: readonly ServiceDefinition[];
  readonly backends: readonly BackendOptions[];
  readonly tls: FleetTls | undefined;
} {
  const faults: Fault[] = [];
  const known: readonly string[] = [...SOURCES, ...OTHERS];
  for (const key of Object.keys(options).filter((each) => !known.includes(each)))
    faults.push({ path: key, message: `is not an option; the options here are ${known.join(', ')}` });
  if (options.health !== undefined) boolean('health', options.health, faults);
  const services = servicesFor(options, faults);
  if (services.length > 0) checkHandlerNames(options.handlers ?? {}, services, 'handlers.', faults);
  const backends = backendsOf(options.backends ?? 1, faults);
  const tls = fleetTls(options.tls, faults);
  if (faults.length > 0) throw new GrpcLbOptionsError('createFleet', faults);
  return { services, backends, tls };
}

function servicesFor(options: FleetOptions<never>, faults: Fault[]): readonly ServiceDefinition[] {
  const {
    client,
    backends: _backends,
    handlers: _handlers,
    health: _health,
    tls: _tls,
    serverOptions: _options,
    ...proto
  } = options;
  const given = SOURCES.filter((source) => options[source] !== undefined);
  if (given.length !== 1) {
    const found = given.length === 0 ? 'is missing' : `is set together with ${given.slice(1).join(' and ')}`;
    faults.push({ path: given[0] ?? 'client', message: `${found}; set exactly one of ${SOURCES.join(', ')}` });
    return [];
  }
  return client ? servicesOfClient(client, faults) : servicesOf('createFleet', proto, faults);
}

function backendsOf(backends: unknown, faults: Fault[]): readonly BackendOptions[] {
  if (Array.isArray(backends)) {
    backends.forEach((each, i) => checkBackend(`backends[${i}]`, each, faults));
    return backends as readonly BackendOptions[];
  }
  if (typeof backends === 'number' && Number.isInteger(backends) && backends >= 0 && backends <= MAX_BACKENDS)
    return Array.from({ length: backends }, () => ({}));
  faults.push({
    path: 'backends',
    message: `is ${shown(backends)}; use a whole number from 0 to ${MAX_BACKENDS}, or a list of options`,
  });
  return [];
}
