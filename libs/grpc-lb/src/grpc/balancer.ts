import type { Cancel } from '../core/clock.js';
import { isDeepStrictEqual } from 'node:util';
import { type ChannelOptions, connectivityState, Metadata, status as Status, type StatusObject } from '@grpc/grpc-js';
import { addressToString, type Endpoint } from '../core/endpoint.js';
import { diffEndpoints, type EndpointDiff } from '../core/endpoint-diff.js';
import { mayEject } from '../core/health/outlier.js';
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
import { CallBook, QUEUE } from './pick.js';
import { BalancedPicker } from './picker.js';
import { type EndpointOwner, PooledEndpoint } from './pooled-endpoint.js';
import { type Rotation, rotationOf } from './rotation.js';
import { WaitingRoom } from './waiting-room.js';

/** How often the memory of failures is brought up to date. */
const DECAY_INTERVAL_MS = 250;

/**
 * The balancer of one channel: keeps the endpoints that discovery names, and publishes one picker over those that are
 * ready. An update changes only what differs; what stays keeps its connections and counters.
 */
export class Balancer implements LoadBalancer, EndpointOwner, BalancerView, ConnectionEnvironment {
  context!: ClientContext;
  channelOptions: ChannelOptions = {};

  #book!: CallBook;
  #waitingRoom!: WaitingRoom;
  #policy!: Policy;
  #policyConfig: PolicyConfig | undefined;
  /** In the order of discovery. */
  #endpoints = new Map<string, PooledEndpoint>();
  readonly #draining = new Set<PooledEndpoint>();
  #rotation: Rotation = rotationOf([], 0);
  #cancelDecay: Cancel | undefined;
  /** There has been a list before: who joins now, joins later. */
  #adopted = false;
  #connectionIds = 0;
  #hasOwnResolver = false;
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
    for (const endpoint of this.#all()) endpoint.close();
    this.#cancelDecay?.();
    this.#book.close();
    this.#waitingRoom.close();
    if (this.context.balancer !== this) return;
    this.context.balancer = undefined;
    this.context.setState('idle');
  }

