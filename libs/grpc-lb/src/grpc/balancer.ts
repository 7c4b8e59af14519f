import { isDeepStrictEqual } from 'node:util';
import { type ChannelOptions, connectivityState, Metadata, status as Status, type StatusObject } from '@grpc/grpc-js';
import { addressToString, type Endpoint } from '../core/endpoint.js';
import { diffEndpoints } from '../core/endpoint-diff.js';
import { Ledger } from '../core/ledger.js';
import type { PolicyConfig } from '../core/options/policy-config.js';
import { createPolicy } from '../core/policy/create-policy.js';
import type { Policy } from '../core/policy/policy.js';
import type { EndpointSnapshot } from '../core/snapshot.js';
import { type BalancerView, ClientContext, CONTEXT_OPTION } from './client-context.js';
import type { Connection, ConnectionEnvironment } from './connection.js';
import {
  type ChannelControlHelper,
  type GrpcEndpoint,
  type LoadBalancer,
  type Picker,
  PickResultType,
  type StatusOr,
  type TypedLoadBalancingConfig,
} from './experimental.js';
import { LbConfig } from './lb-config.js';
import { QUEUE } from './pick.js';
import { BalancedPicker } from './picker.js';
import { type EndpointOwner, PooledEndpoint } from './pooled-endpoint.js';
import { WaitingRoom } from './waiting-room.js';

/**
 * The balancer of one channel: keeps the endpoints that discovery names, and publishes one picker over those that are
 * ready. An update changes only what differs; what stays keeps its connections and counters.
 */
export class Balancer implements LoadBalancer, EndpointOwner, BalancerView, ConnectionEnvironment {
  context!: ClientContext;
  channelOptions: ChannelOptions = {};

  #ledger!: Ledger<PooledEndpoint, Connection>;
  #waitingRoom!: WaitingRoom;
  #policy!: Policy;
  #policyConfig: PolicyConfig | undefined;
  /** In the order of discovery. */
  #endpoints = new Map<string, PooledEndpoint>();
  readonly #draining = new Set<PooledEndpoint>();
  #pickable: readonly PooledEndpoint[] = [];
  #connectionIds = 0;
  #paused = false;
  #closed = false;

  constructor(
    private readonly typeName: string,
    readonly helper: ChannelControlHelper,
  ) {}

  getTypeName(): string {
    return this.typeName;
  }

  nextConnectionId(): number {
    return ++this.#connectionIds;
  }

