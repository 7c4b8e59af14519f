import type { Cancel } from '../core/clock.js';
import { type Endpoint, addressToString } from '../core/endpoint.js';
import type { Counted } from '../core/ledger.js';
import type { Candidate } from '../core/policy/policy.js';
import { jittered } from '../core/random.js';
import type { EndpointSnapshot, EndpointState } from '../core/snapshot.js';
import { Connection, type ConnectionEnvironment, type ConnectionListener, type RetireReason } from './connection.js';

/** How long no further connection is tried after one beyond `size` failed. */
const GROWTH_BACKOFF_MS = 1000;

export interface EndpointOwner {
  /** Its state, its usable connections or their room have changed. */
  endpointChanged(endpoint: PooledEndpoint): void;
  /** It has left discovery and its last call has ended. */
  endpointGone(endpoint: PooledEndpoint): void;
}

/** One endpoint with its counters and its connections. Both survive every new picker and every new policy. */
export class PooledEndpoint implements Candidate, Counted, ConnectionListener {
  inFlight = 0;
  started = 0;
  succeeded = 0;
  failed = 0;
  weight = 1;
  readonly key: string;
  state: EndpointState = 'connecting';

  #since = Date.now();
  #reason: string | null = null;
  #draining = false;
  /** In the order in which they were opened. The first `size` that do not retire are the base, the others extra. */
  #connections: Connection[] = [];
  /** Those that may be picked; replaced as a whole. */
  #usable: readonly Connection[] = [];
  #turn = 0;
  #growAfter = -Infinity;
  #cancelGrowth: Cancel | undefined;
  /** Older than `maxConnectionAge`, and waiting for their replacements. */
  readonly #aged = new Set<Connection>();
  readonly #idleTimers = new Map<Connection, Cancel>();

  constructor(
    private readonly endpoint: Endpoint,
    private readonly environment: ConnectionEnvironment,
    private readonly owner: EndpointOwner,
  ) {
    this.key = addressToString(endpoint.address);
    this.weight = endpoint.weight ?? 1;
  }

