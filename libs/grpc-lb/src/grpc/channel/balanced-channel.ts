import type { Channel, ChannelCredentials, ChannelOptions, Metadata } from '@grpc/grpc-js';
import type { Clock } from '../../core/clock.js';
import type { LbEventListener } from '../../core/events.js';
import {
  assertLoadBalancing,
  effectiveLoadBalancing,
  type LoadBalancingOptions,
} from '../../core/options/load-balancing.js';
import { GrpcLbClosedError, GrpcLbOptionsError } from '../../core/errors.js';
import { withoutSecrets } from '../../core/options/secrets.js';
import type { Random } from '../../core/random.js';
import type { ClientSnapshot } from '../../core/snapshot.js';
import { createEndpointSource, parseTarget } from '../../discovery/index.js';
import { channelOptionsFor, givenServiceConfig } from '../config/channel-options.js';
import { ClientContext, CONTEXT_OPTION } from '../context/client-context.js';
import { explainClient, type Explanation } from './explain.js';
import { GuardedChannel } from './guarded-channel.js';
import { withHashKey } from '../call/hash-key.js';
import { registerOwn } from './register.js';
import { GRPC_LB_SCHEME } from '../resolver/resolver.js';
import { type MethodInfo, serviceConfigFor } from '../config/service-config.js';
import { summaryOf } from '../resolver/source-summary.js';
import { tlsNameFaults } from './tls-name.js';

/** What `new BalancedChannel` takes. */
export interface BalancedChannelOptions {
  /** The name of the client in snapshots, events and errors. */
  readonly name: string;
  /**
   * Where the endpoints come from: `dns:///orders:50051`, `static:///a:1,b:2`; several targets in order of preference.
   */
  readonly target: string | readonly string[];
  /** Credentials of the connections. */
  readonly credentials: ChannelCredentials;
  /** Channel options of grpc-js; they win over `DEFAULT_CHANNEL_OPTIONS`. */
  readonly channelOptions?: ChannelOptions;
  /** How to balance. */
  readonly loadBalancing?: LoadBalancingOptions;
  /** The methods of the client's services; `retry` and `deadline` apply to them. */
  readonly methods?: readonly MethodInfo[];
  /** Receives the events of the client. */
  readonly onEvent?: LbEventListener;
  /** Default: real time. */
  readonly clock?: Clock;
  /** Default: `Math.random`. */
  readonly random?: Random;
}

/**
 * A grpc-js channel that balances. All services of a client share it.
 *
 * @example
 *   const balanced = new BalancedChannel({ name: 'ORDERS', target: 'dns:///orders:50051', credentials });
 *   const orders = new OrdersClient('ignored', credentials, { channelOverride: balanced.channel });
 */
export class BalancedChannel {
  /** Give it to a grpc-js client as `channelOverride`. */
  readonly channel: Channel;
  readonly #context: ClientContext;

  /** @throws GrpcLbOptionsError that lists all faults of the target, the credentials and the load-balancing options. */
  constructor(options: BalancedChannelOptions) {
    assertLoadBalancing(`client ${options.name}`, options.loadBalancing ?? {});
    registerOwn();
    const given = givenServiceConfig(options.channelOptions);
    const targets = [options.target].flat();
    this.#context = new ClientContext({
      ...options,
      targets,
      loadBalancing: effectiveLoadBalancing(options.loadBalancing),
      serviceConfigFor: (loadBalancing, discovered = given) =>
        serviceConfigFor(loadBalancing, options.methods ?? [], discovered),
    });
    // grpc-js would create the sources at the first call; report an invalid target now.
    for (const target of targets) createEndpointSource(parseTarget(target), this.#context);
    const faults = tlsNameFaults(targets[0]!, options.credentials, options.channelOptions);
    if (faults.length > 0) throw new GrpcLbOptionsError(`client ${options.name}`, faults);
    this.channel = new GuardedChannel(options.name, `${GRPC_LB_SCHEME}:${targets[0]!}`, options.credentials, {
      ...channelOptionsFor(options.channelOptions),
      [CONTEXT_OPTION]: this.#context,
    });
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
    // grpc-js would reopen a closed channel.
    if (this.#context.state === 'shutdown') return;
    this.channel.getConnectivityState(true);
  }

  /** The current state of the client and its endpoints. */
  snapshot(): ClientSnapshot {
    const { name, target, state, loadBalancing, balancer, zone } = this.#context;
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
      pending: balancer?.pending ?? 0,
      panic: balancer?.panic ?? false,
      endpoints: balancer?.endpoints() ?? [],
    };
  }

  /** Why the next call goes where it goes. */
  explain(): Explanation {
    const { balancer } = this.#context;
    return explainClient(this.snapshot(), balancer?.explain(), balancer?.standbys());
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
    this.#context.balancer?.reconfigure();
    this.#context.discovery?.configChanged();
    this.#context.emit({ type: 'configured' });
  }

  /** Closes the client to new calls; calls in flight end by themselves. It does not keep the process alive. */
  close(): void {
    this.#context.setState('shutdown');
    this.channel.close();
  }
}
