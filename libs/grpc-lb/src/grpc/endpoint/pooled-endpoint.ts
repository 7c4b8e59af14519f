import { addressToString, type Endpoint, type Locality } from '../../core/endpoint.js';
import { PassiveHealth, type PassiveHealthOwner } from '../../core/balancing/health/passive-health.js';
import type { PeerComparison } from '../../core/balancing/health/peer-comparison.js';
import type { Counted } from '../../core/balancing/ledger.js';
import type { LoadReport } from '../../core/policy/load-report.js';
import type { Candidate } from '../../core/policy/policy.js';
import type { EndpointSnapshot, EndpointState } from '../../core/snapshot.js';
import type { Connection } from './connection.js';
import type { ConnectionEnvironment } from './connection-environment.js';
import { ConnectionGroup, type ConnectionGroupListener } from './connection-group.js';

export interface EndpointOwner {
  /** Its state, its usable connections or their room have changed. */
  endpointChanged(endpoint: PooledEndpoint): void;
  /** All endpoints, to compare this one with. */
  readonly peers: PeerComparison;
  /** It cannot be reached: discovery may know more than the list that led here. */
  askDiscovery(): void;
  /** It has its first connection, or one again. */
  endpointConnected(endpoint: PooledEndpoint): void;
  /** It has reported its load out of band. */
  loadReported(endpoint: PooledEndpoint, report: LoadReport): void;
  /** It is not used any more and its last call has ended. May be told more than once. */
  endpointGone(endpoint: PooledEndpoint): void;
  /** Fewer endpoints are needed. */
  rearrange(): void;
}

/** One endpoint with its counters and its connections. Both survive every new picker and every new policy. */
export class PooledEndpoint implements Candidate, Counted, ConnectionGroupListener, PassiveHealthOwner {
  /** With the refusals that still count as load. */
  inFlight = 0;
  lingering = 0;
  started = 0;
  succeeded = 0;
  failed = 0;
  weight = 1;
  priority = 0;
  locality: Locality | null = null;
  /** In the client's own zone, or where zones do not count. */
  inLocalZone = true;
  failureFactor = 1;
  readonly key: string;
  readonly connections: ConnectionGroup;
  readonly passiveHealth: PassiveHealth;
  state: EndpointState = 'connecting';
  /** When it entered that state, on the clock. */
  since: number;
  reason: string | null = null;

  #sinceEpoch = Date.now();
  #draining = false;
  /** Why its last connection was lost, until there is one again. */
  #lostFor: string | null = null;

  constructor(
    endpoint: Endpoint,
    private readonly environment: ConnectionEnvironment,
    private readonly owner: EndpointOwner,
    /** It has joined a client that was in use already, and starts slowly. */
    private startsSlowly: boolean,
  ) {
    this.key = addressToString(endpoint.address);
    this.since = environment.context.clock.now();
    this.describe(endpoint);
    const { clock, random } = environment.context;
    this.passiveHealth = new PassiveHealth(clock, random, () => environment.context.loadBalancing, this, owner.peers);
    this.connections = new ConnectionGroup(endpoint.address, environment, this);
  }

  /** What discovery says of it now. */
  describe({ weight, priority, locality }: Endpoint): void {
    this.weight = weight ?? 1;
    this.priority = priority ?? 0;
    this.locality = locality ?? null;
  }

