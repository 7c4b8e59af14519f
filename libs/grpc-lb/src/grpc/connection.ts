import type { ChannelOptions } from '@grpc/grpc-js';
import type { Cancel } from '../core/clock.js';
import { type Address, addressToString } from '../core/endpoint.js';
import type { Counted } from '../core/ledger.js';
import type { EffectiveLoadBalancing } from '../core/options/load-balancing.js';
import type { LoadReport } from '../core/policy/load-report.js';
import { jittered } from '../core/random.js';
import type { ConnectionSnapshot } from '../core/snapshot.js';
import type { ClientContext } from './client-context.js';
import type { ConnectGate } from './connect-gate.js';
import { Dialer, type DialerListener } from './dialer.js';
import {
  type ChannelControlHelper,
  type PeerConnection,
  peerConnection,
  type SubchannelInterface,
} from './experimental.js';
import type { Health } from './health-watch.js';
import { Liveness, type LivenessListener } from './liveness.js';
import { callAuthority } from './call-authority.js';
import { ConnectionWatches, type WatchesOwner } from './connection-watches.js';

/** What is assumed of a peer whose limit cannot be read, as most servers allow at least this (RFC 9113, 6.5.2). */
const ASSUMED_STREAM_LIMIT = 100;
/** gRFC A9: the maximum age is spread by 10 %, so that connections opened together do not close together. */
const AGE_JITTER = 0.1;

/** What connections need of the world around them. */
export interface ConnectionEnvironment {
  readonly helper: ChannelControlHelper;
  readonly context: ClientContext;
  readonly channelOptions: ChannelOptions;
  /** How often, in milliseconds, the peer shall report its load out of band; undefined for never. */
  readonly reportInterval: number | undefined;
  readonly connectGate: ConnectGate;
  nextConnectionId(): number;
}

export interface ConnectionListener {
  /** Its state, health or limit has changed. `lost` when it was ready and went away by itself. */
  connectionChanged(connection: Connection, lost: boolean): void;
  /** It is older than `maxConnectionAge`. */
  connectionAged(connection: Connection): void;
  /** The peer has reported its load out of band. */
  loadReported(report: LoadReport): void;
}

/** Why a connection gets no new calls. A lost one is never connected again; after a GOAWAY its calls go on. */
export type RetireReason = 'draining' | 'age' | 'idle' | 'lost';

/** One HTTP/2 connection to one endpoint, from its first attempt to its end, and what is known of its peer. */
export class Connection implements Counted, DialerListener, LivenessListener, WatchesOwner {
  inFlight = 0;
  /** `transient_failure` lasts until the connection is ready, so that calls fail fast while attempts go on (gRFC A62). */
  state: 'connecting' | 'ready' | 'transient_failure' | 'lost' = 'connecting';
  /** What the peer says of itself (gRFC A17): unknown until it has answered. */
  health: Health = 'unknown';
  healthReason: string | null = null;
  retiring: RetireReason | undefined;
  lastError: string | undefined;
  /** The owner has been told that it may carry calls. */
  announced = false;
  /** When it became ready, on the clock. */
  readyAt: number | undefined;
  /** Its peer has answered a call. */
  answered = false;
  /** Why its peer is suspect; undefined while it is not. */
  suspicion: string | undefined;
  /** When its last call ended, on the clock. */
  idleSince = 0;
  /** Calls it carries at most at the same time. */
  limit = ASSUMED_STREAM_LIMIT;
  readonly id: number;

  readonly #dialer: Dialer;
  #options: EffectiveLoadBalancing;
  #peer: PeerConnection | undefined;
  #peerLimit: number | undefined;
  #watches: ConnectionWatches | undefined;
  #liveness: Liveness | undefined;
  /** Why this side gave up the peer. */
  #dead: string | undefined;
  #closed = false;
  #cancelAgeTimer: Cancel | undefined;

  constructor(
    private readonly address: Address,
    private readonly environment: ConnectionEnvironment,
    private readonly listener: ConnectionListener,
  ) {
    this.id = environment.nextConnectionId();
    this.#options = environment.context.loadBalancing;
    this.#dialer = new Dialer(address, environment, this);
    this.#updateLimit();
  }

  get subchannel(): SubchannelInterface {
    return this.#dialer.subchannel;
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
    this.#options = options;
    this.#updateLimit();
    if (this.state !== 'ready') return;
    if (this.retiring === undefined) this.#watchAge();
    this.#watchLiveness();
    this.#arrangeWatches();
  }

  /** A call has been put on it. */
  callStarted(): void {
    this.#liveness?.callStarted();
  }

  /** The peer has answered a call. */
  callAnswered(): void {
    this.answered = true;
    this.#liveness?.replied();
  }

  /** Does not wait for the end of the backoff. */
  dialNow(): void {
    this.#dialer.dialNow();
  }