  updateAddressList(
    endpoints: StatusOr<GrpcEndpoint[]>,
    config: TypedLoadBalancingConfig,
    channelOptions: ChannelOptions,
    resolutionNote: string,
  ): boolean {
    if (!(config instanceof LbConfig)) return false;
    if (!this.#accept(config, channelOptions)) return true;
    if (!endpoints.ok || endpoints.value.length === 0) {
      // Without a list there is nothing to fall back on; with one, it stays in use.
      const why = endpoints.ok ? `discovery names no endpoint. ${resolutionNote}` : endpoints.error.details;
      if (this.#endpoints.size === 0) this.#fail(`client ${this.context.name}: ${why}`);
      return !endpoints.ok;
    }
    this.#adopt(endpoints.value.flatMap(asEndpoints));
    return true;
  }

  exitIdle(): void {
    // Every endpoint is kept connected: there is nothing to wake.
  }

  resetBackoff(): void {
    // Each subchannel has its own backoff, and grpc-js offers no way to reset it from here.
  }

  destroy(): void {
    if (this.#closed || !this.context) return;
    this.#closed = true;
    for (const endpoint of this.#all()) endpoint.connections.close();
    this.#ledger.close();
    this.#waitingRoom.close();
    if (this.context.balancer !== this) return;
    this.context.balancer = undefined;
    this.context.setState('idle');
  }

  reconfigure(): void {
    this.#paused = true;
    for (const endpoint of this.#endpoints.values()) endpoint.connections.configure();
    this.#paused = false;
    this.#publish();
  }

  endpointChanged(endpoint: PooledEndpoint): void {
    if (!this.#paused && !this.#draining.has(endpoint)) this.#publish();
  }

  endpointGone(endpoint: PooledEndpoint): void {
    if (this.#draining.delete(endpoint)) this.context.emit({ type: 'endpoint_removed', address: endpoint.key });
  }

  get inFlight(): number {
    return this.#all().reduce((sum, endpoint) => sum + endpoint.inFlight, 0);
  }

  get pending(): number {
    return this.#waitingRoom.pending;
  }

  endpoints(): EndpointSnapshot[] {
    return this.#all().map((endpoint) => endpoint.snapshot());
  }

  explain(): [string, number][] {
    if (this.#pickable.length === 0) return [];
    const chances = this.#policy.chances(this.#pickable);
    return this.#pickable.map((endpoint, i) => [endpoint.key, chances[i]!]);
  }

  #all(): PooledEndpoint[] {
    return [...this.#endpoints.values(), ...this.#draining];
  }

  /** Takes the channel's context on the first update, or makes one for a channel that was built without Nest. */
  #accept(config: LbConfig, channelOptions: ChannelOptions): boolean {
    if (!this.context) {
      const shared = channelOptions[CONTEXT_OPTION] as ClientContext | undefined;
      this.context = shared ?? new ClientContext('', '', config.loadBalancing);
      this.context.balancer = this;
      this.#ledger = new Ledger(this.context.clock, this.#onRelease);
      this.#waitingRoom = new WaitingRoom(this.context, () => this.#publish());
    }
    this.channelOptions = channelOptions;
    if (config.faults.length > 0) {
      this.#fail(config.faults.map(({ path, message }) => `${path} ${message}`).join('; '));
      return false;
    }
    // A client that was built by this package brings its options in its context; they may change while it runs.
    // Without, grpc-js parses the service config anew with each list; only what differs makes a new policy.
    const same = isDeepStrictEqual(this.context.loadBalancing, config.loadBalancing);
    if (!channelOptions[CONTEXT_OPTION] && !same) this.context.loadBalancing = config.loadBalancing;
    return true;
  }

  #adopt(next: readonly Endpoint[]): void {
    const { added, kept, removed } = diffEndpoints(this.#endpoints, next);
    this.#paused = true;
    for (const endpoint of removed) {
      this.#endpoints.delete(endpoint.key);
      this.#draining.add(endpoint);
      endpoint.drain();
    }
    const staying = new Map(kept.map(([pooled]) => [pooled.key, pooled]));
    const arrangement = new Map<string, PooledEndpoint>();
    for (const endpoint of next) {
      const key = addressToString(endpoint.address);
      if (arrangement.has(key)) continue;
      const pooled = staying.get(key) ?? this.#join(endpoint);
      pooled.weight = endpoint.weight ?? 1;
      arrangement.set(key, pooled);
    }
    this.#endpoints = arrangement;
    this.#paused = false;
    if (added.length > 0 || removed.length > 0) {
      this.context.emit({
        type: 'discovery_updated',
        added: added.length,
        removed: removed.length,
        total: arrangement.size,
      });
    }
    this.#publish();
  }

  #join(endpoint: Endpoint): PooledEndpoint {
    const key = addressToString(endpoint.address);
    const returning = [...this.#draining].find((each) => each.key === key);
    if (returning) {
      this.#draining.delete(returning);
      returning.revive();
      return returning;
    }
    const pooled = new PooledEndpoint(endpoint, this, this);
    this.context.emit({ type: 'endpoint_added', address: key });
    pooled.connections.configure();
    return pooled;
  }

  readonly #onRelease = (endpoint: PooledEndpoint, connection: Connection): void => {
    endpoint.connections.released(connection);
    this.#waitingRoom.roomMayHaveCome();
  };

  #publish(): void {
    if (this.#closed) return;
    const config = this.context.loadBalancing.policy;
    if (config !== this.#policyConfig) {
      this.#policyConfig = config;
      this.#policy = createPolicy(config, this.context.random);
    }
    const all = [...this.#endpoints.values()];
    this.#pickable = all.filter((endpoint) => endpoint.pickable);
    this.#waitingRoom.published();
    if (this.#pickable.length > 0) {
      this.context.setState('ready');
      const picker = new BalancedPicker(this.#pickable, this.#policy, this.#ledger, this.#waitingRoom);
      this.helper.updateState(connectivityState.READY, picker, null);
    } else if (all.length === 0 || all.some((endpoint) => endpoint.state === 'connecting')) {
      this.context.setState('connecting');
      this.helper.updateState(connectivityState.CONNECTING, { pick: () => QUEUE }, null);
    } else {
      const reasons = [...new Set(all.map((endpoint) => endpoint.reason))].slice(0, 3).join('; ');
      this.#fail(`client ${this.context.name}: none of ${all.length} endpoints is ready: ${reasons}`);
    }
  }

  #fail(details: string): void {
    this.context.setState('transient_failure');
    this.helper.updateState(connectivityState.TRANSIENT_FAILURE, unavailable(details), details);
  }
}

/** Every call ends with UNAVAILABLE at once, or waits if it says so (waitForReady). */
function unavailable(details: string): Picker {
  const status: StatusObject = { code: Status.UNAVAILABLE, details, metadata: new Metadata() };
  const result = {
    pickResultType: PickResultType.TRANSIENT_FAILURE,
    subchannel: null,
    status,
    onCallStarted: null,
    onCallEnded: null,
  };
  return { pick: () => result };
}

/** Fields that our resolver adds to an endpoint reach the balancer untouched. Foreign resolvers may group addresses. */
function asEndpoints(endpoint: GrpcEndpoint & { weight?: number }): Endpoint[] {
  return endpoint.addresses.map((address) => ({ address, weight: endpoint.weight ?? 1 }));
}
