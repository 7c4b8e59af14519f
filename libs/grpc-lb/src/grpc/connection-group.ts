import type { Cancel } from '../core/clock.js';
import type { Address } from '../core/endpoint.js';
import { jittered } from '../core/random.js';
import { Connection, type ConnectionEnvironment, type ConnectionListener, type RetireReason } from './connection.js';

/** How long no further connection is tried after one has failed. */
const GROWTH_BACKOFF_MS = 1000;

export interface ConnectionGroupListener {
  /** Which connections are usable, or how many calls they take, has changed. */
  connectionsChanged(): void;
  connectionOpened(connection: Connection): void;
  connectionClosed(connection: Connection, reason: string | null): void;
}

/**
 * The connections to one endpoint, in the order in which they were opened. The first `size` that do not retire are the
 * base; those beyond are extra, opened when the base is full and closed when they are not needed any more.
 */
export class ConnectionGroup implements ConnectionListener {
  #all: readonly Connection[] = [];
  /** Those that may be picked. */
  #usable: readonly Connection[] = [];
  #turn = 0;
  #growAfter = -Infinity;
  #cancelGrowth: Cancel | undefined;
  /** Older than `maxConnectionAge`, and waiting for their replacements. */
  readonly #aged = new Set<Connection>();
  readonly #idleTimers = new Map<Connection, Cancel>();

  constructor(
    private readonly address: Address,
    private readonly environment: ConnectionEnvironment,
    private readonly listener: ConnectionGroupListener,
  ) {}

  get #context() {
    return this.environment.context;
  }

  get #pool() {
    return this.#context.loadBalancing.pool;
  }

  get #live(): readonly Connection[] {
    return this.#all.filter((connection) => connection.retiring === undefined);
  }

  get all(): readonly Connection[] {
    return this.#all;
  }

  get usable(): readonly Connection[] {
    return this.#usable;
  }

  /** How many more calls it can take once the connections that are being opened are ready. */
  get roomToCome(): number {
    let room = 0;
    for (const connection of this.#all) if (connection.state === 'connecting') room += connection.limit;
    return room;
  }

  /** gRFC A105: a further connection only if none is being opened, none failed just now, and `maxSize` is not reached. */
  get canGrow(): boolean {
    const live = this.#live;
    return (
      live.length < this.#pool.maxSize &&
      live.every((connection) => connection.state === 'ready') &&
      this.#context.clock.now() >= this.#growAfter
    );
  }

  /** Opens what is missing to `size`, and adapts to options that have changed. */
  configure(): void {
    for (const connection of this.#all) connection.configure(this.#pool);
    const live = this.#live;
    for (let missing = this.#pool.size - live.length; missing > 0; missing--) this.grow();
    for (const connection of live.slice(this.#pool.maxSize)) this.#retire(connection, 'idle');
    for (const connection of live.slice(this.#pool.size)) if (connection.inFlight === 0) this.#watchIdle(connection);
    this.#refresh();
  }

  grow(): void {
    this.#all = [...this.#all, new Connection(this.address, this.environment, this)];
  }

  /**
   * The connection for a call, or undefined if all are full. The base shares calls evenly, as each may lead to another
   * backend behind an L4 load balancer; an extra one is used only when the base is full, the oldest first (gRFC A105),
   * so that those that are not needed fall idle.
   */
  withRoom(): Connection | undefined {
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

  /** No new calls; each connection closes when its last call has ended. */
  drain(): void {
    this.#cancelGrowth?.();
    for (const connection of this.#all) this.#retire(connection, 'draining');
    this.#refresh();
  }

  /** The connections that still drain go on where they were. */
  revive(): void {
    for (const connection of this.#all) {
      if (connection.retiring === 'draining') connection.retiring = undefined;
    }
    this.configure();
  }

  /** A call has ended on one of the connections. */
  released(connection: Connection): void {
    if (connection.inFlight > 0) return;
    if (connection.retiring) this.#drop(connection, `retired: ${connection.retiring}`);
    else this.#watchIdle(connection);
  }

  close(): void {
    this.#cancelGrowth?.();
    for (const connection of this.#all) this.#forget(connection);
  }

  connectionChanged(connection: Connection, lost: boolean): void {
    const failed = connection.state === 'transient_failure';
    if (lost) {
      this.listener.connectionClosed(connection, 'the connection was lost');
    } else if (connection.usable && !this.#usable.includes(connection)) {
      this.listener.connectionOpened(connection);
      this.#replaceAged();
      // The calls for which it was opened may have found room elsewhere meanwhile.
      if (connection.inFlight === 0) this.#watchIdle(connection);
    }
    // One beyond those that are kept is not connected again.
    if ((failed || lost) && (connection.retiring ?? this.#isExtra(connection))) this.#forget(connection);
    if (failed) this.#growLater();
    this.#refresh();
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
      this.listener.connectionsChanged();
    });
  }

  #retire(connection: Connection, reason: RetireReason): void {
    connection.retire(reason);
    if (connection.inFlight === 0) this.#drop(connection, `retired: ${reason}`);
  }

  #isExtra(connection: Connection): boolean {
    return this.#live.indexOf(connection) >= this.#pool.size;
  }

  /** It carries no call from now on. */
  #watchIdle(connection: Connection): void {
    const { clock } = this.#context;
    connection.idleSince = clock.now();
    if (this.#idleTimers.has(connection) || !this.#isExtra(connection)) return;
    this.#idleTimers.set(
      connection,
      clock.after(this.#pool.idleTimeout, () => this.#onIdleTimer(connection)),
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
  #drop(connection: Connection, reason: string): void {
    const wasReady = connection.state === 'ready';
    this.#forget(connection);
    if (wasReady) this.listener.connectionClosed(connection, reason);
    this.#refresh();
  }

  #forget(connection: Connection): void {
    connection.close();
    this.#idleTimers.get(connection)?.();
    this.#idleTimers.delete(connection);
    this.#aged.delete(connection);
    this.#all = this.#all.filter((each) => each !== connection);
  }

  #refresh(): void {
    this.#usable = this.#all.filter((connection) => connection.usable);
    this.listener.connectionsChanged();
  }
}