  get #context() {
    return this.environment.context;
  }

  loadReported(report: LoadReport): void {
    this.owner.loadReported(this, report);
  }

  /** Calls can reach it, for better or worse. */
  get connected(): boolean {
    return !this.#draining && this.connections.usable.length > 0;
  }

  /** It says that it serves. */
  get serving(): boolean {
    return this.connections.usable.some((connection) => connection.health !== 'not_serving');
  }

  /** It is silent: it may have stalled, or be dead. */
  get suspect(): boolean {
    return this.state === 'suspect';
  }

  get healthy(): boolean {
    return this.state === 'ready';
  }

  /** Ejected, and to be tried with one call. */
  get probing(): boolean {
    return this.passiveHealth.outlier.state.kind === 'probing';
  }

  /** Its ejection is over, and it waits for the call that decides. */
  get wantsProbe(): boolean {
    return this.passiveHealth.wantsProbe && this.connected && this.serving && !this.suspect;
  }

  /** Calls that have not ended. */
  get running(): number {
    return this.inFlight - this.lingering;
  }

  /** Whether it refuses more calls than the others. */
  get refusesMore(): boolean {
    return this.owner.peers.refusesMore(this.passiveHealth);
  }

  get hasRoom(): boolean {
    return this.connections.usable.some((connection) => connection.hasRoom);
  }

  /** The part of its full share that it gets while it starts slowly, else 1. */
  get warmth(): number {
    return this.passiveHealth.warmth;
  }

  connectionWithRoom(): Connection | undefined {
    return this.connections.withRoom();
  }

  /** The probe has ended without a verdict: calls that wait for it are looked at again, and one of them is the next. */
  probeLapsed(): void {
    this.owner.endpointChanged(this);
  }

  ejectionChanged(): void {
    this.connectionsChanged();
  }

  warmedUp(): void {
    this.owner.endpointChanged(this);
  }

  /** It has left discovery: no new calls, and those in flight end by themselves. */
  drain(): void {
    this.#draining = true;
    this.passiveHealth.leave();
    this.connections.drain();
  }

  /** Discovery names it again while it drains. */
  revive(): void {
    this.#draining = false;
    this.passiveHealth.rejoin();
    this.connections.revive();
  }

  close(): void {
    this.passiveHealth.close();
    this.connections.close();
  }

  connectionOpened(connection: Connection): void {
    if (this.connections.usable.length === 0) this.owner.endpointConnected(this);
    this.#lostFor = null;
    this.#context.emit({ type: 'connection_opened', address: this.key, connection: connection.id });
  }

  connectionClosed(connection: Connection, reason: string | null): void {
    this.#context.emit({ type: 'connection_closed', address: this.key, connection: connection.id, reason });
    if (connection.state !== 'lost') return;
    this.#lostFor = reason;
    this.owner.askDiscovery();
  }

  connectionFailed(): void {
    this.owner.askDiscovery();
  }

  /** Works out its state again, and says so if it has changed. */
  connectionsChanged(): void {
    const from = this.state;
    // What comes back may be another process; the failures of the old one do not hold against it.
    if (this.connections.usable.length === 0) this.passiveHealth.reset();
    const to = this.#currentState();
    this.reason = this.#currentReason(to);
    if (to !== from) {
      this.state = to;
      this.#sinceEpoch = Date.now();
      this.since = this.#context.clock.now();
      // One that comes back while it drains has been there all the time, and so has one that was silent for a while.
      if (to === 'ready' && from !== 'draining' && from !== 'suspect') this.#onReady();
      this.#context.emit({ type: 'endpoint_state', address: this.key, from, to, reason: this.reason });
    }
    this.owner.endpointChanged(this);
    if (this.#draining && this.connections.all.length === 0 && this.running === 0) this.owner.endpointGone(this);
  }

  snapshot(): EndpointSnapshot {
    return {
      address: this.key,
      state: this.state,
      since: this.#sinceEpoch,
      reason: this.reason,
      weight: this.weight,
      priority: this.priority,
      locality: this.locality,
      warmth: this.warmth,
      failureRate: this.passiveHealth.failureRate,
      refusalRate: this.passiveHealth.refusalRate,
      inFlight: this.running,
      started: this.started,
      succeeded: this.succeeded,
      failed: this.failed,
      connections: this.connections.all.map((connection) => connection.snapshot()),
    };
  }

  /** A newcomer, or one that comes back, gets its share by and by; those of the start do not. */
  #onReady(): void {
    if (this.startsSlowly) this.passiveHealth.startSlowly();
    this.startsSlowly = true;
  }

  #currentState(): EndpointState {
    if (this.#draining) return 'draining';
    if (this.connections.usable.length === 0) {
      const { all, failing } = this.connections;
      const failed = failing !== undefined || all.some(({ state }) => state === 'transient_failure');
      return failed ? 'transient_failure' : 'connecting';
    }
    if (this.connections.usable.every(({ suspicion }) => suspicion !== undefined)) return 'suspect';
    if (!this.serving) return 'not_serving';
    return this.passiveHealth.admitted ? 'ready' : 'ejected';
  }

  #currentReason(state: EndpointState): string | null {
    const outlier = this.passiveHealth.outlier.state;
    switch (state) {
      case 'draining':
        return 'the endpoint is no longer used; its calls are ending';
      case 'ready':
        return null;
      case 'not_serving':
        return this.connections.usable.find(({ healthReason }) => healthReason !== null)?.healthReason ?? null;
      case 'suspect':
        return this.connections.usable[0]!.suspicion!;
      case 'ejected':
        if (outlier.kind === 'admitted') return null;
        return outlier.verdict.reason + (outlier.kind === 'probing' ? '; the next call is a probe' : '');
      default:
        return (
          this.connections.all.find(({ lastError }) => lastError !== undefined)?.lastError ??
          this.connections.failing ??
          this.#lostFor
        );
    }
  }
}
