import {
  Channel,
  type ChannelCredentials,
  type ChannelInterface,
  type ChannelOptions,
  type connectivityState,
  type Deadline,
  type Metadata,
  propagate,
} from '@grpc/grpc-js';
import type { Clock } from '../../core/clock.js';
import type { LbEventListener } from '../../core/events.js';
import {
  assertLoadBalancing,
  effectiveLoadBalancing,
  type LoadBalancingOptions,
} from '../../core/options/load-balancing.js';
import { GrpcLbClosedError, GrpcLbOptionsError } from '../../core/errors.js';
import { requireObject, requireObserver } from '../../core/options/required.js';
import { withoutSecrets } from '../../core/options/secrets.js';
import { withoutSecrets as withoutTargetSecrets } from '../../core/target-secrets.js';
import type { Random } from '../../core/random.js';
import type { ClientSnapshot } from '../../core/snapshot.js';
import { createEndpointSource, parseTarget } from '../../discovery/index.js';
import { channelOptionsFor, keepaliveTimeOf } from '../config/channel-options.js';
import { ClientContext, CONTEXT_OPTION } from '../context/client-context.js';
import { drainedOf, EndpointActions } from './endpoint-actions.js';
import { type CallToExplain, explainClient, type Explanation, infoOf } from './explain.js';
import { outside } from '../context/outside.js';
import { CallEnvironment, CALLS_OPTION } from '../call/call-environment.js';
import type { CallObserver } from '../call/call-observer.js';
import { ClientCall } from '../call/client-call.js';
import type { ParentCall } from '../call/parent-call.js';
import { authoritiesOf, authorityOf } from './default-authority.js';
import { GRPC_LB } from '../config/lb-config.js';
import { BusyChannel } from './busy-channel.js';
import { withHashKey } from '../call/hash-key.js';
import { registerOwn } from './register.js';
import { GRPC_LB_SCHEME } from '../resolver/resolver.js';
import type { MethodInfo } from '../config/service-config.js';
import { summaryOf } from '../resolver/source-summary.js';
import type { TlsOptions } from '../../tls/options.js';
import { ClientTls } from '../tls/client-tls.js';
import { ObservedHandshakes } from '../tls/observed-handshakes.js';
import { assertOneCredentials } from '../tls/tls-faults.js';
import { withoutAddressNames } from '../tls/without-address-names.js';
import { isSecure, targetNamesOf, tlsNameFaults } from './tls-name.js';

/** What `new BalancedChannel` takes. */
export interface BalancedChannelOptions {
  /** The name of the client in snapshots, events and errors. */
  readonly name: string;
  /**
   * Where the endpoints come from: `dns:///orders:50051`, `static:///a:1,b:2`; several targets in order of preference.
   */
  readonly target: string | readonly string[];
  /** Credentials of the connections. Exactly one of `credentials` and `tls` is required. */
  readonly credentials?: ChannelCredentials | undefined;
  /**
   * TLS with certificates that may change while the client runs.
   *
   * @default none
   */
  readonly tls?: TlsOptions | undefined;
  /**
   * Channel options of grpc-js; they win over `DEFAULT_CHANNEL_OPTIONS`.
   *
   * @default `DEFAULT_CHANNEL_OPTIONS`
   */
  readonly channelOptions?: ChannelOptions;
  /**
   * Which endpoint gets a call, how many connections there are, health checks, retries and more.
   *
   * @default `{}`
   */
  readonly loadBalancing?: LoadBalancingOptions;
  /**
   * The methods of the client's services; `retry`, `hedge` and `deadline` apply to them.
   *
   * @default none
   */
  readonly methods?: readonly MethodInfo[];
  /**
   * Receives the events of the client.
   *
   * @default none
   */
  readonly onEvent?: LbEventListener;
  /**
   * Is told of each call and attempt.
   *
   * @default none
   */
  readonly observer?: CallObserver | undefined;
  /**
   * Tells the time to everything in the client but the connections, as the `FakeClock` of tests does.
   *
   * @default real time
   */
  readonly clock?: Clock;
  /**
   * Random numbers from 0 to 1, as `seededRandom()` of tests returns them.
   *
   * @default `Math.random`
   */
  readonly random?: Random;
}

/** grpc-js makes no calls on the channel that connects, so its retries and deadlines do not apply. */
const NO_METHOD_CONFIG = { loadBalancingConfig: [{ [GRPC_LB]: {} }], methodConfig: [] };

/**
 * A grpc-js channel that balances: it makes the calls itself, and leaves connections to grpc-js. All services of a
 * client share it.
 *
 * @example
 *   const channel = createBalancedChannel({ name: 'ORDERS', target: 'dns:///orders:50051', credentials });
 *   const orders = new OrdersService('ignored', credentials, { channelOverride: channel });
 */
