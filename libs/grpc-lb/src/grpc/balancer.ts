import type { Cancel } from '../core/clock.js';
import { isDeepStrictEqual } from 'node:util';
import { type ChannelOptions, connectivityState, Metadata, status as Status, type StatusObject } from '@grpc/grpc-js';
import type { Endpoint } from '../core/endpoint.js';
import { Spillover } from '../core/locality/spillover.js';
import { mayEject } from '../core/health/outlier.js';
import type { EffectiveLocalityOptions } from '../core/options/locality-options.js';
import type { PolicyConfig } from '../core/options/policy-config.js';
import { createPolicy } from '../core/policy/create-policy.js';
import type { Policy } from '../core/policy/policy.js';
import type { EndpointSnapshot, PrioritySnapshot } from '../core/snapshot.js';
import { type BalancerView, ClientContext, CONTEXT_OPTION } from './client-context.js';
import { ConnectGate } from './connect-gate.js';
import type { Connection, ConnectionEnvironment } from './connection.js';
import { EndpointPool } from './endpoint-pool.js';
import {
  type ChannelControlHelper,
  type GrpcEndpoint,
  type LoadBalancer,
  type Picker,
  PickResultType,
  type StatusOr,
  type TypedLoadBalancingConfig,
} from './experimental.js';
import { FOREIGN_OPTION, type ForeignBalancers } from './foreign-balancers.js';
import { endpointsOf } from './foreign-endpoints.js';
import { LbConfig } from './lb-config.js';
import { CallBook, QUEUE } from './pick.js';
import { BalancedPicker } from './picker.js';
import type { EndpointOwner, PooledEndpoint } from './pooled-endpoint.js';
import { type LevelTraffic, NO_TRAFFIC, type Traffic, trafficOf } from './traffic.js';
import { chancesOf } from './chances.js';
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
  connectGate!: ConnectGate;

  #book!: CallBook;
  #waitingRoom!: WaitingRoom;
  #policy!: Policy;
  #policyConfig: PolicyConfig | undefined;
  #pool!: EndpointPool;
  #traffic: Traffic = NO_TRAFFIC;
  #cancelDecay: Cancel | undefined;
  #localityOptions: EffectiveLocalityOptions | undefined;
  /** The failover that was told last; that all calls go to the first priority is where it begins. */
  #toldOf = '0 10';
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
    // An empty list of our own resolver is the truth; that of another may be a mishap.
    const list = endpoints.ok && (endpoints.value.length > 0 || this.#hasOwnResolver) ? endpoints.value : undefined;
    if (list) this.#adopt(endpointsOf(list));
    if (this.#pool.size === 0) {
      const note = resolutionNote === '' ? '' : `: ${resolutionNote}`;
      this.#fail(endpoints.ok ? `discovery names no endpoint${note}` : endpoints.error.details);
    }
    return !endpoints.ok || list !== undefined;
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
    this.#pool.close();
    this.#cancelDecay?.();
    this.#book.close();
    this.#waitingRoom.close();
    if (this.context.balancer !== this) return;
    this.context.balancer = undefined;
    this.context.setState('idle');
  }

  reconfigure(): void {
    this.#whilePaused(() => {
      this.#pool.rearrange();
      for (const endpoint of this.#pool.endpoints) {
        endpoint.connections.configure();
        if (!this.context.loadBalancing.ejection.enabled) endpoint.readmit();
      }
    });
    this.#publish();
  }

  rearrange(): void {
    this.#whilePaused(() => this.#pool.rearrange());
    this.#publish();
  }

  endpointChanged(endpoint: PooledEndpoint): void {
    if (!this.#paused && !this.#pool.isDraining(endpoint)) this.#publish();
  }

  /** Ejects it, if that leaves enough others. */
  outlierFound(endpoint: PooledEndpoint, reason: string): void {
    const others = [...this.#pool.endpoints].filter((each) => each !== endpoint && each.connected);
    const ejected = others.filter((each) => each.outlier.state.kind !== 'admitted').length;
    const { maxEjectionPercent } = this.context.loadBalancing.ejection;
    if (others.some((each) => each.well) && mayEject(ejected, others.length + 1, maxEjectionPercent))
      endpoint.eject(reason);
  }

  askDiscovery(): void {
    this.context.discovery?.refresh();
    // A channel that was built without this package has a resolver that knows nothing of the context.
    if (!this.#hasOwnResolver) this.helper.requestReresolution();
  }

  failuresRemembered(): void {
    this.#cancelDecay ??= this.context.clock.after(DECAY_INTERVAL_MS, this.#decay);
  }

  endpointGone(endpoint: PooledEndpoint): void {
    if (this.#pool.endpointGone(endpoint)) this.context.emit({ type: 'endpoint_removed', address: endpoint.key });
  }

  get inFlight(): number {
    return this.#pool.all.reduce((sum, endpoint) => sum + endpoint.inFlight, 0);
  }

  get pending(): number {
    return this.#waitingRoom.pending;
  }

  endpoints(): EndpointSnapshot[] {
    return this.#pool.all.map((endpoint) => endpoint.snapshot());
  }

  priorities(): PrioritySnapshot[] {
    return this.#traffic.levels.map((level) => ({
      priority: level.priority,
      share: level.share,
      endpoints: level.known,
      well: level.well,
      crossZoneShare: level.zoned ? (level.far ? this.#crossShare(level) : level.crossAtLeast) : null,
    }));
  }

  get panic(): boolean {
    return this.#traffic.panic;
  }

  explain(): [string, number][] {
    return chancesOf(this.#traffic, this.#policy, (level) => this.#crossShare(level));
  }

  /** Takes the channel's context on the first update, or makes one for a channel that was built without Nest. */
  #accept(config: LbConfig, channelOptions: ChannelOptions): boolean {
    if (!this.context) {
      const shared = channelOptions[CONTEXT_OPTION] as ClientContext | undefined;
      const foreign = channelOptions[FOREIGN_OPTION] as ForeignBalancers | undefined;
      this.context =
        shared ??
        foreign?.contextFor(config.loadBalancing) ??
        new ClientContext(this.typeName, [''], config.loadBalancing);
      this.context.balancer = this;
      this.connectGate = new ConnectGate(this.context.clock, this.context.random);
      this.#pool = new EndpointPool(this, this);
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

  #adopt(list: readonly Endpoint[]): void {
    this.#whilePaused(() => this.#pool.adopt(list));
    this.#publish();
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

  readonly #onRelease = (endpoint: PooledEndpoint, connection: Connection): void => {
    endpoint.connections.released(connection);
    this.#waitingRoom.roomMayHaveCome();
  };

  #publish(): void {
    if (this.#closed) return;
    const { policy: config, ejection } = this.context.loadBalancing;
    this.#book.failureCodes = ejection.failureCodes;
    this.#watchZones();
    if (config !== this.#policyConfig) {
      this.#policyConfig = config;
      this.#policy = createPolicy(config, this.context.random);
    }
    this.#route();
    this.#waitingRoom.published();
    const all = [...this.#pool.endpoints];
    const { pickable, probing } = this.#traffic;
    if (pickable.length > 0 || probing.length > 0) {
      this.context.setState('ready');
      const picker = new BalancedPicker(
        this.#traffic,
        this.#policy,
        this.#book,
        this.#waitingRoom,
        this.context.random,
        (level) => this.#crossShare(level),
      );
      this.helper.updateState(connectivityState.READY, picker, null);
    } else if (all.some((endpoint) => endpoint.state === 'connecting')) {
      this.context.setState('connecting');
      this.helper.updateState(connectivityState.CONNECTING, { pick: () => QUEUE }, null);
    } else if (all.length > 0) {
      const reasons = [...new Set(all.map((endpoint) => endpoint.reason))].slice(0, 3).join('; ');
      this.#fail(`none of ${all.length} endpoints is ready: ${reasons}`);
    }
  }

  /** Works out where calls may go; connects the next priority if those that are connected cannot bear them. */
  #route(): void {
    while (this.#whilePaused(() => this.#pool.activateIfNeeded()));
    const { panic: before } = this.#traffic;
    this.#traffic = trafficOf(this.#pool.levels, this.context.loadBalancing.health);
    const { panic, well, connected, open } = this.#traffic;
    if (panic !== before) this.context.emit({ type: 'panic', on: panic, well, connected });
    if (open.length > 0) this.#tellOfFailover(open[0]!);
  }

  /** In steps of a tenth: while endpoints come and go one by one, each is not news. */
  #tellOfFailover({ priority, share }: LevelTraffic): void {
    const key = `${priority} ${Math.round(share * 10)}`;
    if (key === this.#toldOf) return;
    this.#toldOf = key;
    this.context.emit({ type: 'failover', priority, share });
  }

  /** Where zones do not count, no latency needs to be measured. */
  #watchZones(): void {
    const { zone, loadBalancing } = this.context;
    if (loadBalancing.locality === this.#localityOptions) return;
    this.#localityOptions = loadBalancing.locality;
    this.#book.spillover = zone === undefined ? undefined : new Spillover(loadBalancing.locality);
  }

  /** A zone that is overloaded shows in the latency of its calls. */
  #crossShare({ crossAtLeast, evenShare }: LevelTraffic): number {
    return this.#book.spillover?.share(crossAtLeast, evenShare) ?? crossAtLeast;
  }

  /** Failures are forgotten with time, also by endpoints that get no calls. */
  readonly #decay = (): void => {
    let fading = false;
    for (const endpoint of this.#pool.endpoints) {
      endpoint.refreshFailureFactor();
      fading ||= endpoint.failureFactor > 1;
    }
    this.#cancelDecay = fading ? this.context.clock.after(DECAY_INTERVAL_MS, this.#decay) : undefined;
  };

  #fail(reason: string): void {
    const details = `client ${this.context.name}: ${reason}`;
    this.context.setState('transient_failure', reason);
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