  get waiting(): boolean {
    return this.inFlight > 0;
  }

  get streamOpen(): boolean {
    return this.inFlight > 0 || (this.#watches?.streams ?? 0) > 0;
  }

  suspected(): void {
    const { pingAfter, suspectAfter } = this.#options.pool;
    this.suspicion = `no answer to a PING for ${suspectAfter} ms, after ${pingAfter} ms without a byte; its calls may still be answered`;
    this.listener.connectionChanged(this, false);
  }

  recovered(): void {
    this.suspicion = undefined;
    this.listener.connectionChanged(this, false);
  }

  died(): void {
    const { pingAfter, pingTimeout } = this.#options.pool;
    this.#dead = `no answer to a PING within ${pingTimeout} ms, after ${pingAfter} ms without a byte`;
    this.#peer?.drop();
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
    this.#dialer.close();
  }

  snapshot(): ConnectionSnapshot {
    return {
      id: this.id,
      state: this.retiring === undefined && this.state !== 'lost' ? this.state : 'retiring',
      health: this.health,
      inFlight: this.inFlight,
      maxConcurrentStreams: this.limit,
      ageMs: this.readyAt === undefined || this.state === 'lost' ? null : Math.round(this.#clock.now() - this.readyAt),
    };
  }

  dialed(): void {
    this.#peer = peerConnection(this.subchannel);
    this.#peerLimit = this.#peer?.maxConcurrentStreams;
    this.#peer?.onLimit((limit) => {
      this.#peerLimit = limit;
      this.#updateLimit();
      this.#arrangeWatches();
      if (!this.#closed) this.listener.connectionChanged(this, false);
    });
    this.state = 'ready';
    this.lastError = undefined;
    this.readyAt = this.#clock.now();
    this.#updateLimit();
    this.#watchAge();
    this.#watchLiveness();
    const { subchannel, environment } = this;
    const peer = { subchannel, authority: callAuthority(subchannel, environment.channelOptions) };
    this.#watches = new ConnectionWatches(peer, addressToString(this.address), environment.context, this);
    this.#arrangeWatches();
    this.listener.connectionChanged(this, false);
  }

  failed(error: string): void {
    this.state = 'transient_failure';
    this.lastError = error;
    this.#stopWatching();
    this.listener.connectionChanged(this, false);
  }

  lost(): void {
    this.lastError = this.#dead;
    this.#stopWatching();
    this.state = 'lost';
    this.listener.connectionChanged(this, true);
  }

  healthKnown(health: Health, reason: string | null): void {
    if (this.#closed || this.state !== 'ready') return;
    const changed = health !== this.health || reason !== this.healthReason;
    this.health = health;
    this.healthReason = reason;
    this.#updateLimit();
    if (changed) this.listener.connectionChanged(this, false);
  }

  watchStreamsChanged(): void {
    this.#updateLimit();
  }

  loadReported(report: LoadReport): void {
    this.listener.loadReported(report);
  }

  #stopWatching(): void {
    this.#cancelAgeTimer?.();
    this.#liveness?.stop();
    this.#liveness = undefined;
    this.suspicion = undefined;
    this.#watches?.stop();
    this.#watches = undefined;
    this.#peer = undefined;
    this.health = 'unknown';
    this.healthReason = null;
  }

  #watchLiveness(): void {
    const { clock, ownStall, loadBalancing } = this.environment.context;
    if (this.#liveness) this.#liveness.configure(loadBalancing.pool);
    else if (this.#peer) this.#liveness = new Liveness(this.#peer, loadBalancing.pool, clock, ownStall, this);
  }

  #arrangeWatches(): void {
    const { reportInterval } = this.environment;
    this.#watches?.arrange(this.#peerLimit, this.retiring === undefined ? reportInterval : undefined);
  }

  #watchAge(): void {
    const { maxConnectionAge } = this.#options.pool;
    this.#cancelAgeTimer?.();
    if (maxConnectionAge === undefined || this.readyAt === undefined) return;
    const left =
      jittered(this.environment.context.random, maxConnectionAge, AGE_JITTER) - (this.#clock.now() - this.readyAt);
    this.#cancelAgeTimer = this.#clock.after(Math.max(0, left), () => this.listener.connectionAged(this));
  }

  #updateLimit(): void {
    const configured = this.#options.pool.maxConcurrentStreams;
    const allowed = Math.min(this.#peerLimit ?? configured ?? ASSUMED_STREAM_LIMIT, configured ?? Infinity);
    // Each watch takes one of the peer's streams. A peer that allows none now may allow some later.
    const watches = this.#watches?.streams ?? 0;
    this.limit = Math.max(0, Math.min(allowed, (this.#peerLimit ?? Infinity) - watches));
  }
}
