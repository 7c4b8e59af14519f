import type { Cancel } from '../../core/clock.js';
import { GOOD_AFTER_MS, ReconnectBackoff } from '../../core/connection/reconnect-backoff.js';
import { jittered } from '../../core/random.js';
import { Connection, type ConnectionListener, type RetireReason } from './connection.js';
import type { ConnectionSite } from './connection-site.js';

/** How long to wait after a failed attempt before another connection is opened. */
const GROWTH_BACKOFF_MS = 1000;

export interface ConnectionGroupListener {
  /** Called when other connections become usable, or the number of calls they take changes. */
  connectionsChanged(): void;
  connectionOpened(connection: Connection): void;
  connectionClosed(connection: Connection, reason: string | null): void;
  /** Called when an attempt to connect has failed. */
  connectionFailed(): void;
}

/**
 * The connections to one endpoint, in the order in which they were opened. The first `size` that do not retire are the
 * base; the others are extra: opened when the base is full, and closed when they are no longer needed.
 */
export class ConnectionGroup implements ConnectionListener {
  #all: readonly Connection[] = [];
  /** Connections that may be picked. */
  #usable: readonly Connection[] = [];
  #turn = 0;
  #growAfter = -Infinity;
  #cancelGrowth: Cancel | undefined;
  readonly #backoff: ReconnectBackoff;
  #cancelRedial: Cancel | undefined;
  /** Why connections do not last; undefined while they do. */
  failing: string | undefined;
  #draining = false;
  /**
   * Connections older than `maxConnectionAge`, each with the replacement for which it waits; undefined if none is being
   * opened.
   */
  readonly #aged = new Map<Connection, Connection | undefined>();
  readonly #idleTimers = new Map<Connection, Cancel>();

