import type { Cancel } from '../../core/clock.js';
import { addressToString } from '../../core/endpoint.js';
import { jittered } from '../../core/random.js';
import { AgedConnections } from './aged-connections.js';
import { Connection, type ConnectionListener, type RetireReason } from './connection.js';
import { leastBusy, usableOf } from './connection-choice.js';
import type { ConnectionSite } from './connection-site.js';
import { IdleTimers } from './idle-timers.js';
import { Redial } from './redial.js';

/** How long to wait after a failed attempt before another connection is opened. */
const GROWTH_BACKOFF_MS = 1000;

export interface ConnectionGroupListener {
  /** Called when other connections become usable, or the number of calls they take changes. */
  connectionsChanged(): void;
  connectionOpened(connection: Connection): void;
  connectionClosed(connection: Connection, reason: string | null): void;
  /** Called when a connection gets no more calls while the endpoint does. */
  connectionRetired(connection: Connection): void;
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
  readonly #redial: Redial;
  #draining = false;
  readonly #aged = new AgedConnections();
  /** Why those are replaced that are, unless for their age. */
  readonly #replacedFor = new WeakMap<Connection, 'recycled' | 'certificates'>();
  readonly #idleTimers: IdleTimers;

  constructor(
    private readonly site: ConnectionSite,
    private readonly listener: ConnectionGroupListener,
  ) {
    this.#idleTimers = new IdleTimers(this.#context.clock, {
      idleTimeout: () => this.#pool.idleTimeout,
      isExtra: (connection) => this.#isExtra(connection),
      onIdle: (connection) => {
        // A replacement whose peer does not serve; the next one may lead to another.
        if (this.#aged.forget(connection)) this.#growLater();
        this.#retire(connection, 'idle');
      },
    });
    this.#redial = new Redial(site.environment, () => {
      this.#topUp();
      this.#refresh();
    });
  }

  get #context() {
    return this.site.environment.context;
  }

  get #pool() {
    return this.#context.loadBalancing.pool;
  }

  get #live(): readonly Connection[] {
    return this.#all.filter(({ retiring }) => retiring === undefined);
  }

  get all(): readonly Connection[] {
    return this.#all;
  }

  get usable(): readonly Connection[] {
    return this.#usable;
  }

  /** Why connections do not last; undefined while they do. */
  get failing(): string | undefined {
    return this.#redial.failing;
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
      this.#context.clock.now() >= this.#growAfter &&
      !this.#redial.waiting
    );
  }

  /** Opens connections up to `size`, and applies changed options. */
  configure(): void {
    for (const connection of this.#all) connection.configure(this.#context.loadBalancing);
    this.#topUp();
    const staying = this.#live.filter((connection) => !this.#aged.isBeingReplaced(connection));
    for (const connection of staying.slice(this.#pool.maxSize))
      for (const each of [...this.#aged.replacedBy(connection), connection]) this.#retire(each, 'idle');
    for (const connection of staying.slice(this.#pool.size))
      if (!connection.retiring) this.#idleTimers.reconsider(connection);
    this.#refresh();
  }

  /**
   * Called when other endpoints are reachable again: this one may be, too. The wait for connections that do not last
   * remains.
   */
  dialNow(): void {
    for (const connection of this.#all) connection.dialNow();
  }

  /** Replaces the connections in use, as if they had reached their maximum age. */
  recycle(): void {
    for (const connection of this.#usable) {
      this.#replacedFor.set(connection, 'recycled');
      this.connectionAged(connection);
    }
  }

  connectionOutdated(connection: Connection): void {
    if (connection.retiring !== undefined) return;
    this.#replacedFor.set(connection, 'certificates');
    this.connectionAged(connection);
  }

  grow(): Connection {
    const connection = new Connection(this.site, this);
    this.#all = [...this.#all, connection];
    return connection;
  }

  /** Returns the connection for a call; undefined if all are full. */
  withRoom(youngerThan?: number): Connection | undefined {
    const usable = this.#usable;
    if (youngerThan !== undefined)
      return usable.find(({ hasRoom, readyAt }) => hasRoom && readyAt !== undefined && readyAt > youngerThan);
    const first = usable[0];
    if (usable.length <= 1) return first?.hasRoom ? first : undefined;
    return leastBusy(usable, this.#pool.size, this.#turn++);
  }

  /** Stops new calls; each connection closes when its last call has ended. */
  drain(): void {
    this.#draining = true;
    this.#cancelGrowth?.();
    this.#redial.stop();
    this.#aged.clear();
    for (const connection of this.#all) if (!connection.retiring) this.#retire(connection, 'draining');
    this.#refresh();
  }

  /** Connects, and takes back the connections that still drain. */
  open(): void {
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
    else this.#idleTimers.start(connection);
  }

  close(): void {
    this.#draining = true;
    this.#cancelGrowth?.();
    this.#redial.stop();
    for (const connection of this.#all) this.#forget(connection);
  }

  connectionChanged(connection: Connection, lost: boolean): void {
    if (lost) this.#onLost(connection);
    else if (connection.state === 'transient_failure') this.#onFailed(connection);
    else if (connection.usable) this.#onUsable(connection);
    this.#refresh();
  }

  /** Make before break: an old connection retires when its replacement is ready. */
  connectionAged(connection: Connection): void {
    if (!this.#draining) this.#aged.add(connection, () => this.grow());
  }

  #onLost(connection: Connection): void {
    // A replacement was lost before it served.
    if (this.#aged.forget(connection)) this.#growLater();
    const reason = connection.lastError ?? 'the connection was lost';
    this.#redialLater(connection, reason);
    this.listener.connectionClosed(connection, reason);
    // After a GOAWAY its calls continue, so keep it, but do not count it, until the last one has ended.
    this.#retire(connection, 'lost');
    this.#topUp();
  }

  #onFailed(connection: Connection): void {
    this.listener.connectionFailed();
    if (this.#aged.replacedIfReady(connection).some((aged) => this.#replacedFor.get(aged) === 'certificates'))
      this.#context.tls?.notReplaced(addressToString(this.site.address), connection.lastError!);
    // An extra connection is not retried.
    if (connection.retiring ?? this.#isExtra(connection)) this.#forget(connection);
    this.#growLater();
  }

  /** Called when a connection has become usable, or has changed since. */
  #onUsable(connection: Connection): void {
    const isNew = !connection.announced;
    connection.announced = true;
    if (isNew) this.listener.connectionOpened(connection);
    for (const aged of this.#aged.replaced()) this.#retire(aged, this.#replacedFor.get(aged) ?? 'age');
    // The calls for which it was opened may have used other connections in the meantime.
    if (isNew && connection.inFlight === 0) this.#idleTimers.start(connection);
  }

  #redialLater(connection: Connection, reason: string): void {
    const delay = this.#redial.lost(connection, reason);
    // Of connections that are lost together, one may have served.
    if (delay === 0) this.#redial.stop();
    else if (!this.#draining && !this.#redial.waiting) this.#redial.wait(delay);
  }

  /** Keeps at least `size` connections, ready or connecting, while the endpoint is in use and its connections last. */
  #topUp(): void {
    if (this.#redial.waiting) return;
    for (let missing = this.#draining ? 0 : this.#pool.size - this.#live.length; missing > 0; missing--) this.grow();
  }

  #growLater(): void {
    const { clock, random } = this.#context;
    const delay = jittered(random, GROWTH_BACKOFF_MS, 0.2);
    this.#growAfter = clock.now() + delay;
    this.#cancelGrowth?.();
    this.#cancelGrowth = clock.after(delay, () => {
      this.#aged.replace(() => this.grow());
      // Calls may be pending for another connection.
      this.listener.connectionsChanged();
    });
  }

  #retire(connection: Connection, reason: RetireReason): void {
    connection.retire(reason);
    if (reason !== 'draining') this.listener.connectionRetired(connection);
    if (connection.inFlight === 0) this.#drop(connection, `retired: ${reason}`);
  }

  #isExtra(connection: Connection): boolean {
    return this.#live.indexOf(connection) >= this.#pool.size;
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
    this.#idleTimers.stop(connection);
    this.#aged.forget(connection);
    this.#all = this.#all.filter((each) => each !== connection);
  }

  #refresh(): void {
    this.#usable = usableOf(this.#all);
    this.listener.connectionsChanged();
  }
}
