import type { Cancel } from '../../core/clock.js';
import { isDeepStrictEqual } from 'node:util';
import { type ChannelOptions, connectivityState, Metadata, status as Status, type StatusObject } from '@grpc/grpc-js';
import type { Endpoint } from '../../core/endpoint.js';
import { PeerComparison } from '../../core/balancing/health/peer-comparison.js';
import type { EffectiveLoadBalancing } from '../../core/options/load-balancing.js';
import type { EndpointChance } from '../../core/picking/chances.js';
import type { LoadReport } from '../../core/policy/load-report.js';
import { PolicySet } from '../../core/policy/policy-set.js';
import { printable } from '../../core/printable.js';
import type { EndpointSnapshot, PrioritySnapshot } from '../../core/snapshot.js';
import { type BalancerView, ClientContext, CONTEXT_OPTION } from '../context/client-context.js';
import { ConnectGate } from '../endpoint/connect-gate.js';
import type { Connection } from '../endpoint/connection.js';
import type { ConnectionEnvironment } from '../endpoint/connection-environment.js';
import { EndpointPool } from './endpoint-pool.js';
import type { StandbyEndpoint } from '../channel/explain.js';
import {
  type ChannelControlHelper,
  type GrpcEndpoint,
  type LoadBalancer,
  type Picker,
  PickResultType,
  type StatusOr,
  type TypedLoadBalancingConfig,
} from '../experimental.js';
import { DELEGATED_OPTION, type DelegatedBalancers } from '../channel/delegated-balancers.js';
import { endpointsOf } from './delegated-endpoints.js';
import { LbConfig } from '../config/lb-config.js';
import { CallBook, QUEUE } from '../call/pick.js';
import { BalancedPicker } from './picker.js';
import type { EndpointOwner, PooledEndpoint } from '../endpoint/pooled-endpoint.js';
import { Routing } from './routing.js';
import { PendingCalls } from '../call/pending-calls.js';

/**
 * The balancer of one channel: keeps the endpoints that discovery names, and publishes one picker over those that are
 * ready. An update changes only what differs; what stays keeps its connections and counters.
 */
export class Balancer implements LoadBalancer, EndpointOwner, BalancerView, ConnectionEnvironment {
  context!: ClientContext;
  channelOptions: ChannelOptions = {};
  connectGate!: ConnectGate;
  peers!: PeerComparison;