  constructor(
    private readonly site: ConnectionSite,
    private readonly listener: ConnectionGroupListener,
  ) {
    const { channelOptions, context } = site.environment;
    this.#backoff = new ReconnectBackoff(context.random, {
      initial: channelOptions['grpc.initial_reconnect_backoff_ms'] ?? 1000,
      max: channelOptions['grpc.max_reconnect_backoff_ms'] ?? 5000,
    });
  }

  get #context() {
    return this.site.environment.context;
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

  /** How many more calls it can take once the connections being opened are ready. */
  get roomToCome(): number {
    let room = 0;
    for (const connection of this.#all) if (connection.state === 'connecting') room += connection.limit;
    return room;
  }

  /**
   * gRFC A105: opens another connection only if none is being opened, none failed just now, and `maxSize` is not
   * reached.
   */
  get canGrow(): boolean {
    const live = this.#live;
    return (
      live.length < this.#pool.maxSize &&
      live.every((connection) => connection.state === 'ready') &&
      this.#context.clock.now() >= this.#growAfter
    );
  }

  /** Opens connections up to `size`, and applies changed options. */
  configure(): void {
    for (const connection of this.#all) connection.configure(this.#context.loadBalancing);
    this.#topUp();
    const live = this.#live;
    for (const connection of live.slice(this.#pool.maxSize)) this.#retire(connection, 'idle');
    for (const connection of live.slice(this.#pool.size)) if (connection.inFlight === 0) this.#watchIdle(connection);
    this.#refresh();
  }

  /**
   * Called when other endpoints are reachable again: this one may be, too. The wait for connections that do not last
   * remains.
   */
  dialNow(): void {
    for (const connection of this.#all) connection.dialNow();
  }

  grow(): Connection {
    const connection = new Connection(this.site, this);
    this.#all = [...this.#all, connection];
    return connection;
  }

  /**
   * Returns the connection for a call, or undefined if all are full. Calls are spread evenly over the base, because
   * each connection may lead to another backend behind an L4 load balancer; extra connections are used only when the
   * base is full, the oldest first (gRFC A105), so that unneeded ones become idle.
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

  /** Stops new calls; each connection closes when its last call has ended. */
  drain(): void {
    this.#draining = true;
    this.#cancelGrowth?.();
    this.#stopRedial();
    this.#aged.clear();
    for (const connection of this.#all) if (!connection.retiring) this.#retire(connection, 'draining');
    this.#refresh();
  }

  /** Takes back the connections that still drain. */
  revive(): void {
    this.#draining = false;
    for (const connection of this.#all) {
      if (connection.retiring === 'draining') connection.retiring = undefined;
    }
    this.configure();
  }

  /** Called when a call on one of the connections has ended. */
  released(connection: Connection): void {
    if (connection.inFlight > 0) return;
    if (connection.retiring) this.#drop(connection, `retired: ${connection.retiring}`);
    else this.#watchIdle(connection);
  }

  close(): void {
    this.#draining = true;
    this.#cancelGrowth?.();
    this.#stopRedial();
    for (const connection of this.#all) this.#forget(connection);
  }

  connectionChanged(connection: Connection, lost: boolean): void {
    if (lost) this.#onLost(connection);
    else if (connection.state === 'transient_failure') this.#onFailed(connection);
    else if (connection.usable && !connection.announced) this.#onUsable(connection);
    this.#refresh();
  }

  /** Make before break: an old connection retires when its replacement is ready. */
  connectionAged(connection: Connection): void {
    if (!this.#draining && !this.#aged.has(connection)) this.#aged.set(connection, this.grow());
  }

  #onLost(connection: Connection): void {
    this.#aged.delete(connection);
    const reason = connection.lastError ?? 'the connection was lost';
    this.#backOff(connection, reason);
    this.listener.connectionClosed(connection, reason);
    // After a GOAWAY its calls continue, so keep it, but do not count it, until the last one has ended.
    this.#retire(connection, 'lost');
    this.#topUp();
  }

  #onFailed(connection: Connection): void {
    this.listener.connectionFailed();
    // An extra connection is not retried.
    if (connection.retiring ?? this.#isExtra(connection)) this.#forget(connection);
    this.#growLater();
  }

  #onUsable(connection: Connection): void {
    connection.announced = true;
    this.listener.connectionOpened(connection);
    for (const [aged, replacement] of this.#aged) {
      if (replacement !== connection) continue;
      this.#aged.delete(aged);
      this.#retire(aged, 'age');
    }
    // The calls for which it was opened may have used other connections in the meantime.
    if (connection.inFlight === 0) this.#watchIdle(connection);
  }

  /** Slows down reconnecting to a peer that accepts connections only to close them. */
  #backOff({ readyAt, answered }: Connection, reason: string): void {
    const { clock } = this.#context;
    const delay = this.#backoff.lost({ readyAt: readyAt!, answered }, clock.now());
    const { shortLived } = this.#backoff;
    this.failing =
      shortLived < 2
        ? undefined
        : `${shortLived} connections in a row were lost within ${GOOD_AFTER_MS / 1000} s, before any call was answered: ${reason}`;
    if (delay === 0 || this.#draining || this.#cancelRedial) return;
    this.#growAfter = clock.now() + delay;
    this.#cancelRedial = clock.after(delay, () => {
      this.#cancelRedial = undefined;
      this.#topUp();
      this.#refresh();
    });
  }

  #stopRedial(): void {
    this.#cancelRedial?.();
    this.#cancelRedial = undefined;
  }

  /** Keeps at least `size` connections, ready or connecting, while the endpoint is in use and its connections last. */
  #topUp(): void {
    if (this.#cancelRedial) return;
    for (let missing = this.#draining ? 0 : this.#pool.size - this.#live.length; missing > 0; missing--) this.grow();
  }

  #growLater(): void {
    const { clock, random } = this.#context;
    const delay = jittered(random, GROWTH_BACKOFF_MS, 0.2);
    this.#growAfter = clock.now() + delay;
    this.#cancelGrowth?.();
    this.#cancelGrowth = clock.after(delay, () => {
      for (const [aged, replacement] of this.#aged) if (!replacement) this.#aged.set(aged, this.grow());
      // Calls may be pending for another connection.
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

  /** Starts the idle timeout of a connection without calls. */
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

  /** Closes a connection that carries no calls. */
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
    // The connection to replace waits for another replacement.
    for (const [aged, replacement] of this.#aged) if (replacement === connection) this.#aged.set(aged, undefined);
    this.#all = this.#all.filter((each) => each !== connection);
  }

  /**
   * Selects connections that serve and are not suspect, else all that are connected: the balancer then decides whether
   * to use them.
   */
  #refresh(): void {
    const usable = this.#all.filter((connection) => connection.usable);
    const answering = usable.filter(({ suspicion }) => suspicion === undefined);
    const serving = answering.filter(({ health }) => health !== 'not_serving');
    this.#usable = [serving, answering, usable].find(({ length }) => length > 0) ?? [];
    this.listener.connectionsChanged();
  }
}
