import { type ChannelOptions, connectivityState } from '@grpc/grpc-js';
import type { Cancel } from '../core/clock.js';
import type { Address } from '../core/endpoint.js';
import type { Counted } from '../core/ledger.js';
import type { EffectiveLoadBalancing } from '../core/options/load-balancing.js';
import { jittered } from '../core/random.js';
import type { ConnectionSnapshot } from '../core/snapshot.js';
import { abortable, type AbortableAddress } from './abortable-address.js';
import type { ClientContext } from './client-context.js';
import type { ConnectGate } from './connect-gate.js';
import {
  type ChannelControlHelper,
  type PeerConnection,
  peerConnection,
  type SubchannelInterface,
} from './experimental.js';
import { type Health, HealthWatch } from './health-watch.js';
import { Liveness } from './liveness.js';

/** What is assumed of a peer whose limit cannot be read, as most servers allow at least this (RFC 9113, 6.5.2). */
const ASSUMED_STREAM_LIMIT = 100;
/** gRFC A9: the maximum age is spread by 10 %, so that connections opened together do not close together. */
const AGE_JITTER = 0.1;
/** How long after an attempt that timed out the next one begins, as grpc's first connection backoff. */
const RETRY_AFTER_TIMEOUT_MS = 1000;

/** What connections need of the world around them. */
export interface ConnectionEnvironment {
  readonly helper: ChannelControlHelper;
  readonly context: ClientContext;
  readonly channelOptions: ChannelOptions;
  readonly connectGate: ConnectGate;
  nextConnectionId(): number;
}

export interface ConnectionListener {
  /** Its state, health or limit has changed. `lost` when it was ready and went away by itself. */
  connectionChanged(connection: Connection, lost: boolean): void;
  /** It is older than `maxConnectionAge`. */
  connectionAged(connection: Connection): void;
}

/** Why a connection gets no new calls. A lost one is never connected again; after a GOAWAY its calls go on. */
export type RetireReason = 'draining' | 'age' | 'idle' | 'lost';

/** An error of grpc-js without what differs each time: a prefix, a time, a line break of OpenSSL. */
function plain(error: string): string {
  return error
    .replace(/^Error: /, '')
    .replace(/ \(\d{4}-[\d-]+T[\d:.]+Z\)$/, '')
    .trim();
}

let sequence = 0;

/** One HTTP/2 connection to one endpoint, from its first attempt to its end: a grpc-js subchannel that nobody else shares. */
export class Connection implements Counted {
  inFlight = 0;
  /** `transient_failure` lasts until the connection is ready, so that calls fail fast while attempts go on (gRFC A62). */
  state: 'connecting' | 'ready' | 'transient_failure' | 'lost' = 'connecting';
  /** What the peer says of itself (gRFC A17): unknown until it has answered. */
  health: Health = 'unknown';
  healthReason: string | null = null;
  retiring: RetireReason | undefined;
  lastError: string | undefined;
  /** When its last call ended, on the clock. */
  idleSince = 0;
  /** Calls it carries at most at the same time. */
  limit = ASSUMED_STREAM_LIMIT;
  readonly id: number;
  readonly subchannel: SubchannelInterface;

  readonly #address: AbortableAddress;
  #options: EffectiveLoadBalancing;
  #peer: PeerConnection | undefined;
  #peerLimit: number | undefined;
  #readyAt: number | undefined;
  #healthWatch: HealthWatch | undefined;
  #liveness: Liveness | undefined;
  #wasReady = false;
  /** Why this side gave up the peer. */
  #dead: string | undefined;
  #closed = false;
  #cancelTimer: Cancel | undefined;
  #cancelAgeTimer: Cancel | undefined;
  #cancelRetry: Cancel | undefined;
  /** The first attempt is over, or not wanted any more. */
  readonly #leaveGate: () => void;

