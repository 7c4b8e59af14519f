import {
  type Channel,
  type ChannelCredentials,
  type ChannelOptions,
  connectivityState,
  type Metadata,
} from '@grpc/grpc-js';
import { effectiveLoadBalancing, type LoadBalancingOptions } from '../../core/options/load-balancing.js';
import { withoutSecrets } from '../../core/options/secrets.js';
import { type Fault, GrpcLbOptionsError } from '../../core/errors.js';
import { shown } from '../../core/options/validation.js';
import type { ClientSnapshot, ClientState, SourceSnapshot } from '../../core/snapshot.js';
import { delegatedSchemeOf } from '../../discovery/delegated-schemes.js';
import { parseTarget } from '../../discovery/index.js';
import type { BalancedChannelOptions } from './balanced-channel.js';
import { DEFAULT_CHANNEL_OPTIONS, keepaliveTimeOf } from '../config/channel-options.js';
import { ClientContext } from '../context/client-context.js';
import { drainedOf, EndpointActions } from './endpoint-actions.js';
import { explainClient, type Explanation } from './explain.js';
import { DELEGATED_OPTION, DelegatedBalancers } from './delegated-balancers.js';
import { withHashKey } from '../call/hash-key.js';
import { GuardedChannel } from './guarded-channel.js';
import type { TlsOptions } from '../../tls/options.js';
import { ClientTls } from '../tls/client-tls.js';
import { assertOneCredentials } from '../tls/tls-faults.js';
import { registerOwn } from './register.js';
import { pendingSource } from '../resolver/source-summary.js';

const STATES: Readonly<Record<connectivityState, ClientState>> = {
  [connectivityState.IDLE]: 'idle',
  [connectivityState.CONNECTING]: 'connecting',
  [connectivityState.READY]: 'ready',
  [connectivityState.TRANSIENT_FAILURE]: 'transient_failure',
  [connectivityState.SHUTDOWN]: 'shutdown',
};

/** Whether another library resolves and balances the target, such as `xds:///orders`. */
export function isDelegated(target: string): boolean {
  return delegatedSchemeOf(parseTarget(target)) !== undefined;
}

/** The faults of a delegated target, and of options that have no effect with it. */
export function delegatedFaults(target: string, loadBalancing: LoadBalancingOptions = {}, tls?: TlsOptions): Fault[] {
  const parsed = parseTarget(target);
  const idle = Object.entries(loadBalancing).filter(([, value]) => value !== undefined);
  return [
    ...(delegatedSchemeOf(parsed)?.check(parsed) ?? []),
    ...idle.map(([key]) => ({
      path: `loadBalancing.${key}`,
      message: `has no effect with ${shown(target)}, where the control plane decides; remove it`,
    })),
    ...(tls?.replaceWithin === undefined
      ? []
      : [
          {
            path: 'tls.replaceWithin',
            message: `has no effect with ${shown(target)}, whose connections belong to another library: only new ones use new certificates; remove it`,
          },
        ]),
  ];
}

/**
 * A channel whose target belongs to another library: that library finds the endpoints, balances, retries and sets
 * timeouts. The snapshot shows the channel's own state, and the details of this package's balancers that the library
 * uses.
 */
export class DelegatedChannel {
  /** Give it to a grpc-js client as `channelOverride`. */
  readonly channel: Channel;
  readonly #context: ClientContext;
  readonly #balancers: DelegatedBalancers;
  /** What an operator may do to single endpoints of this package's balancers. */
  readonly endpointActions: EndpointActions;
  /** @internal Those of its connections. */
  readonly credentials: ChannelCredentials;
  #connected = false;
  #lastReady: number | null = null;
  readonly #keepaliveTime: number | null;