export class BalancedChannel implements ChannelInterface {
  readonly #context: ClientContext;
  readonly #calls: CallEnvironment;
  /** grpc-js's channel, which runs discovery and the balancer, and creates connections. */
  readonly #connector: Channel;
  readonly #keepaliveTime: number | null;
  /** What an operator may do to single endpoints. */
  readonly endpointActions: EndpointActions;
  /** @internal Those of its connections. */
  readonly credentials: ChannelCredentials;

  /** @throws GrpcLbOptionsError that lists all faults of the target, the credentials and the load-balancing options. */
  constructor(options: BalancedChannelOptions) {
    requireObject('createBalancedChannel', 'options', options, 'an object with name, target and credentials');
    const { name, channelOptions, tls } = options;
    assertLoadBalancing(`client ${name}`, options.loadBalancing ?? {});
    assertOneCredentials(options);
    registerOwn();
    const targets = [options.target].flat();
    this.#context = new ClientContext({
      ...options,
      targets,
      loadBalancing: effectiveLoadBalancing(options.loadBalancing),
      serviceConfigFor: (discovered) => {
        this.#calls.discovered(discovered);
        return NO_METHOD_CONFIG;
      },
    });
    this.endpointActions = new EndpointActions(name, () => [this.#context.balancer ?? []].flat());
    // grpc-js would create the sources at the first call; report an invalid target now.
    for (const target of targets) createEndpointSource(parseTarget(target), this.#context);
    this.#context.secure = tls !== undefined || isSecure(options.credentials!);
    if (this.#context.secure) {
      const faults = tlsNameFaults(targets, tls, channelOptions);
      if (faults.length > 0) throw new GrpcLbOptionsError(`client ${name}`, faults);
      this.#context.targetNames = targetNamesOf(targets, tls, channelOptions);
    }
    if (tls) this.#context.tls = new ClientTls(tls, this.#context);
    const credentials = this.#context.tls?.credentials ?? withoutAddressNames(options.credentials!);
    this.credentials = credentials;
    const target = `${GRPC_LB_SCHEME}:${targets[0]!}`;
    const effective = channelOptionsFor(channelOptions);
    this.#keepaliveTime = keepaliveTimeOf(effective);
    const givenAuthority = effective['grpc.default_authority'];
    if (givenAuthority === undefined) this.#context.authorities = authoritiesOf(targets);
    const authority = givenAuthority ?? authorityOf(targets[0]!);
    this.#calls = new CallEnvironment({
      context: this.#context,
      authority,
      credentials,
      channelOptions: effective,
      observer: options.observer,
      connect: () => this.connect(),
    });
    const { totals } = this.#context;
    const observed = this.#context.secure
      ? new ObservedHandshakes(credentials, (result) => totals.handshakeEnded(result))
      : credentials;
    this.#connector = new Channel(target, observed, {
      ...effective,
      [CONTEXT_OPTION]: this.#context,
      [CALLS_OPTION]: this.#calls,
    });
    // grpc-js has checked the service config now.
    this.#calls.configure();
    if (channelOptions?.['grpc.client_idle_timeout_ms'] !== undefined)
      this.#calls.active.listener = new BusyChannel(this.#connector);
  }

  /** The channel itself: give it to a grpc-js client as `channelOverride`. */
  get channel(): ChannelInterface {
    return this;
  }

  /** @internal What streams that move read: the clock, and who decides about moves. */
  get context(): ClientContext {
    return this.#context;
  }

  /** The name of the client. */
  get name(): string {
    return this.#context.name;
  }

  /**
   * Adds the key of `ring_hash` to the metadata of a call, if the key comes from the request. Use the result for the
   * call: grpc-js does not show requests to policies.
   */
  keyed(request: unknown, metadata: Metadata, path: string): Metadata {
    return withHashKey(this.#context.loadBalancing, request, metadata, path);
  }

  /** Starts discovery and connects before the first call. */
  connect(): void {
    this.getConnectivityState(true);
  }

  /** @throws Error if the channel is closed. */
  createCall(
    method: string,
    deadline: Deadline,
    host?: string | null,
    parentCall?: Parameters<ChannelInterface['createCall']>[3],
    propagateFlags?: number | null,
  ): ReturnType<ChannelInterface['createCall']> {
    return this.newCall(method, deadline, host, parentCall, propagateFlags);
  }

  /** @internal The same, for stubs. */
  newCall(
    method: string,
    deadline: Deadline,
    host?: string | null,
    parentCall?: ParentCall | null,
    propagateFlags?: number | null,
  ): ClientCall {
    // As in grpc-js.
    if (typeof method !== 'string') throw new TypeError('Channel#createCall: method must be a string');
    if (!(typeof deadline === 'number' || deadline instanceof Date))
      throw new TypeError('Channel#createCall: deadline must be a number or Date');
    if (this.#context.state === 'shutdown') throw new Error('Channel has been shut down');
    return new ClientCall(this.#calls, {
      path: method,
      deadline: deadline instanceof Date ? deadline.getTime() : deadline,
      host: host ?? undefined,
      parent: parentCall ?? null,
      flags: propagateFlags ?? propagate.DEFAULTS,
    });
  }

  /** The first target, without secrets. */
  getTarget(): string {
    return `${GRPC_LB_SCHEME}:${withoutTargetSecrets(this.#context.targets[0]!)}`;
  }

  /** @param tryToConnect Whether to connect if the channel is idle. */
  getConnectivityState(tryToConnect: boolean): connectivityState {
    // grpc-js would reopen a closed channel.
    const connect = tryToConnect && this.#context.state !== 'shutdown';
    return outside(() => this.#connector.getConnectivityState(connect));
  }

  watchConnectivityState(currentState: connectivityState, deadline: Deadline, callback: (error?: Error) => void): void {
    this.#connector.watchConnectivityState(currentState, deadline, callback);
  }

  getChannelzRef(): ReturnType<ChannelInterface['getChannelzRef']> {
    return this.#connector.getChannelzRef();
  }

  /**
   * Tells an observer of the calls that start from now on.
   *
   * @returns A function that removes it.
   * @throws GrpcLbArgumentError if it is not an observer.
   */
  observe(observer: CallObserver): () => void {
    requireObserver(observer);
    return this.#calls.observers.add(observer);
  }

  /** The current state of the client and its endpoints. */
  snapshot(): ClientSnapshot {
    const { name, target, state, loadBalancing, balancer, zone, tls } = this.#context;
    const sources = this.#context.sourceSnapshots();
    return {
      client: name,
      target,
      state,
      loadBalancing: withoutSecrets(loadBalancing),
      source: summaryOf(sources),
      sources,
      zone: zone ?? null,
      priorities: balancer?.priorities() ?? [],
      inFlight: balancer?.inFlight ?? 0,
      pending: this.#calls.dispatcher.pending,
      panic: balancer?.panic ?? false,
      keepaliveTime: this.#keepaliveTime,
      ...(tls && { tls: tls.snapshot() }),
      totals: this.#context.totals.snapshot(this.#calls.limited),
      endpoints: balancer?.endpoints() ?? [],
      ...(loadBalancing.throttle && { throttles: this.#calls.throttles.snapshot() }),
      ...drainedOf([balancer ?? []].flat()),
    };
  }

  /**
   * Why the next call goes where it goes.
   *
   * @throws GrpcLbArgumentError if the client has no such method.
   */
  explain(call: CallToExplain = {}): Explanation {
    const { balancer, methods } = this.#context;
    const info = infoOf(call, this.name, methods);
    return explainClient(this.snapshot(), balancer?.explain(info), balancer?.standbys(), info);
  }

  /**
   * Replaces the load-balancing options. Omitted options take their defaults. Endpoints, connections and counters stay,
   * and no call is lost.
   *
   * @throws GrpcLbOptionsError that lists all faults; the options in force stay.
   * @throws GrpcLbClosedError if the channel is closed.
   */
  configure(loadBalancing: LoadBalancingOptions): void {
    assertLoadBalancing(`client ${this.name}`, loadBalancing);
    if (this.#context.state === 'shutdown')
      throw new GrpcLbClosedError(`client ${this.name} is closed; configure a client that is open`);
    this.#context.loadBalancing = effectiveLoadBalancing(loadBalancing);
    this.#calls.configure();
    outside(() => {
      this.#context.balancer?.reconfigure();
      this.#context.discovery?.configChanged();
    });
    this.#context.emit({ type: 'configured' });
  }

  /** Closes the client to new calls; calls in flight end by themselves. It does not keep the process alive. */
  close(): void {
    this.#context.setState('shutdown');
    this.#calls.close();
    this.#connector.close();
    this.#context.tls?.stop();
  }
}

/**
 * Creates a channel that balances, for grpc-js clients without Nest.
 *
 * @example
 *   const channel = createBalancedChannel({ name: 'ORDERS', target: 'dns:///orders:50051', credentials });
 *   const orders = new OrdersService('ignored', credentials, { channelOverride: channel });
 *
 * @throws GrpcLbOptionsError that lists all faults of the target, the credentials and the load-balancing options.
 */
export function createBalancedChannel(options: BalancedChannelOptions): BalancedChannel {
  return new BalancedChannel(options);
}