  get #context() {
    return this.environment.context;
  }

  get #pool() {
    return this.#context.loadBalancing.pool;
  }

  get pickable(): boolean {
    return this.#usable.length > 0 && !this.#draining;
  }

  get hasRoom(): boolean {
    return this.#usable.some((connection) => connection.hasRoom);
  }

  /** How many more calls it can take once the connections that are being opened are ready. */
  get roomToCome(): number {
    let room = 0;
    for (const connection of this.#connections) if (connection.state === 'connecting') room += connection.limit;
    return room;
  }

  get connectionCount(): number {
    return this.#connections.length;
  }

  /** gRFC A105: a further connection only if none is being opened, none failed just now, and `maxSize` is not reached. */
  get canGrow(): boolean {
    const live = this.#connections.filter((connection) => connection.retiring === undefined);
    return (
      !this.#draining &&
      live.length < this.#pool.maxSize &&
      live.every((connection) => connection.state === 'ready') &&
      this.#context.clock.now() >= this.#growAfter
    );
  }

  /** Opens what is missing to `size`, and adapts to options that have changed. */
  configure(): void {
    for (const connection of this.#connections) connection.configure(this.#pool);
    const live = this.#connections.filter((connection) => connection.retiring === undefined);
    for (let missing = this.#pool.size - live.length; missing > 0; missing--) this.grow();
    live.slice(this.#pool.maxSize).forEach((connection) => this.#retire(connection, 'idle'));
    live.slice(this.#pool.size).forEach((connection) => connection.inFlight === 0 && this.#watchIdle(connection));
    this.#refresh();
  }

  grow(): void {
    this.#connections.push(new Connection(this.endpoint.address, this.environment, this));
  }

  /**
   * The connection for a call, or undefined if all are full. The base shares calls evenly, as each may lead to another
   * backend behind an L4 load balancer; an extra one is used only when the base is full, the oldest first (gRFC A105),
   * so that those that are not needed fall idle.
   */
  connectionWithRoom(): Connection | undefined {
    const usable = this.#usable;
    const first = usable[0];
    if (usable.length <= 1) return first?.hasRoom ? first : undefined;
    const base = Math.min(this.#pool.size, usable.length);
    const start = this.#turn++ % base;
    let least: Connection | undefined;
    for (let i = 0; i < base; i++) {
      const connection = usable[(start + i) % base]!;
      if (connection.hasRoom && (!least || connection.inFlight < least.inFlight)) least = connection;
    }
    return least ?? usable.find((connection, i) => i >= base && connection.hasRoom);
  }

  /** It has left discovery: no new calls, and those in flight end by themselves. */
  drain(): void {
    this.#draining = true;
    for (const connection of this.#connections) this.#retire(connection, 'draining');
    this.#refresh();
    this.#settle();
  }

  /** Discovery names it again while it drains: the connections go on where they were. */
  revive(): void {
    this.#draining = false;
    for (const connection of this.#connections) {
      if (connection.retiring === 'draining') connection.retiring = undefined;
    }
    this.configure();
  }

  /** A call has ended on one of its connections. */
  released(connection: Connection): void {
    if (connection.inFlight > 0) return;
    if (connection.retiring) {
      this.#drop(connection, `retired: ${connection.retiring}`);
      this.#settle();
    } else {
      this.#watchIdle(connection);
    }
  }

  close(): void {
    this.#draining = true;
    this.#cancelGrowth?.();
    for (const connection of this.#connections) this.#forget(connection);
  }

  connectionChanged(connection: Connection, lost: boolean): void {
    if (lost) {
      this.#emitConnection('connection_closed', connection, 'the connection was lost');
      this.#context.refreshDiscovery();
    } else if (connection.state === 'ready' && !this.#usable.includes(connection)) {
      this.#emitConnection('connection_opened', connection);
      this.#replaceAged();
      // The calls for which it was opened may have found room elsewhere meanwhile.
      if (connection.inFlight === 0) this.#watchIdle(connection);
    }
    const failed = connection.state === 'transient_failure';
    // One beyond those that are kept is not connected again.
    if ((failed || lost) && (connection.retiring ?? this.#isExtra(connection))) this.#forget(connection);
    if (failed) this.#growLater();
    this.#refresh();
    this.#settle();
  }

  /** Make before break: an old connection retires when its replacement is ready. */
  connectionAged(connection: Connection): void {
    this.#aged.add(connection);
    this.grow();
  }

  #replaceAged(): void {
    const [oldest] = this.#aged;
    if (!oldest) return;
    this.#aged.delete(oldest);
    this.#retire(oldest, 'age');
  }

  #growLater(): void {
    const { clock, random } = this.#context;
    const delay = jittered(random, GROWTH_BACKOFF_MS, 0.2);
    this.#growAfter = clock.now() + delay;
    this.#cancelGrowth?.();
    this.#cancelGrowth = clock.after(delay, () => {
      if (this.#aged.size > 0) this.grow();
      // Calls may wait for a further connection.
      this.owner.endpointChanged(this);
    });
  }

  #retire(connection: Connection, reason: RetireReason): void {
    connection.retire(reason);
    if (connection.inFlight === 0) this.#drop(connection, `retired: ${reason}`);
  }

  #isExtra(connection: Connection): boolean {
    const live = this.#connections.filter((each) => each.retiring === undefined);
    return live.indexOf(connection) >= this.#pool.size;
  }

  /** It carries no call from now on. */
  #watchIdle(connection: Connection): void {
    connection.idleSince = this.#context.clock.now();
    if (this.#idleTimers.has(connection) || !this.#isExtra(connection)) return;
    this.#idleTimers.set(
      connection,
      this.#context.clock.after(this.#pool.idleTimeout, () => this.#onIdleTimer(connection)),
    );
  }

  #onIdleTimer(connection: Connection): void {
    this.#idleTimers.delete(connection);
    if (connection.inFlight > 0 || connection.retiring || !this.#isExtra(connection)) return;
    const left = connection.idleSince + this.#pool.idleTimeout - this.#context.clock.now();
    if (left <= 0) this.#retire(connection, 'idle');
    else
      this.#idleTimers.set(
        connection,
        this.#context.clock.after(left, () => this.#onIdleTimer(connection)),
      );
  }

  /** Closes a connection that carries no calls, or none that matter any more. */
  #drop(connection: Connection, reason: string | null): void {
    const wasReady = connection.state === 'ready';
    this.#forget(connection);
    if (wasReady) this.#emitConnection('connection_closed', connection, reason);
    this.#refresh();
  }

  #forget(connection: Connection): void {
    connection.close();
    this.#idleTimers.get(connection)?.();
    this.#idleTimers.delete(connection);
    this.#aged.delete(connection);
    this.#connections = this.#connections.filter((each) => each !== connection);
  }

  #settle(): void {
    if (this.#draining && this.#connections.length === 0) this.owner.endpointGone(this);
  }

  /** Works out again which connections are usable and what state that makes, and says so if anything changed. */
  #refresh(): void {
    this.#usable = this.#connections.filter((connection) => connection.usable);
    const to = this.#currentState();
    const reason = this.#currentReason(to);
    if (to !== this.state) {
      const from = this.state;
      this.state = to;
      this.#since = Date.now();
      this.#context.emit({ type: 'endpoint_state', address: this.key, from, to, reason });
    }
    this.#reason = reason;
    this.owner.endpointChanged(this);
  }

  #currentState(): EndpointState {
    if (this.#draining) return 'draining';
    if (this.#usable.length > 0) return 'ready';
    return this.#connections.some((connection) => connection.state === 'transient_failure')
      ? 'transient_failure'
      : 'connecting';
  }

  #currentReason(state: EndpointState): string | null {
    if (state === 'draining') return 'it has left discovery; its calls are ending';
    if (state === 'ready') return null;
    return this.#connections.find((connection) => connection.lastError !== undefined)?.lastError ?? null;
  }

  #emitConnection(
    type: 'connection_opened' | 'connection_closed',
    connection: Connection,
    reason: string | null = null,
  ): void {
    const event = { address: this.key, connection: connection.id };
    this.#context.emit(type === 'connection_opened' ? { type, ...event } : { type, ...event, reason });
  }

  snapshot(): EndpointSnapshot {
    return {
      address: this.key,
      state: this.state,
      since: this.#since,
      reason: this.#reason,
      weight: this.weight,
      inFlight: this.inFlight,
      started: this.started,
      succeeded: this.succeeded,
      failed: this.failed,
      connections: this.#connections.map((connection) => connection.snapshot()),
    };
  }
}