  reconfigure(): void {
    this.#whilePaused(() => {
      for (const endpoint of this.#endpoints.values()) {
        endpoint.connections.configure();
        if (!this.context.loadBalancing.ejection.enabled) endpoint.readmit();
      }
    });
    this.#publish();
  }

  endpointChanged(endpoint: PooledEndpoint): void {
    if (!this.#paused && !this.#draining.has(endpoint)) this.#publish();
  }

  /** Ejects it, if that leaves enough others. */
  outlierFound(endpoint: PooledEndpoint, reason: string): void {
    const others = [...this.#endpoints.values()].filter((each) => each !== endpoint && each.connected);
    const ejected = others.filter((each) => each.outlier.state.kind !== 'admitted').length;
    const { maxEjectionPercent } = this.context.loadBalancing.ejection;
    if (others.some((each) => each.well) && mayEject(ejected, others.length + 1, maxEjectionPercent))
      endpoint.eject(reason);
  }

  askDiscovery(): void {
    this.context.refreshDiscovery();
    // A channel that was built without this package has a resolver that knows nothing of the context.
    if (!this.#hasOwnResolver) this.helper.requestReresolution();
  }

  failuresRemembered(): void {
    this.#cancelDecay ??= this.context.clock.after(DECAY_INTERVAL_MS, this.#decay);
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

  get panic(): boolean {
    return this.#rotation.panic;
  }

  explain(): [string, number][] {
    const { warm, cold, pickable } = this.#rotation;
    if (warm.length === 0) return [];
    const coldChances = cold.map(({ key, warmth }): [string, number] => [key, warmth / pickable.length]);
    const rest = 1 - coldChances.reduce((sum, [, chance]) => sum + chance, 0);
    const chances = this.#policy.chances(warm);
    return [...warm.map(({ key }, i): [string, number] => [key, chances[i]! * rest]), ...coldChances];
  }

  #all(): PooledEndpoint[] {
    return [...this.#endpoints.values(), ...this.#draining];
  }

  /** Takes the channel's context on the first update, or makes one for a channel that was built without Nest. */
  #accept(config: LbConfig, channelOptions: ChannelOptions): boolean {
    if (!this.context) {
      const shared = channelOptions[CONTEXT_OPTION] as ClientContext | undefined;
      this.context = shared ?? new ClientContext(this.typeName, '', config.loadBalancing);
      this.context.balancer = this;
      this.#book = new CallBook(this.context.clock, this.#onRelease);
      this.#waitingRoom = new WaitingRoom(this.context, () => this.#publish());
    }
    this.channelOptions = channelOptions;
    // A client that was built by this package brings its options in its context; they may change while it runs.
    this.#hasOwnResolver = channelOptions[CONTEXT_OPTION] !== undefined;
    if (config.faults.length > 0) {
      // The last good config stays.
      if (this.#policyConfig) return true;
      this.#fail(config.faults.map(({ path, message }) => `${path} ${message}`).join('; '));
      return false;
    }
    // Without, grpc-js parses the service config anew with each list; only what differs makes a new policy.
    if (!this.#hasOwnResolver && !isDeepStrictEqual(this.context.loadBalancing, config.loadBalancing)) {
      this.context.loadBalancing = config.loadBalancing;
      if (this.#policyConfig) this.reconfigure();
    }
    return true;
  }

  #adopt(next: readonly Endpoint[]): void {
    const { added, kept, removed } = diffEndpoints(this.#endpoints, next);
    const arrangement = this.#whilePaused(() => this.#arrange(next, kept, removed));
    this.#endpoints = arrangement;
    this.#adopted = true;
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

  /** The endpoints of the new list, in its order; what is not in it drains. */
  #arrange(
    next: readonly Endpoint[],
    kept: EndpointDiff<PooledEndpoint>['kept'],
    removed: readonly PooledEndpoint[],
  ): Map<string, PooledEndpoint> {
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
    return arrangement;
  }

  /** One picker for many changes. */
  #whilePaused<T>(change: () => T): T {
    this.#paused = true;
    try {
      return change();
    } finally {
      this.#paused = false;
    }
  }

  #join(endpoint: Endpoint): PooledEndpoint {
    const key = addressToString(endpoint.address);
    const returning = [...this.#draining].find((each) => each.key === key);
    if (returning) {
      this.#draining.delete(returning);
      returning.revive();
      return returning;
    }
    const pooled = new PooledEndpoint(endpoint, this, this, this.#adopted);
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
    const { policy: config, ejection } = this.context.loadBalancing;
    this.#book.failureCodes = ejection.failureCodes;
    if (config !== this.#policyConfig) {
      this.#policyConfig = config;
      this.#policy = createPolicy(config, this.context.random);
    }
    const all = [...this.#endpoints.values()];
    this.#rotate(all);
    this.#waitingRoom.published();
    if (this.#rotation.pickable.length > 0) {
      this.context.setState('ready');
      const picker = new BalancedPicker(
        this.#rotation,
        this.#policy,
        this.#book,
        this.#waitingRoom,
        this.context.random,
      );
      this.helper.updateState(connectivityState.READY, picker, null);
    } else if (all.length === 0 || all.some((endpoint) => endpoint.state === 'connecting')) {
      this.context.setState('connecting');
      this.helper.updateState(connectivityState.CONNECTING, { pick: () => QUEUE }, null);
    } else {
      const reasons = [...new Set(all.map((endpoint) => endpoint.reason))].slice(0, 3).join('; ');
      this.#fail(`client ${this.context.name}: none of ${all.length} endpoints is ready: ${reasons}`);
    }
  }

  #rotate(all: readonly PooledEndpoint[]): void {
    const { panic: before } = this.#rotation;
    this.#rotation = rotationOf(all, this.context.loadBalancing.health.panicThreshold);
    const { panic, well, connected } = this.#rotation;
    if (panic !== before) this.context.emit({ type: 'panic', on: panic, well, connected });
  }

  /** Failures are forgotten with time, also by endpoints that get no calls. */
  readonly #decay = (): void => {
    let fading = false;
    for (const endpoint of this.#endpoints.values()) {
      endpoint.refreshFailureFactor();
      fading ||= endpoint.failureFactor > 1;
    }
    this.#cancelDecay = fading ? this.context.clock.after(DECAY_INTERVAL_MS, this.#decay) : undefined;
  };

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