  #book!: CallBook;
  #pendingCalls!: PendingCalls;
  #policies!: PolicySet;
  /** What they were made of. */
  #policyOptions: Pick<EffectiveLoadBalancing, 'policy' | 'methods'> | undefined;
  #pool!: EndpointPool;
  #routing!: Routing;
  #stopStallWatch: Cancel | undefined;
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
      this.#fail(endpoints.ok ? `discovery lists no endpoints${note}` : printable(endpoints.error.details));
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
    this.#stopStallWatch?.();
    this.#book.close();
    this.#pendingCalls.close();
    if (this.context.balancer !== this) return;
    this.context.balancer = undefined;
    this.context.setState('idle');
  }

  reconfigure(): void {
    this.#renewPolicies();
    this.#whilePaused(() => {
      this.#pool.rearrange();
      this.#policies.members([...this.#pool.endpoints]);
      for (const endpoint of this.#pool.endpoints) {
        endpoint.connections.configure();
        if (!this.context.loadBalancing.ejection.enabled) endpoint.passiveHealth.endEjection();
      }
    });
    this.#publish();
  }

  rearrange(): void {
    this.#whilePaused(() => this.#pool.rearrange());
    this.#policies.members([...this.#pool.endpoints]);
    this.#publish();
  }

  endpointChanged(endpoint: PooledEndpoint): void {
    if (!this.#paused && !this.#pool.isDraining(endpoint)) this.#publish();
  }

  askDiscovery(): void {
    this.context.discovery?.refresh();
    // A channel that was built without this package has a resolver that knows nothing of the context.
    if (!this.#hasOwnResolver) this.helper.requestReresolution();
  }

  endpointConnected(endpoint: PooledEndpoint): void {
    this.#policies.ready(endpoint);
    // The first after an outage: it need not bear all calls until the backoffs of the others are over.
    const others = [...this.#pool.endpoints].filter((each) => each !== endpoint);
    if (!others.some(({ connected }) => connected)) for (const each of others) each.connections.dialNow();
  }

  loadReported(endpoint: PooledEndpoint, report: LoadReport): void {
    this.#policies.report(endpoint, report);
  }

  /** Connections ask for it when they are ready, and when something is configured. */
  get reportInterval(): number | undefined {
    return this.#policies.reportInterval;
  }

  endpointGone(endpoint: PooledEndpoint): void {
    if (!this.#pool.endpointGone(endpoint)) return;
    this.#policies.forget(endpoint);
    this.context.emit({ type: 'endpoint_removed', address: endpoint.key });
  }

  get inFlight(): number {
    return this.#pool.all.reduce((sum, endpoint) => sum + endpoint.running, 0);
  }

  get pending(): number {
    return this.#pendingCalls.pending;
  }

  endpoints(): EndpointSnapshot[] {
    return this.#pool.all.map((endpoint) => endpoint.snapshot());
  }

  standbys(): StandbyEndpoint[] {
    return this.#pool.standbys;
  }

  priorities(): PrioritySnapshot[] {
    return this.#routing.priorities();
  }

  get panic(): boolean {
    return this.#routing.traffic.panic;
  }

  explain(): readonly EndpointChance[] {
    return this.#routing.explain(this.#policies.common);
  }

  /** Takes the channel's context on the first update, or makes one for a channel that was built without Nest. */
  #accept(config: LbConfig, channelOptions: ChannelOptions): boolean {
    if (!this.context) {
      const shared = channelOptions[CONTEXT_OPTION] as ClientContext | undefined;
      const delegated = channelOptions[DELEGATED_OPTION] as DelegatedBalancers | undefined;
      this.context =
        shared ??
        delegated?.contextFor(config.loadBalancing) ??
        new ClientContext(this.typeName, [''], config.loadBalancing);
      this.context.balancer = this;
      this.#stopStallWatch = this.context.ownStall.watch();
      this.connectGate = new ConnectGate(this.context.clock, this.context.random);
      this.peers = new PeerComparison(this.context.clock, () => this.context.loadBalancing.ejection);
      this.#pool = new EndpointPool(this, this);
      const onReportRejected = ({ key }: PooledEndpoint): void => this.context.loadReportRejected(key);
      this.#book = new CallBook(this.context.clock, this.#onRelease, onReportRejected, channelOptions);
      this.#routing = new Routing(this.context, this.#pool, this.#book);
      this.#pendingCalls = new PendingCalls(this.context, () => this.#publish());
    }
    this.channelOptions = channelOptions;
    // A client that was built by this package brings its options in its context; they may change while it runs.
    this.#hasOwnResolver = channelOptions[CONTEXT_OPTION] !== undefined;
    if (config.faults.length > 0) {
      // The last good config stays.
      if (this.#policyOptions) return true;
      this.#fail(config.faults.map(({ path, message }) => `${path} ${message}`).join('; '));
      return false;
    }
    // Without, grpc-js parses the service config anew with each list; only what differs makes a new policy.
    if (!this.#hasOwnResolver && !isDeepStrictEqual(this.context.loadBalancing, config.loadBalancing)) {
      this.context.loadBalancing = config.loadBalancing;
      if (this.#policyOptions) this.reconfigure();
    }
    this.#renewPolicies();
    return true;
  }

  #adopt(list: readonly Endpoint[]): void {
    this.#whilePaused(() => this.#pool.adopt(list));
    this.#policies.members([...this.#pool.endpoints]);
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
    this.#pendingCalls.roomMayHaveCome();
  };

  #publish(): void {
    if (this.#closed) return;
    this.#book.failureCodes = this.context.loadBalancing.ejection.failureCodes;
    this.#renewPolicies();
    while (this.#whilePaused(() => this.#pool.activateIfNeeded())) this.#policies.members([...this.#pool.endpoints]);
    this.#routing.update();
    this.#pendingCalls.published();
    const all = [...this.#pool.endpoints];
    const { pickable, probing } = this.#routing.traffic;
    if (pickable.length > 0 || probing.length > 0) {
      this.context.setState('ready');
      const picker = new BalancedPicker(
        this.#routing.traffic,
        this.#policies,
        this.#book,
        this.#pendingCalls,
        this.context.random,
        this.#routing.crossShare,
      );
      this.helper.updateState(connectivityState.READY, picker, null);
    } else if (all.some((endpoint) => endpoint.state === 'connecting')) {
      this.context.setState('connecting');
      this.helper.updateState(connectivityState.CONNECTING, { pick: () => QUEUE }, null);
    } else if (all.length > 0) {
      const reasons = [...new Set(all.map((endpoint) => endpoint.reason))].slice(0, 3).join('; ');
      this.#fail(
        `${all.length === 1 ? 'the only endpoint is not ready' : `none of ${all.length} endpoints is ready`}: ${reasons}`,
      );
    }
  }

  /** What policies have learned stays, whatever else is configured. */
  #renewPolicies(): void {
    const { policy, methods } = this.context.loadBalancing;
    if (isDeepStrictEqual(this.#policyOptions, { policy, methods })) return;
    this.#policyOptions = { policy, methods };
    this.#policies = new PolicySet(policy, methods, this.context.random, this.context.clock);
    this.#policies.members([...this.#pool.endpoints]);
  }

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
