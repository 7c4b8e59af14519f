import { AssertionError } from 'node:assert';
import { clearTimeout, setImmediate, setTimeout } from 'node:timers';
import type { ServiceDefinition } from '@grpc/grpc-js';
import type { Type } from '@nestjs/common';
import { GrpcLbArgumentError, GrpcLbConflictError } from '../../core/errors.js';
import { mergeLoadBalancing } from '../../core/options/load-balancing.js';
import { requireObject } from '../../core/options/required.js';
import { defined, shown } from '../../core/options/validation.js';
import type { ClientSnapshot } from '../../core/snapshot.js';
import type { CallObserver } from '../../grpc/call/call-observer.js';
import type { GrpcLbClientHandle } from '../../nest/client-handle.js';
import type { GrpcLbClientOptions } from '../../nest/client-options.js';
import { type DeclaredClient, declaredClass, declaredItem } from '../../nest/declared-clients.js';
import type { GrpcLbClientItem } from '../../nest/module-options.js';
import { GrpcLbRegistry } from '../../nest/registry.js';
import type { TlsOptions } from '../../tls/options.js';
import type { AnyClient } from '../handlers.js';
import { type AttemptBounds, type AttemptedCall, AttemptLog } from './attempt-log.js';
import { handlerIn, type UntypedHandlers } from './backend-handlers.js';
import { CallLog, type ReceivedCall } from './call-log.js';
import type { BackendOptions } from './backend-options.js';
import { FleetBackend } from './fleet-backend.js';
import { fleetClosed, type FleetParts } from './fleet-parts.js';
import { checkAdded, checkedFleet, type FleetOptions, preparePeers } from './fleet-options.js';
import { FleetList } from './fleet-source.js';
import type { FleetTls } from './fleet-tls.js';
import { isServed, seenBy } from './client-readiness.js';
import { servesHealth } from './health-definition.js';
import { assertShares, type ShareOptions } from './shares.js';

/** The largest index that may be written as `fleet[15]`. */
const INDEXES = 16;

/** What `overrideProvider(...).useFactory` of a Nest testing module takes. */
export interface FleetClientFactory {
  /** Creates the client in the place of the module. */
  readonly factory: (registry: GrpcLbRegistry) => GrpcLbClientHandle;
  /** What `factory` gets. */
  readonly inject: [typeof GrpcLbRegistry];
}

/** How long to wait. */
export interface ReadyOptions {
  /**
   * Milliseconds, after which `ready` fails.
   *
   * @default 10000
   */
  readonly timeout?: number;
}

/**
 * Backends in this process, over real sockets, and the discovery of their clients. `createFleet` creates it; close it
 * when the test ends.
 */
export class BackendFleet implements Iterable<FleetBackend> {
  /** The target of the clients of this process, as in `fleet:///7`. Its list changes with `add` and `remove`. */
  readonly target: string;
  readonly #parts: FleetParts;
  readonly #list = new FleetList();
  readonly #log: CallLog;
  readonly #attempts = new AttemptLog();
  readonly #backends: FleetBackend[] = [];
  readonly #listed = new Set<FleetBackend>();
  readonly #clients = new Set<GrpcLbClientHandle>();
  readonly #waiting = new Set<() => void>();
  #closed = false;

  /** @internal Use `createFleet`. */
  constructor(
    services: readonly ServiceDefinition[],
    options: Pick<FleetOptions<never>, 'handlers' | 'health' | 'serverOptions'>,
    tls: FleetTls | undefined,
  ) {
    this.target = this.#list.target;
    this.#log = new CallLog();
    const handlers = (options.handlers ?? {}) as UntypedHandlers;
    this.#parts = {
      services,
      serverOptions: options.serverOptions ?? {},
      tls,
      health: (options.health ?? true) && !services.some(servesHealth),
      log: this.#log,
      isClosed: () => this.#closed,
      handlerFor: (names) => handlerIn(handlers, names),
      changed: () => {
        for (const look of this.#waiting) look();
      },
    };
  }