  /** @throws GrpcLbOptionsError that lists all faults. */
  constructor(options: BalancedChannelOptions & { readonly target: string }) {
    const { name, target, onEvent, clock, random, tls } = options;
    const faults = delegatedFaults(target, options.loadBalancing, tls);
    assertOneCredentials(options);
    if (faults.length > 0) throw new GrpcLbOptionsError(`client ${name}`, faults);
    // Lets a control plane name `grpc_lb`.
    registerOwn();
    this.#context = new ClientContext({
      name,
      targets: [target],
      loadBalancing: effectiveLoadBalancing(),
      onEvent,
      clock,
      random,
    });
    this.#balancers = new DelegatedBalancers(name, target, onEvent, clock, random);
    if (tls) this.#context.tls = new ClientTls(tls, this.#context);
    this.credentials = this.#context.tls?.credentials ?? options.credentials!;
    const channelOptions = { ...DEFAULT_CHANNEL_OPTIONS, ...serverNameOption(tls), ...options.channelOptions };
    this.#keepaliveTime = keepaliveTimeOf(channelOptions);
    this.endpointActions = new EndpointActions(name, () => this.#balancers.views);
    this.channel = new GuardedChannel(name, target, this.credentials, {
      ...channelOptions,
      [DELEGATED_OPTION]: this.#balancers,
    });
    this.#watch();
  }

  get name(): string {
    return this.#context.name;
  }

  /** Starts discovery and connects, and stays connected: wakes a policy that goes idle. */
  connect(): void {
    if (this.#context.state === 'shutdown') return;
    this.#connected = true;
    this.channel.getConnectivityState(true);
  }

  /** Adds the key from the request, if the control plane names this package's `ring_hash`. */
  keyed(request: unknown, metadata: Metadata, path: string): Metadata {
    const { loadBalancing } = this.#balancers;
    return loadBalancing ? withHashKey(loadBalancing, request, metadata, path) : metadata;
  }

  snapshot(): ClientSnapshot {
    const { views, loadBalancing } = this.#balancers;
    const endpoints = views.flatMap((view) => view.endpoints());
    const source = this.#source(endpoints.length);
    return {
      client: this.name,
      target: this.#context.target,
      state: this.#context.state,
      loadBalancing: loadBalancing && withoutSecrets(loadBalancing),
      source,
      sources: [source],
      zone: null,
      priorities: [],
      inFlight: views.reduce((sum, { inFlight }) => sum + inFlight, 0),
      pending: views.reduce((sum, { pending }) => sum + pending, 0),
      panic: views.some(({ panic }) => panic),
      keepaliveTime: this.#keepaliveTime,
      ...(this.#context.tls && { tls: this.#context.tls.snapshot() }),
      totals: this.#balancers.totals.snapshot(),
      endpoints,
      ...drainedOf(views),
    };
  }

  /** The control plane decides by method, so the call makes no difference to what is known here. */
  explain(): Explanation {
    const { views, loadBalancing } = this.#balancers;
    // With several balancers the library chooses between them, and does not report how.
    if (loadBalancing !== null) return explainClient(this.snapshot(), views.length === 1 ? views[0]!.explain() : []);
    const next =
      this.#context.state === 'ready' ? 'is sent at once' : `waits or fails: the channel is ${this.#context.state}`;
    return { client: this.name, rule: 'the control plane decides, and does not report how', next, endpoints: [] };
  }

  /** @throws GrpcLbOptionsError if any option is given: the control plane decides. */
  configure(loadBalancing: LoadBalancingOptions): void {
    const faults = delegatedFaults(this.#context.targets[0]!, loadBalancing);
    if (faults.length > 0) throw new GrpcLbOptionsError(`client ${this.name}`, faults);
  }

  close(): void {
    this.#context.setState('shutdown');
    this.channel.close();
    this.#context.tls?.stop();
  }

  readonly #watch = (): void => {
    if (this.#context.state === 'shutdown') return;
    const state = this.channel.getConnectivityState(this.#connected);
    if (state === connectivityState.READY) this.#lastReady ??= Date.now();
    this.#context.setState(STATES[state]);
    if (state !== connectivityState.SHUTDOWN) this.channel.watchConnectivityState(state, Infinity, this.#watch);
  };

  /** The library does not report the state of discovery; but a channel that was ready has received endpoints. */
  #source(endpoints: number): SourceSnapshot {
    const pending = pendingSource(this.#context.targets[0]!);
    if (this.#lastReady !== null) return { ...pending, state: 'ok', lastUpdate: this.#lastReady, endpoints };
    if (this.#context.state !== 'transient_failure') return { ...pending, endpoints };
    return {
      ...pending,
      state: 'failed',
      error: 'the channel is not ready yet; the errors of calls say why',
      endpoints,
    };
  }
}

/** The name for all connections: another library finds the endpoints. */
function serverNameOption(tls: TlsOptions | undefined): ChannelOptions {
  const [name] = [tls?.serverName ?? []].flat();
  return name === undefined ? {} : { 'grpc.ssl_target_name_override': name };
}
