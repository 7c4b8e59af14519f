import { isDeepStrictEqual } from 'node:util';
import {
  Inject,
  Injectable,
  Logger,
  type OnApplicationBootstrap,
  type OnApplicationShutdown,
  type OnModuleInit,
  type Type,
} from '@nestjs/common';
import { ModulesContainer } from '@nestjs/core';
import { type Observable, Subject } from 'rxjs';
import type { LbEvent } from '../core/events.js';
import { type LoadBalancingOptions, mergeLoadBalancing } from '../core/options/load-balancing.js';
import { overridePath } from '../core/options/origin.js';
import { GrpcLbOptionsError } from '../core/errors.js';
import { requireObserver } from '../core/options/required.js';
import { didYouMean, isObject, shown } from '../core/options/validation.js';
import type { ClientSnapshot } from '../core/snapshot.js';
import type { CallObserver } from '../grpc/call/call-observer.js';
import type { CallToExplain, Explanation } from '../grpc/channel/explain.js';
import { systemClock } from '../grpc/context/system-clock.js';
import { isDelegated } from '../grpc/channel/delegated-channel.js';
import { GrpcLbClientHandle } from './client-handle.js';
import type { GrpcLbClientOptions } from './client-options.js';
import { clientName, type DeclaredClient } from './declared-clients.js';
import { namedServices } from './decorators/inject.js';
import { isDecoratedWith, isInstantiated } from './demand.js';
import { environmentName, strangersWarnings, unreadVariables } from './environment-name.js';
import { eventLog } from './event-log.js';
import { injectionWarnings } from './injection-warnings.js';
import { type OptionInForce, type OptionLayer, optionsInForce } from './option-origins.js';
import { mergeTls } from './merge-tls.js';
import { assertModuleOptions } from './module-check.js';
import type { GrpcLbClientOverrides, GrpcLbModuleOptions } from './module-options.js';
import { startUpWarnings } from './start-up-warnings.js';
import { type ClientRef, getGrpcLbClientToken, getGrpcServiceToken, MODULE_OPTIONS } from './tokens.js';

/** All balanced clients of an application: their state, their events, and changes at run time. */
@Injectable()
export class GrpcLbRegistry implements OnModuleInit, OnApplicationBootstrap, OnApplicationShutdown {
  /** The events of all clients, in order. It completes when the application has shut down. */
  readonly events$: Observable<LbEvent>;
  readonly #events = new Subject<LbEvent>();
  readonly #clients = new Map<string, { readonly declared: DeclaredClient; readonly handle: GrpcLbClientHandle }>();
  /** Add an observer to a new client. */
  readonly #observing = new Set<(handle: GrpcLbClientHandle) => unknown>();
  /** What `adjust` has made of the layers of a client, as long as nothing else configures it. */
  readonly #adjusted = new Map<
    GrpcLbClientHandle,
    { readonly layers: readonly OptionLayer[]; readonly configured: LoadBalancingOptions | undefined }
  >();
  readonly #logger = new Logger('GrpcLb');
  #started = false;

