import type { Carrier } from '../../core/balancing/members/link.js';
import type { Cancel } from '../../core/clock.js';
import type { Member } from '../../core/balancing/members/member.js';
import type { PlacedStream } from '../../core/streams/placed-stream.js';
import type { EffectiveLoadBalancing } from '../../core/options/load-balancing.js';
import type { ConnectionHealth, ConnectionSnapshot } from '../../core/snapshot.js';
import { StreamLimit } from '../../core/connection/stream-limit.js';
import { connectionFault } from '../capabilities.js';
import { AgeTimer } from './age-timer.js';
import { Dialer, type DialerListener } from './dialer.js';
import { type PeerConnection, peerConnection, type SubchannelInterface } from '../experimental.js';
import { Liveness, type LivenessListener } from './liveness.js';
import { callAuthority } from './call-authority.js';
import type { ConnectionSite } from './connection-site.js';
import type { Certified } from '../tls/client-tls.js';
import { ConnectionWatches, type WatchesOwner } from './connection-watches.js';
import { endUnused } from './unused-session.js';
import type { WatchPeer } from './watch-stream.js';

export interface ConnectionListener {
  /** Called when its state, health or limit has changed. `lost`: it was ready, and was not closed by this side. */
  connectionChanged(connection: Connection, lost: boolean): void;
  /** Called when it is older than `maxConnectionAge`. */
  connectionAged(connection: Connection): void;
  /** Called when it should be replaced, because it was made with earlier certificates. */
  connectionOutdated(connection: Connection): void;
}

/** Why a connection gets no new calls. A lost connection never reconnects; after a GOAWAY its calls continue. */
export type RetireReason = 'draining' | 'age' | 'recycled' | 'certificates' | 'idle' | 'lost';

/** One HTTP/2 connection to one endpoint, from its first attempt to its end, and the state of its peer. */
export class Connection implements Carrier, DialerListener, LivenessListener, WatchesOwner, Certified {
  inFlight = 0;
  /** `transient_failure` lasts until the connection is ready: calls fail fast while attempts continue (gRFC A62). */
  state: 'connecting' | 'ready' | 'transient_failure' | 'lost' = 'connecting';
  /** The health that the peer reports (gRFC A17); unknown until it has answered. */
  health: ConnectionHealth = 'unknown';
  healthReason: string | null = null;
  retiring: RetireReason | undefined;
  lastError: string | undefined;
  /** Whether the owner has been notified that the connection is usable. */
  announced = false;
  /** When it became ready, by the clock. */
  readyAt: number | undefined;
  /** Whether its peer has processed a call. */
  answered = false;
  /** Why its peer is suspect; undefined if it is not. */
  suspicion: string | undefined;
  /** When its last call ended, by the clock. */
  idleSince = 0;
  /** The streams on it that may move; undefined if there were none. */
  streams: Set<PlacedStream<Member<Connection>>> | undefined;
  readonly id: number;

  readonly #dialer: Dialer;
  readonly #limit: StreamLimit;
  #options: EffectiveLoadBalancing;
  #peer: PeerConnection | undefined;
  #watches: ConnectionWatches | undefined;
  #liveness: Liveness | undefined;
  /** Why the client declared the peer dead. */
  #dead: string | undefined;
  /** Why the connection goes, in the words of gRFC A94. */
  #gone: string | undefined;
  #closed = false;
  readonly #ageTimer: AgeTimer;
  #stopCertificates: Cancel | undefined;

  constructor(
    private readonly site: ConnectionSite,
    private readonly listener: ConnectionListener,
  ) {
    const { environment, address } = site;
    this.id = environment.nextConnectionId();
    this.#options = environment.context.loadBalancing;
    this.#dialer = new Dialer(address, environment, this);
    const { clock, random } = environment.context;
    this.#ageTimer = new AgeTimer(clock, random, () => this.listener.connectionAged(this));
    this.#limit = new StreamLimit(clock, () => this.#onLimit());
    this.#limit.configure(this.#options.pool.maxConcurrentStreams);
  }

  get subchannel(): SubchannelInterface {
    return this.#dialer.subchannel;
  }

  /** The `:authority` of calls on it; undefined for that of the client. It stays, as the name does that TLS has verified. */
  get authority(): string | undefined {
    return this.#dialer.authority;
  }

  get generation(): number {
    return this.#dialer.generation;
  }

  outdated(): void {
    this.listener.connectionOutdated(this);
  }

  /** For streams of the client's own. */
  get peer(): WatchPeer {
    const { subchannel } = this;
    const authority = this.authority ?? callAuthority(subchannel, this.site.environment.channelOptions);
    return { subchannel, authority };
  }