  /** How many backends there are, with those that were removed from the list. */
  get size(): number {
    return this.#backends.length;
  }

  /** Sees the calls of clients: pass it to `forRoot`, or to `createBalancedChannel`, for `attempts`. */
  get observer(): CallObserver {
    return this.#attempts;
  }

  /**
   * The option `tls` of a client of this fleet, with PEM of the CA to trust, and with a certificate if the fleet is
   * `mutual`; undefined without TLS. Clients of `client` have it. As for any client, it is merged over `forRoot({ tls })`:
   * what it leaves out, such as `cert` of a fleet that is not `mutual`, is as there.
   */
  get tls(): TlsOptions | undefined {
    return this.#parts.tls?.client;
  }

  /** The addresses that clients are told, as for a target of `static:///`. */
  get addresses(): readonly string[] {
    return [...this.#listed].map(({ address }) => address);
  }

  [Symbol.iterator](): IterableIterator<FleetBackend> {
    return [...this.#backends].values();
  }

  /**
   * The backend at an index, as `fleet[index]`.
   *
   * @throws GrpcLbArgumentError if there is none.
   */
  backend(index: number): FleetBackend {
    const found = this.#backends[index];
    if (found) return found;
    const has = this.size === 0 ? 'the fleet has no backend' : `the fleet has backends 0 to ${this.size - 1}`;
    throw new GrpcLbArgumentError(`backend ${shown(index)} does not exist; ${has}`);
  }

  /**
   * A client that calls this fleet, in the place of the one that the application declares. All its options stay, but the
   * target and, unless they are in `more`, `credentials` and `tls`, which become those of the fleet. Options for all
   * clients, those of `forRoot`, apply as they do in the application, also below the `tls` of the fleet.
   *
   * @example
   *   Test.createTestingModule({ imports: [AppModule] })
   *     .overrideProvider(getGrpcLbClientToken(OrdersClient))
   *     .useFactory(fleet.client(OrdersClient));
   *
   * @param client A class with `@GrpcLbClient`, or an item of `forFeature`.
   * @param more Options of the client for this test. `loadBalancing` and `channelOptions` complete those of the client,
   *   field by field; the others replace them.
   */
  client(
    client: Type | GrpcLbClientItem,
    more: Partial<Omit<GrpcLbClientOptions, 'target' | 'targets' | 'url'>> = {},
  ): FleetClientFactory {
    const declare = (): DeclaredClient => {
      const declared =
        typeof client === 'function'
          ? declaredClass(client, completed(declaredClass(client).options, more))
          : declaredItem({ ...client, options: { ...client.options, ...completed(client.options, more) } });
      const { url: _url, targets: _targets, credentials: _credentials, tls: _tls, ...options } = declared.options;
      const { credentials, tls = credentials ? undefined : (this.tls ?? false) } = more;
      return { ...declared, options: { ...options, ...defined({ credentials, tls }), target: this.target } };
    };
    const factory = (registry: GrpcLbRegistry): GrpcLbClientHandle => {
      const handle = registry.add(declare());
      const { target } = handle.snapshot();
      if (target !== this.target) {
        throw new GrpcLbConflictError(
          `client ${handle.name}: overrides of forRoot(), perhaps from GRPC_LB_* variables, set the target ${target}, so it would not call the fleet; remove the override in this test`,
        );
      }
      handle.observe(this.#attempts);
      this.#clients.add(handle);
      // An event is emitted before all its effects are done.
      registry.events$.subscribe({
        next: () => void setImmediate(() => this.#parts.changed()),
        complete: () => this.#clients.delete(handle),
      });
      return handle;
    };
    return { factory, inject: [GrpcLbRegistry] };
  }

  /**
   * Starts a backend, and adds it to the list that clients are told.
   *
   * @throws GrpcLbClosedError if the fleet is closed.
   * @throws GrpcLbOptionsError if an option is out of range.
   */
  async add(options: BackendOptions = {}): Promise<FleetBackend> {
    checkAdded(options);
    if (this.#closed) throw fleetClosed();
    const backend = new FleetBackend(this.size, options, this.#parts);
    this.#backends.push(backend);
    await backend.start();
    if (this.#closed) throw fleetClosed();
    this.#listed.add(backend);
    this.#tell();
    return backend;
  }

  /**
   * Takes a backend out of the list that clients are told; it runs on, so that calls in flight end.
   *
   * @throws GrpcLbArgumentError if there is no such backend.
   */
  remove(index: number): void {
    this.#listed.delete(this.backend(index));
    this.#tell();
  }

  /**
   * Lists a backend again that was removed.
   *
   * @throws GrpcLbArgumentError if there is no such backend.
   */
  restore(index: number): void {
    this.#listed.add(this.backend(index));
    this.#tell();
  }

  /**
   * Waits until clients can send calls to backends, and have heard of those that are not SERVING or removed. Of a client
   * that `client` created it knows which endpoints are ready; of any other, such as one of another process, only that
   * there is a connection to the backend.
   *
   * @param count How many backends; by default all that are listed, run and serve.
   * @throws AssertionError that shows the state of each backend, if it takes too long.
   * @throws GrpcLbClosedError if the fleet is closed.
   */
  async ready(count?: number, { timeout = 10_000 }: ReadyOptions = {}): Promise<void> {
    if (this.#closed) throw fleetClosed();
    await this.#until(() => this.#isReady(count), timeout);
  }

  /** The calls that backends got since the start or `clear`, in order; of many the first 10000. */
  calls(): readonly ReceivedCall[] {
    return this.#log.all;
  }

  /** The calls that observed clients made since the start or `clear`, with their attempts; of many the first 10000. */
  attempts(): readonly AttemptedCall[] {
    return this.#attempts.all;
  }

  /** Forgets all calls, so that assertions count anew. */
  clear(): void {
    this.#log.clear();
    this.#attempts.clear();
    for (const backend of this.#backends) backend.clear();
  }

  /**
   * Fails unless the listed backends got equal parts of the calls; or the parts that are given by index.
   *
   * @throws AssertionError that lists the calls of each backend.
   * @example
   *   fleet.expectShares({ within: 0.2 });
   *   fleet.expectShares([0.5, 0.25, 0.25]);
   */
  expectShares(shares: readonly number[], options?: ShareOptions): void;
  expectShares(options?: ShareOptions): void;
  expectShares(first: readonly number[] | ShareOptions = {}, second: ShareOptions = {}): void {
    const given = Array.isArray(first) ? (first as readonly number[]) : undefined;
    if (given && given.length > this.size)
      throw new GrpcLbArgumentError(`expectShares: ${given.length} shares are given for ${this.size} backends`);
    const listed = [...this.#listed].map(({ index }): [number, number] => [index, 1 / this.#listed.size]);
    const expected = new Map(given ? given.entries() : listed);
    assertShares(expected, given ? second : (first as ShareOptions), this.#log, this.size);
  }

  /**
   * Fails unless each call that an observed client made took so many attempts.
   *
   * @throws AssertionError that shows the first call that did not.
   * @example
   *   fleet.expectAttempts({ atMost: 2 });
   */
  expectAttempts(attempts: number | AttemptBounds): void {
    this.#attempts.expect(attempts);
  }

  /** Stops all backends. Afterwards no port, socket or timer of the fleet is left. */
  async close(): Promise<void> {
    this.#closed = true;
    this.#list.close();
    this.#parts.changed();
    await Promise.all(this.#backends.map((backend) => backend.stop()));
  }

  #tell(): void {
    this.#list.tell([...this.#listed].map(({ endpoint }) => endpoint));
    this.#parts.changed();
  }

  #isReady(count: number | undefined): boolean {
    const expected = [...this.#listed].filter((each) => each.expected);
    const clients = [...this.#clients].map((client) => client.snapshot()).filter(({ state }) => state !== 'idle');
    return (
      expected.filter((each) => each.reachable).length >= (count ?? expected.length) &&
      clients.every((client) => isServed(client, expected, count)) &&
      this.#stillListed(clients).length === 0
    );
  }

  /** Removed backends that clients do not know of yet: they take lists that follow each other closely a bit later. */
  #stillListed(clients: readonly ClientSnapshot[]): readonly FleetBackend[] {
    // An empty list means nothing to clients for a while: its authority may be restarting.
    if (this.#listed.size === 0) return [];
    const listed = new Set(this.addresses);
    const known = new Set(clients.flatMap(({ endpoints }) => endpoints.map(({ address }) => address)));
    return this.#backends.filter(({ address }) => known.has(address) && !listed.has(address));
  }

  async #until(holds: () => boolean, timeoutMs: number): Promise<void> {
    if (holds()) return;
    await new Promise<void>((resolve, reject) => {
      const stop = (): void => {
        clearTimeout(timer);
        this.#waiting.delete(look);
      };
      const look = (): void => {
        if (!this.#closed && !holds()) return;
        stop();
        if (this.#closed) reject(fleetClosed());
        else resolve();
      };
      const timer = setTimeout(() => {
        stop();
        reject(
          new AssertionError({ message: `not ready within ${timeoutMs} ms\n${this.#states()}`, operator: 'ready' }),
        );
      }, timeoutMs);
      this.#waiting.add(look);
    });
  }

  #states(): string {
    if (this.#listed.size === 0) return '  no backend is listed';
    const clients = [...this.#clients].map((client) => client.snapshot());
    return [
      ...[...this.#listed].map(
        (each) => `  backend ${each.index} (${each.address}): ${each.state}${seenBy(clients, each.address)}`,
      ),
      ...this.#stillListed(clients).map(
        (each) => `  backend ${each.index} (${each.address}): removed, which a client has not heard yet`,
      ),
    ].join('\n');
  }
}

/** The options for a test, with those of the client that they complete. */
function completed(
  declared: GrpcLbClientOptions | undefined,
  more: Partial<GrpcLbClientOptions>,
): Partial<GrpcLbClientOptions> {
  const loadBalancing = mergeLoadBalancing(declared?.loadBalancing, more.loadBalancing);
  const channelOptions = more.channelOptions && { ...declared?.channelOptions, ...more.channelOptions };
  return { ...more, ...defined({ loadBalancing, channelOptions }) };
}

for (let index = 0; index < INDEXES; index++) {
  Object.defineProperty(BackendFleet.prototype, index, {
    get(this: BackendFleet) {
      return this.backend(index);
    },
  });
}

/** A fleet whose backends are `fleet[0]`, `fleet[1]`, and so on; use `fleet.backend(index)` from 16. */
export type Fleet = BackendFleet & {
  readonly [Index in 0 | 1 | 2 | 3 | 4 | 5 | 6 | 7 | 8 | 9 | 10 | 11 | 12 | 13 | 14 | 15]: FleetBackend;
};

/**
 * Starts backends in this process, for tests of what a client does when they are slow, die, drain, are full or cannot be
 * reached. Close the fleet when the test ends.
 *
 * @example
 *   const fleet = await createFleet({ client: OrdersClient, backends: 3, handlers: { find: ({ id }) => ({ id }) } });
 *   fleet[1].slow(200);
 *
 * @throws GrpcLbOptionsError that lists all faults.
 */
export async function createFleet<Client = AnyClient>(options: FleetOptions<Client>): Promise<Fleet> {
  requireObject('createFleet', 'options', options, 'an object with client, as in { client: OrdersClient }');
  const given = options as FleetOptions<never>;
  await preparePeers(given);
  const { services, backends, tls } = checkedFleet(given);
  const fleet = new BackendFleet(services, given, tls);
  try {
    for (const each of backends) await fleet.add(each);
  } catch (error) {
    await fleet.close();
    throw error;
  }
  return fleet as Fleet;
}
