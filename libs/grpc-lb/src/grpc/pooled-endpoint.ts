import { addressToString, type Endpoint } from '../core/endpoint.js';
import type { Counted } from '../core/ledger.js';
import type { Candidate } from '../core/policy/policy.js';
import type { EndpointSnapshot, EndpointState } from '../core/snapshot.js';
import type { Connection, ConnectionEnvironment } from './connection.js';
import { ConnectionGroup, type ConnectionGroupListener } from './connection-group.js';

export interface EndpointOwner {
  /** Its state, its usable connections or their room have changed. */
  endpointChanged(endpoint: PooledEndpoint): void;
  /** It has left discovery and its last call has ended. May be told more than once. */
  endpointGone(endpoint: PooledEndpoint): void;
}

/** One endpoint with its counters and its connections. Both survive every new picker and every new policy. */
export class PooledEndpoint implements Candidate, Counted, ConnectionGroupListener {
  inFlight = 0;
  started = 0;
  succeeded = 0;
  failed = 0;
  weight: number;
  readonly key: string;
  readonly connections: ConnectionGroup;
  state: EndpointState = 'connecting';
  reason: string | null = null;

  #since = Date.now();
  #draining = false;

  constructor(
    endpoint: Endpoint,
    private readonly environment: ConnectionEnvironment,
    private readonly owner: EndpointOwner,
  ) {
    this.key = addressToString(endpoint.address);
    this.weight = endpoint.weight ?? 1;
    this.connections = new ConnectionGroup(endpoint.address, environment, this);
  }

  get pickable(): boolean {
    return !this.#draining && this.connections.usable.length > 0;
  }

  get hasRoom(): boolean {
    return this.connections.usable.some((connection) => connection.hasRoom);
  }

  connectionWithRoom(): Connection | undefined {
    return this.connections.withRoom();
  }

  /** It has left discovery: no new calls, and those in flight end by themselves. */
  drain(): void {
    this.#draining = true;
    this.connections.drain();
  }

  /** Discovery names it again while it drains. */
  revive(): void {
    this.#draining = false;
    this.connections.revive();
  }

  connectionOpened(connection: Connection): void {
    this.environment.context.emit({ type: 'connection_opened', address: this.key, connection: connection.id });
  }

  connectionClosed(connection: Connection, reason: string | null): void {
    this.environment.context.emit({ type: 'connection_closed', address: this.key, connection: connection.id, reason });
    // Discovery may know more than the list that led here.
    if (connection.retiring === undefined) this.environment.context.refreshDiscovery();
  }

  /** Works out its state again, and says so if it has changed. */
  connectionsChanged(): void {
    const to = this.#currentState();
    this.reason = this.#currentReason(to);
    if (to !== this.state) {
      const from = this.state;
      this.state = to;
      this.#since = Date.now();
      this.environment.context.emit({ type: 'endpoint_state', address: this.key, from, to, reason: this.reason });
    }
    this.owner.endpointChanged(this);
    if (this.#draining && this.connections.all.length === 0) this.owner.endpointGone(this);
  }

  snapshot(): EndpointSnapshot {
    return {
      address: this.key,
      state: this.state,
      since: this.#since,
      reason: this.reason,
      weight: this.weight,
      inFlight: this.inFlight,
      started: this.started,
      succeeded: this.succeeded,
      failed: this.failed,
      connections: this.connections.all.map((connection) => connection.snapshot()),
    };
  }

  #currentState(): EndpointState {
    if (this.#draining) return 'draining';
    if (this.connections.usable.length > 0) return 'ready';
    const failed = this.connections.all.some((connection) => connection.state === 'transient_failure');
    return failed ? 'transient_failure' : 'connecting';
  }

  #currentReason(state: EndpointState): string | null {
    if (state === 'draining') return 'it has left discovery; its calls are ending';
    if (state === 'ready') return null;
    return this.connections.all.find((connection) => connection.lastError !== undefined)?.lastError ?? null;
  }
}