  /** @internal Nest creates it. */
  constructor(
    @Inject(MODULE_OPTIONS) private readonly options: GrpcLbModuleOptions,
    @Inject(ModulesContainer) private readonly modules: ModulesContainer,
  ) {
    assertModuleOptions(options);
    this.events$ = this.#events.asObservable();
    if (options.logging ?? true) this.events$.subscribe(eventLog(this.#logger, systemClock));
  }

  /**
   * The client with this name or class.
   *
   * @throws GrpcLbOptionsError if there is none.
   */
  get(client: ClientRef): GrpcLbClientHandle {
    // Of undefined, as from a circular import, there is no name.
    const name = ['string', 'symbol', 'function'].includes(typeof client) ? clientName(client) : String(client);
    const found = this.#clients.get(name);
    if (found) return found.handle;
    const known = [...this.#clients.keys()];
    throw new GrpcLbOptionsError('GrpcLbRegistry', [
      {
        path: 'client',
        message:
          `is ${shown(name)}, which is not declared${didYouMean(name, known)}; ` +
          `${known.length === 0 ? 'no client is declared' : `the clients are ${known.join(', ')}`}; declare it with GrpcLbModule.forFeature`,
      },
    ]);
  }

  /**
   * The state of all clients at this moment, or of one.
   *
   * @throws GrpcLbOptionsError if there is no such client.
   */
  snapshot(): ClientSnapshot[];
  snapshot(client: ClientRef): ClientSnapshot;
  snapshot(client?: ClientRef): ClientSnapshot | ClientSnapshot[] {
    if (client !== undefined) return this.get(client).snapshot();
    return [...this.#clients.values()].map(({ handle }) => handle.snapshot());
  }

  /**
   * Explains where the next call of a client goes, and why.
   *
   * @param call The method of the call, and its key for `ring_hash`.
   * @throws GrpcLbOptionsError if there is no such client.
   * @throws GrpcLbArgumentError if the client has no such method.
   *
   * @example
   *   registry.explain(OrdersClient, { method: 'Find', key: 'session-7' });
   */
  explain(client: ClientRef, call?: CallToExplain): Explanation {
    return this.get(client).explain(call);
  }

  /**
   * The load-balancing options in force, each with the place that sets it; empty with `xds:`, where the control plane
   * decides.
   *
   * @throws GrpcLbOptionsError if there is no such client.
   */
  origins(client: ClientRef): OptionInForce[] {
    const handle = this.get(client);
    const { loadBalancing } = handle.snapshot();
    return loadBalancing ? optionsInForce(loadBalancing, this.#layers(handle)) : [];
  }

  /**
   * Gives an endpoint no calls for a time; its calls in flight continue. Panic overrides it, as it overrides every
   * ejection.
   *
   * @param durationMs Milliseconds, 1 to 86400000.
   * @throws GrpcLbOptionsError if there is no such client.
   * @throws GrpcLbArgumentError if no endpoint is in use at the address, or the duration is out of range.
   */
  eject(client: ClientRef, address: string, durationMs: number): void {
    this.get(client).eject(address, durationMs);
  }

  /**
   * Takes an endpoint out of use: no new calls, and its connections close when the last call has ended. It stays out
   * until `restore`, or until discovery no longer lists it.
   *
   * @throws GrpcLbOptionsError if there is no such client.
   * @throws GrpcLbArgumentError if no endpoint is in use at the address, or if it is the last one.
   */
  drain(client: ClientRef, address: string): void {
    this.get(client).drain(address);
  }

  /**
   * Ends `eject` and `drain`. The endpoint starts slowly.
   *
   * @throws GrpcLbOptionsError if there is no such client.
   * @throws GrpcLbArgumentError if neither is in force at the address.
   */
  restore(client: ClientRef, address: string): void {
    this.get(client).restore(address);
  }

  /**
   * Replaces the connections of an endpoint; no call is lost.
   *
   * @throws GrpcLbOptionsError if there is no such client.
   * @throws GrpcLbArgumentError if no endpoint is in use at the address.
   */
  recycle(client: ClientRef, address: string): void {
    this.get(client).recycle(address);
  }

  /**
   * Replaces the load-balancing options of a client without dropping a call. Options that are not given take their
   * defaults; those of the environment still win.
   *
   * @throws GrpcLbOptionsError that lists all faults; the options in force stay.
   */
  configure(client: ClientRef, loadBalancing: LoadBalancingOptions): void {
    const handle = this.get(client);
    const over = this.options.overrides?.[environmentName(handle.name)]?.loadBalancing;
    // A missing argument is a fault, which merging would hide.
    handle.configure(over && isObject(loadBalancing) ? mergeLoadBalancing(loadBalancing, over) : loadBalancing);
  }

  /**
   * Changes some load-balancing options of a client, and keeps the others. Those of the environment still win. No call
   * is dropped.
   *
   * @throws GrpcLbOptionsError that lists all faults; the options in force stay.
   *
   * @example
   *   registry.adjust(OrdersClient, { policy: 'round_robin' });
   */
  adjust(client: ClientRef, change: LoadBalancingOptions): void {
    const handle = this.get(client);
    const before = this.#layers(handle).filter(([origin]) => origin !== 'overrides');
    const configured = before.find(([origin]) => origin === 'configure')?.[1];
    const layers: OptionLayer[] = [
      ...before.filter(([origin]) => origin !== 'configure'),
      ['configure', mergeLoadBalancing(configured, change)],
    ];
    this.configure(client, merged(layers));
    this.#adjusted.set(handle, { layers, configured: handle.configured });
  }

  /**
   * Tells an observer of the calls of all clients that start from now on, beside the `observer` of `forRoot()`.
   *
   * @returns A function that removes it.
   * @throws GrpcLbArgumentError if it is not an observer.
   *
   * @example
   *   registry.observe({ callStarted: ({ method }) => ({ ended: ({ code }) => count(method, code) }) });
   */
  observe(observer: CallObserver): () => void {
    requireObserver(observer);
    const removals = [...this.#clients.values()].map(({ handle }) => handle.observe(observer));
    const add = (handle: GrpcLbClientHandle): unknown => removals.push(handle.observe(observer));
    this.#observing.add(add);
    return () => {
      this.#observing.delete(add);
      for (const remove of removals) remove();
    };
  }

  /** @internal Whether this is one of its clients, or the channel of one: to measure both would count each call twice. */
  includes(clients: object): boolean {
    return [...this.#clients.values()].some(({ handle }) => handle === clients || handle.includes(clients));
  }

  /** @internal Called by the module. Clients that several modules declare equally are one client. */
  add(declared: DeclaredClient): GrpcLbClientHandle {
    const existing = this.#clients.get(declared.name);
    if (existing) {
      const different = differences(existing.declared, declared);
      if (different.length === 0) return existing.handle;
      throw new GrpcLbOptionsError(`client ${declared.name}`, [
        {
          path: 'name',
          message: `is declared twice, with different ${different.join(', ')}; rename one of the clients, or use one item (or one factory function) for both`,
        },
      ]);
    }
    const handle = new GrpcLbClientHandle(
      declared.name,
      this.#effective(declared),
      (event) => this.#events.next(event),
      declared.faults,
      this.#targetPath(declared.name),
      this.options.observer,
    );
    this.#clients.set(declared.name, { declared, handle });
    for (const add of this.#observing) add(handle);
    if (this.#started) this.#connect(declared.ref, handle);
    return handle;
  }

  /**
   * Called by Nest: connects early, so that the first call finds connections and readiness is right before it; not with
   * `connect: 'lazy'`.
   */
  onModuleInit(): void {
    this.#started = true;
    for (const { declared, handle } of this.#clients.values()) this.#connect(declared.ref, handle);
  }

  /** Called by Nest: warns about configuration without effect, and about the process. */
  onApplicationBootstrap(): void {
    const names = [...this.#clients.keys()].map(environmentName);
    const unread = unreadVariables(process.env, names, this.options.overrides);
    if (unread.length > 0) {
      const why = this.options.overrides
        ? 'the overrides of the module have other values'
        : 'the module does not read the environment';
      this.#logger.warn(
        `${unread.join(', ')} of the environment ${unread.length === 1 ? 'has' : 'have'} no effect, because ${why}; install @nestjs/config and import GrpcLbModule.forRootAsync(grpcLbConfig.asProvider()), with grpcLbConfig of nestjs-grpc-lb/config`,
      );
    }
    for (const warning of strangersWarnings(process.env, names, this.options.overrides ?? {}))
      this.#logger.warn(warning);
    if (!(this.options.logging ?? true)) return;
    const clients = [...this.#clients.values()].map(({ declared }) => ({
      name: declared.name,
      options: this.#effective(declared),
    }));
    const declared = [...this.#clients.values()].map((each) => each.declared);
    const warnings = [...startUpWarnings(process.env, clients), ...injectionWarnings(this.modules, declared)];
    for (const warning of warnings) this.#logger.warn(warning);
  }

  /** Called by Nest after the last request: controllers may use their clients until then. */
  onApplicationShutdown(): void {
    for (const { handle } of this.#clients.values()) handle.close();
    // Events are emitted in microtasks; this one runs after them.
    queueMicrotask(() => this.#events.complete());
  }

  /** A client whose class a test replaced does not connect, unless the application injects the client itself. */
  #connect(ref: ClientRef, handle: GrpcLbClientHandle): void {
    if (this.options.connect === 'lazy') return;
    if (typeof ref !== 'function' || isUsed(this.modules, ref)) handle.connect();
  }

  /** Only faults of the overrides have another path than those of the code. */
  #targetPath(name: string): ((path: string) => string) | undefined {
    const client = environmentName(name);
    const over = this.options.overrides?.[client];
    if (over?.target === undefined && over?.targets === undefined) return undefined;
    return (path) => overridePath(over, client, path);
  }

  /** Where the options of a client come from, the weakest first. */
  #layers(handle: GrpcLbClientHandle): OptionLayer[] {
    const { name, configured } = handle;
    const overrides: OptionLayer = ['overrides', this.options.overrides?.[environmentName(name)]?.loadBalancing];
    const adjusted = this.#adjusted.get(handle);
    if (adjusted && adjusted.configured === configured) return [...adjusted.layers, overrides];
    if (configured) return [['configure', configured], overrides];
    const { declared } = this.#clients.get(name)!;
    return [['module', this.options.loadBalancing], ['client', declared.options.loadBalancing], overrides];
  }

  #effective({ name, options }: DeclaredClient): GrpcLbClientOptions {
    const overrides = this.options.overrides?.[environmentName(name)];
    const effective = retargeted(options, overrides);
    // The check of the client reports targets that are not strings.
    const only: unknown = effective.target ?? effective.url;
    // A control plane decides itself; options for all clients are not meant for this one.
    const delegated = typeof only === 'string' && only.trim() !== '' && isDelegated(only);
    const common = delegated ? {} : this.options.loadBalancing;
    const commonTls =
      delegated && isObject(this.options.tls) ? { ...this.options.tls, replaceWithin: undefined } : this.options.tls;
    const layers = [common, options.loadBalancing, overrides?.loadBalancing];
    // Credentials of a client are its own choice; those and an override of tls are a fault, which the check reports.
    const tls = [options.credentials ? undefined : commonTls, options.tls, overrides?.tls].reduce(mergeTls);
    return {
      ...effective,
      ...(tls === undefined ? {} : { tls }),
      loadBalancing: layers.reduce<LoadBalancingOptions>(mergeLoadBalancing, {}),
    };
  }
}

function merged(layers: readonly OptionLayer[]): LoadBalancingOptions {
  return layers.reduce<LoadBalancingOptions>((base, [, over]) => mergeLoadBalancing(base, over), {});
}

/** A target from the environment replaces the target of the code, however it is set. */
function retargeted(options: GrpcLbClientOptions, overrides: GrpcLbClientOverrides = {}): GrpcLbClientOptions {
  const { target, targets } = overrides;
  if (target === undefined && targets === undefined) return options;
  const { url: _url, target: _target, targets: _targets, ...rest } = options;
  return { ...rest, ...(targets ? { targets } : { target }) };
}

function isUsed(modules: ModulesContainer, target: Type): boolean {
  const stubs = namedServices(target).map((service) => getGrpcServiceToken(target, service));
  return isInstantiated(modules, target) || isDecoratedWith(modules, [getGrpcLbClientToken(target), ...stubs]);
}

/**
 * The options in which two declarations of a client differ. Credentials hold keys in native objects, and any two of
 * those look equal, so credentials must be identical. A factory creates new ones each time, but the same factory with
 * the same arguments declares the same client.
 */
function differences({ madeBy, ...one }: DeclaredClient, { madeBy: otherBy, ...other }: DeclaredClient): string[] {
  if (madeBy && madeBy.length === otherBy?.length && madeBy.every((each, i) => each === otherBy[i])) return [];
  const left = new Map<string, unknown>(Object.entries(one.options));
  const right = new Map<string, unknown>(Object.entries(other.options));
  const options = [...new Set([...left.keys(), ...right.keys()])].filter((key) =>
    key === 'credentials' ? left.get(key) !== right.get(key) : !isDeepStrictEqual(left.get(key), right.get(key)),
  );
  return options.length > 0 || isDeepStrictEqual(one.faults, other.faults) ? options : ['options'];
}
