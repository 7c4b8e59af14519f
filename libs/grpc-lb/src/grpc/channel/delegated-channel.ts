import { type Channel, connectivityState, type Metadata } from '@grpc/grpc-js';
import { effectiveLoadBalancing, type LoadBalancingOptions } from '../../core/options/load-balancing.js';
import { withoutSecrets } from '../../core/options/secrets.js';
import { type Fault, GrpcLbOptionsError } from '../../core/errors.js';
import { shown } from '../../core/options/validation.js';
import type { ClientSnapshot, ClientState, SourceSnapshot } from '../../core/snapshot.js';
import { delegatedSchemeOf } from '../../discovery/delegated-schemes.js';
import { parseTarget } from '../../discovery/index.js';
import type { BalancedChannelOptions } from './balanced-channel.js';
import { DEFAULT_CHANNEL_OPTIONS } from '../config/channel-options.js';
import { ClientContext } from '../context/client-context.js';
import { explainClient, type Explanation } from './explain.js';
import { DELEGATED_OPTION, DelegatedBalancers } from './delegated-balancers.js';
import { withHashKey } from '../call/hash-key.js';
import { GuardedChannel } from './guarded-channel.js';
import { registerOwn } from './register.js';
import { pendingSource } from '../resolver/source-summary.js';

const STATES: Readonly<Record<connectivityState, ClientState>> = {
  [connectivityState.IDLE]: 'idle',
  [connectivityState.CONNECTING]: 'connecting',
  [connectivityState.READY]: 'ready',
  [connectivityState.TRANSIENT_FAILURE]: 'transient_failure',
  [connectivityState.SHUTDOWN]: 'shutdown',
};

/** Another library resolves and balances the target, as `xds:///orders`. */
export function isDelegated(target: string): boolean {
  return delegatedSchemeOf(parseTarget(target)) !== undefined;
}

/** What is wrong with a delegated target, and with options that would have no effect beside it. */
export function delegatedFaults(target: string, loadBalancing: LoadBalancingOptions = {}): Fault[] {
  const parsed = parseTarget(target);
  const idle = Object.entries(loadBalancing).filter(([, value]) => value !== undefined);
  return [
    ...(delegatedSchemeOf(parsed)?.check(parsed) ?? []),
    ...idle.map(([key]) => ({
      path: `loadBalancing.${key}`,
      message: `has no effect with ${shown(target)}, where the control plane decides; remove it`,
    })),
  ];
}

/**
 * A channel whose target belongs to another library: it finds the endpoints, balances, retries and sets timeouts. The
 * window into it shows what the channel says of itself, and all of the balancers of this package that the library uses.
 */
export class DelegatedChannel {
  /** Give it to a grpc-js client as `channelOverride`. */
  readonly channel: Channel;
  readonly #context: ClientContext;
  readonly #balancers: DelegatedBalancers;
  #connected = false;
  #lastReady: number | null = null;

  /** @throws GrpcLbOptionsError that lists all that is wrong. */
  constructor(options: BalancedChannelOptions & { readonly target: string }) {
    const { name, target, onEvent, clock, random } = options;
    const faults = delegatedFaults(target, options.loadBalancing);
    if (faults.length > 0) throw new GrpcLbOptionsError(`client ${name}`, faults);
    // So that a control plane may name `grpc_lb`.
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
    this.channel = new GuardedChannel(name, target, options.credentials, {
      ...DEFAULT_CHANNEL_OPTIONS,
      ...options.channelOptions,
      [DELEGATED_OPTION]: this.#balancers,
    });
    this.#watch();
  }

  get name(): string {
    return this.#context.name;
  }

  /** Starts discovery and connects, and stays connected: a policy that goes idle is woken. */
  connect(): void {
    if (this.#context.state === 'shutdown') return;
    this.#connected = true;
    this.channel.getConnectivityState(true);
  }

  /** What belongs together by a field of its requests, where the control plane names `ring_hash` of this package. */
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
      endpoints,
    };
  }

  explain(): Explanation {
    const { views, loadBalancing } = this.#balancers;
    // Between several balancers the library chooses, and does not say how.
    if (loadBalancing !== null) return explainClient(this.snapshot(), views.length === 1 ? views[0]!.explain() : []);
    const next =
      this.#context.state === 'ready' ? 'is sent at once' : `waits or fails: the channel is ${this.#context.state}`;
    return { client: this.name, rule: 'the control plane decides, and does not report how', next, endpoints: [] };
  }

  /** @throws GrpcLbOptionsError, unless there is nothing in it: the control plane decides. */
  configure(loadBalancing: LoadBalancingOptions): void {
    const faults = delegatedFaults(this.#context.targets[0]!, loadBalancing);
    if (faults.length > 0) throw new GrpcLbOptionsError(`client ${this.name}`, faults);
  }

  close(): void {
    this.#context.setState('shutdown');
    this.channel.close();
  }

  readonly #watch = (): void => {
    if (this.#context.state === 'shutdown') return;
    const state = this.channel.getConnectivityState(this.#connected);
    if (state === connectivityState.READY) this.#lastReady ??= Date.now();
    this.#context.setState(STATES[state]);
    if (state !== connectivityState.SHUTDOWN) this.channel.watchConnectivityState(state, Infinity, this.#watch);
  };

  /** The library keeps to itself how it fares; but a channel that has been ready has been told of endpoints. */
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