  get #clock() {
    return this.site.environment.context.clock;
  }

  get #totals() {
    return this.site.environment.context.totals;
  }

  get lost(): boolean {
    return this.state === 'lost';
  }

  /** Whether it can carry calls, healthy or not. */
  get usable(): boolean {
    return this.state === 'ready' && this.retiring === undefined && this.health !== 'unknown';
  }

  /** Whether it is about to carry calls: it connects, or waits for the first word of its peer's health. */
  get coming(): boolean {
    if (this.retiring !== undefined) return false;
    return this.state === 'connecting' || (this.state === 'ready' && this.health === 'unknown');
  }

  /** Maximum number of concurrent calls. */
  get limit(): number {
    return this.#limit.calls;
  }

  get hasRoom(): boolean {
    return this.inFlight < this.limit && this.usable;
  }

  configure(options: EffectiveLoadBalancing): void {
    this.#options = options;
    this.#limit.configure(options.pool.maxConcurrentStreams);
    if (this.state !== 'ready') return;
    if (this.retiring === undefined) {
      this.#watchAge();
      this.#watchCertificates();
    }
    this.#watchLiveness();
    this.#arrangeWatches();
  }

  /**
   * Whether it takes another stream; if not, it is lost from now on. grpc-js hears in a later turn that a session has
   * ended: before Node 24 such a session throws, and from then on it takes the stream, and fails it.
   */
  takesStream(): boolean {
    if (!this.#peer?.ended) return true;
    this.#peer.reportEnd();
    return false;
  }

  /** Called when a call has been assigned to it. */
  callStarted(): void {
    this.#liveness?.callStarted();
  }

  /**
   * Called when the peer has answered a call.
   *
   * @param ran Whether it has processed it: one that refuses every stream and closes is not dialed again at once.
   */
  callAnswered(ran: boolean): void {
    if (ran) this.answered = true;
    this.#liveness?.replied();
  }

  /** Connects now instead of at the end of the backoff. */
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
    this.#totals.suspects++;
    this.suspicion = `no answer to a PING for ${suspectAfter} ms, after ${pingAfter} ms without data; calls in flight may still be answered`;
    this.listener.connectionChanged(this, false);
  }

  recovered(): void {
    this.suspicion = undefined;
    this.listener.connectionChanged(this, false);
  }

  died(): void {
    const { pingAfter, pingTimeout } = this.#options.pool;
    this.#dead = `no answer to a PING within ${pingTimeout} ms, after ${pingAfter} ms without data`;
    // A94: "connection timed out ... also includes connections closed due to [A8]: gRPC keepalives".
    this.#gone ??= 'connection timed out';
    this.#peer?.drop();
  }

  pinged(): void {
    this.#totals.pings++;
  }

  /** Stops new calls; the owner closes it when its last call has ended. */
  retire(reason: RetireReason): void {
    this.retiring = reason;
    this.#ageTimer.stop();
    this.#forgetCertificates();
  }

  /** Releases the connection. Its calls end by themselves, then grpc-js closes the socket. */
  close(): void {
    if (this.#closed) return;
    this.#closed = true;
    if (this.state === 'ready') this.#totals.connectionClosed('subchannel shutdown');
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
    const fault = connectionFault(this.subchannel);
    if (fault !== undefined) return this.failed(fault);
    const peer = (this.#peer = peerConnection(this.subchannel));
    this.#limit.begin(peer?.maxConcurrentStreams);
    peer?.onLimit((limit) => {
      // A lost or closed connection may remain open for its last calls.
      if (peer === this.#peer) this.#limit.announced(limit);
    });
    this.state = 'ready';
    this.#totals.connectionsOpened++;
    peer?.onGone((reason) => {
      if (peer === this.#peer) this.#gone ??= reason;
    });
    this.lastError = undefined;
    this.readyAt = this.#clock.now();
    this.#watchAge();
    this.#watchCertificates();
    this.#watchLiveness();
    this.#watches = new ConnectionWatches(this.peer, this.site, this);
    this.#arrangeWatches();
    this.listener.connectionChanged(this, false);
  }

  failed(error: string): void {
    this.#totals.connectionAttemptsFailed++;
    this.state = 'transient_failure';
    this.lastError = error;
    this.#stopWatching();
    this.listener.connectionChanged(this, false);
  }

  disconnected(): void {
    this.lastError = this.#dead;
    this.#totals.connectionClosed(this.#gone ?? 'unknown');
    this.#stopWatching();
    this.state = 'lost';
    this.listener.connectionChanged(this, true);
  }

  healthKnown(health: ConnectionHealth, reason: string | null): void {
    if (this.#closed || this.state !== 'ready') return;
    const changed = health !== this.health || reason !== this.healthReason;
    this.health = health;
    this.healthReason = reason;
    // A watch that has ended has released its stream.
    this.watchStreamsChanged();
    if (changed) this.listener.connectionChanged(this, false);
  }

  watchStreamsChanged(): void {
    const before = this.limit;
    this.#limit.watched(this.#watches?.streams ?? 0);
    // Calls may be pending for the stream of a watch that has ended.
    if (this.limit > before) this.listener.connectionChanged(this, false);
  }

  #stopWatching(): void {
    this.#ageTimer.stop();
    this.#forgetCertificates();
    this.#liveness?.stop();
    this.#liveness = undefined;
    this.suspicion = undefined;
    this.#watches?.stop();
    this.#watches = undefined;
    this.#limit.stop();
    if (this.#peer) endUnused(this.#peer, () => this.inFlight === 0, this.#clock);
    this.#peer = undefined;
    this.health = 'unknown';
    this.healthReason = null;
  }

  #watchLiveness(): void {
    const { clock, ownStall, loadBalancing } = this.site.environment.context;
    if (this.#liveness) this.#liveness.configure(loadBalancing.pool);
    else if (this.#peer) this.#liveness = new Liveness(this.#peer, loadBalancing.pool, clock, ownStall, this);
  }

  #arrangeWatches(): void {
    const { reportInterval } = this.site.environment;
    this.#watches?.arrange(this.#limit.peer, this.retiring === undefined ? reportInterval : undefined);
  }

  #watchAge(): void {
    this.#ageTimer.start(this.#options.pool.maxConnectionAge, this.readyAt!);
  }

  #watchCertificates(): void {
    this.#stopCertificates ??= this.site.environment.context.tls?.watch(this);
  }

  #forgetCertificates(): void {
    this.#stopCertificates?.();
    this.#stopCertificates = undefined;
  }

  #onLimit(): void {
    this.#arrangeWatches();
    this.listener.connectionChanged(this, false);
  }
}