  constructor(
    address: Address,
    private readonly environment: ConnectionEnvironment,
    private readonly listener: ConnectionListener,
  ) {
    this.id = environment.nextConnectionId();
    this.#options = environment.context.loadBalancing;
    this.#address = abortable(address);
    this.subchannel = environment.helper.createSubchannel(this.#address, {
      ...environment.channelOptions,
      // grpc-js shares subchannels with equal arguments; this one is ours alone, also for a pool of several.
      'grpc_lb.connection': ++sequence,
    });
    this.subchannel.ref();
    this.subchannel.addConnectivityStateListener(this.#onState);
    environment.helper.addChannelzChild(this.subchannel.getChannelzRef());
    this.#leaveGate = environment.connectGate.enter(() => this.subchannel.startConnecting());
    this.#updateLimit();
  }

  get #clock() {
    return this.environment.context.clock;
  }

  /** It may carry calls, for better or worse. */
  get usable(): boolean {
    return this.state === 'ready' && this.retiring === undefined && this.health !== 'unknown';
  }

  get hasRoom(): boolean {
    return this.inFlight < this.limit && this.usable;
  }

  configure(options: EffectiveLoadBalancing): void {
    const { health } = this.#options;
    this.#options = options;
    this.#updateLimit();
    if (this.state !== 'ready') return;
    if (this.retiring === undefined) this.#watchAge();
    if (health.enabled !== options.health.enabled || health.service !== options.health.service) this.#watchHealth();
    this.#watchLiveness();
  }

  /** A call has been put on it. */
  callStarted(): void {
    this.#liveness?.callStarted();
  }

  /** Takes no new calls; the owner closes it when its last call has ended. */
  retire(reason: RetireReason): void {
    this.retiring = reason;
    this.#cancelAgeTimer?.();
  }

  /** Lets go of the connection. Calls that still run on it end by themselves, then grpc-js closes the socket. */
  close(): void {
    if (this.#closed) return;
    this.#closed = true;
    this.#stopWatching();
    this.#leaveGate();
    this.#cancelTimer?.();
    this.#cancelRetry?.();
    this.subchannel.removeConnectivityStateListener(this.#onState);
    this.environment.helper.removeChannelzChild(this.subchannel.getChannelzRef());
    this.subchannel.unref();
    // A socket that is still being opened would keep the process alive; one that was ready may still carry calls.
    if (!this.#wasReady) this.#address.abort('the connection is not needed any more');
  }

  snapshot(): ConnectionSnapshot {
    return {
      id: this.id,
      state: this.retiring === undefined && this.state !== 'lost' ? this.state : 'retiring',
      health: this.health,
      inFlight: this.inFlight,
      maxConcurrentStreams: this.limit,
      ageMs: this.#readyAt === undefined ? null : Math.round(this.#clock.now() - this.#readyAt),
    };
  }

  readonly #onState = (
    _subchannel: SubchannelInterface,
    previous: connectivityState,
    next: connectivityState,
    _keepalive: number,
    error?: string,
  ): void => {
    this.#cancelTimer?.();
    switch (next) {
      case connectivityState.CONNECTING:
        return this.#onConnecting();
      case connectivityState.READY:
        // The transport, and with it the peer's stream limit, is in place only when this event has been handled.
        return queueMicrotask(() => this.#onReady());
      case connectivityState.TRANSIENT_FAILURE:
        return this.#onFailure(error);
      default:
        return this.#onIdle(previous === connectivityState.READY);
    }
  };

  #onConnecting(): void {
    const { connectTimeout } = this.#options.pool;
    this.#address.renew();
    this.#cancelTimer = this.#clock.after(connectTimeout, () =>
      this.#address.abort(`no HTTP/2 connection within the connectTimeout of ${connectTimeout} ms`),
    );
  }

  #onReady(): void {
    if (this.#closed || this.subchannel.getConnectivityState() !== connectivityState.READY) return;
    this.#leaveGate();
    this.#peer = peerConnection(this.subchannel);
    this.#peerLimit = this.#peer?.maxConcurrentStreams;
    this.#peer?.onLimit((limit) => {
      this.#peerLimit = limit;
      this.#updateLimit();
      if (!this.#closed) this.listener.connectionChanged(this, false);
    });
    this.state = 'ready';
    this.#wasReady = true;
    this.lastError = undefined;
    this.#readyAt = this.#clock.now();
    this.#updateLimit();
    this.#watchAge();
    this.#watchLiveness();
    this.#watchHealth();
    this.listener.connectionChanged(this, false);
  }

  #onFailure(error: string | undefined): void {
    this.#leaveGate();
    this.state = 'transient_failure';
    this.lastError = this.#address.abortReason ?? plain(error ?? 'the connection failed');
    this.#stopWatching();
    this.listener.connectionChanged(this, false);
    this.#connectAgain();
  }

  #onIdle(wasReady: boolean): void {
    if (!wasReady) return this.#connectAgain();
    this.lastError = this.#dead;
    this.#stopWatching();
    this.state = 'lost';
    this.listener.connectionChanged(this, true);
  }

  /**
   * Goes on after grpc-js's backoff. That has passed already when an attempt has timed out; but grpc-js still waits for
   * its socket to close then, and would take the next attempt down with it.
   */
  #connectAgain(): void {
    if (this.#closed || this.#cancelRetry) return;
    if (this.#address.abortReason === undefined) return this.subchannel.startConnecting();
    const delay = jittered(this.environment.context.random, RETRY_AFTER_TIMEOUT_MS, 0.2);
    this.#cancelRetry = this.#clock.after(delay, () => {
      this.#cancelRetry = undefined;
      this.subchannel.startConnecting();
    });
  }

  #stopWatching(): void {
    this.#cancelAgeTimer?.();
    this.#liveness?.stop();
    this.#healthWatch?.stop();
    this.#healthWatch = undefined;
    this.#peer = undefined;
    this.#readyAt = undefined;
    this.health = 'unknown';
    this.healthReason = null;
  }

  #watchHealth(): void {
    this.#cancelTimer?.();
    this.#healthWatch?.stop();
    this.#healthWatch = undefined;
    const { health, pool } = this.#options;
    if (!health.enabled) return this.#setHealth('serving', null);
    // One that has answered before keeps its health until the new watch answers.
    if (this.health === 'unknown') {
      const late = `no answer of the health service within the connectTimeout of ${pool.connectTimeout} ms`;
      this.#cancelTimer = this.#clock.after(pool.connectTimeout, () => this.#setHealth('not_serving', late));
    }
    const { clock, random } = this.environment.context;
    this.#healthWatch = new HealthWatch(this.subchannel, health.service, clock, random, (answer, reason) => {
      this.#cancelTimer?.();
      this.#setHealth(answer, reason);
    });
    this.#updateLimit();
  }

  #setHealth(health: Health, reason: string | null): void {
    if (this.#closed || this.state !== 'ready') return;
    const changed = health !== this.health || reason !== this.healthReason;
    this.health = health;
    this.healthReason = reason;
    this.#updateLimit();
    if (changed) this.listener.connectionChanged(this, false);
  }

  #watchLiveness(): void {
    this.#liveness?.stop();
    const { pingAfter, pingTimeout } = this.#options.pool;
    if (!this.#peer || pingAfter === 0) return;
    const dead = `no answer to a PING within ${pingTimeout} ms, after ${pingAfter} ms without a byte`;
    const onDead = (): void => {
      this.#dead = dead;
      this.#peer?.drop();
    };
    this.#liveness = new Liveness(this.#peer, { pingAfter, pingTimeout }, this.#clock, () => this.inFlight > 0, onDead);
    if (this.inFlight > 0) this.#liveness.callStarted();
  }

  #watchAge(): void {
    const { maxConnectionAge } = this.#options.pool;
    this.#cancelAgeTimer?.();
    if (maxConnectionAge === undefined || this.#readyAt === undefined) return;
    const left =
      jittered(this.environment.context.random, maxConnectionAge, AGE_JITTER) - (this.#clock.now() - this.#readyAt);
    this.#cancelAgeTimer = this.#clock.after(Math.max(0, left), () => this.listener.connectionAged(this));
  }

  #updateLimit(): void {
    const configured = this.#options.pool.maxConcurrentStreams;
    const allowed = Math.min(this.#peerLimit ?? configured ?? ASSUMED_STREAM_LIMIT, configured ?? Infinity);
    // The health watch takes one of the peer's streams.
    this.limit = Math.max(1, this.#healthWatch?.open ? Math.min(allowed, (this.#peerLimit ?? Infinity) - 1) : allowed);
  }
}
