import { type ChannelOptions, connectivityState } from '@grpc/grpc-js';
import type { Cancel } from '../core/clock.js';
import type { Address } from '../core/endpoint.js';
import type { Counted } from '../core/ledger.js';
import type { EffectivePoolOptions } from '../core/options/pool-options.js';
import { jittered } from '../core/random.js';
import type { ConnectionSnapshot } from '../core/snapshot.js';
import type { ClientContext } from './client-context.js';
import { type ChannelControlHelper, peerStreamLimit, type SubchannelInterface } from './experimental.js';

/** What is assumed of a peer whose limit cannot be read, as most servers allow at least this (RFC 9113, 6.5.2). */
const ASSUMED_STREAM_LIMIT = 100;
/** gRFC A9: the maximum age is spread by 10 %, so that connections opened together do not close together. */
const AGE_JITTER = 0.1;

/** What connections need of the world around them. */
export interface ConnectionEnvironment {
  readonly helper: ChannelControlHelper;
  readonly context: ClientContext;
  readonly channelOptions: ChannelOptions;
  nextConnectionId(): number;
}

export interface ConnectionListener {
  /** Its state has changed. `lost` when it was ready and went away by itself. */
  connectionChanged(connection: Connection, lost: boolean): void;
  /** It is older than `maxConnectionAge`. */
  connectionAged(connection: Connection): void;
}

/** Why a connection gets no new calls. */
export type RetireReason = 'draining' | 'age' | 'idle';

/** An error of grpc-js without what differs each time: a prefix, a time, a line break of OpenSSL. */
function plain(error: string): string {
  return error
    .replace(/^Error: /, '')
    .replace(/ \(\d{4}-[\d-]+T[\d:.]+Z\)$/, '')
    .trim();
}

let sequence = 0;

/** net.connect() revives a socket whose signal is aborted already: one that begins too late is aborted once it has. */
function abortedSoon(): AbortSignal {
  const controller = new AbortController();
  setImmediate(() => controller.abort());
  return controller.signal;
}

/** One HTTP/2 connection to one endpoint: a grpc-js subchannel that nobody else shares. */
export class Connection implements Counted {
  inFlight = 0;
  /** `transient_failure` lasts until the connection is ready, so that calls fail fast while attempts go on (gRFC A62). */
  state: 'connecting' | 'ready' | 'transient_failure' = 'connecting';
  retiring: RetireReason | undefined;
  lastError: string | undefined;
  /** When its last call ended, on the clock. */
  idleSince = 0;
  readonly id: number;
  readonly subchannel: SubchannelInterface;

  #pool: EffectivePoolOptions;
  #peerLimit: number | undefined;
  #readyAt: number | undefined;
  #attempt = new AbortController();
  #timedOut = false;
  #closed = false;
  #cancelConnectTimer: Cancel | undefined;
  #cancelAgeTimer: Cancel | undefined;

  constructor(
    address: Address,
    private readonly environment: ConnectionEnvironment,
    private readonly listener: ConnectionListener,
  ) {
    this.id = environment.nextConnectionId();
    this.#pool = environment.context.loadBalancing.pool;
    const attempt = (): AbortController => this.#attempt;
    // grpc-js hands the address to net.connect() as it is, and that takes an AbortSignal: the way to a connect timeout
    // that closes the socket, which grpc-js does not have (grpc-node#2785).
    const abortable = {
      ...address,
      get signal() {
        const { signal } = attempt();
        return signal.aborted ? abortedSoon() : signal;
      },
    };
    this.subchannel = environment.helper.createSubchannel(abortable, {
      ...environment.channelOptions,
      // grpc-js shares subchannels with equal arguments; this one is ours alone, also for a pool of several.
      'grpc_lb.connection': ++sequence,
    });
    this.subchannel.ref();
    this.subchannel.addConnectivityStateListener(this.#onState);
    environment.helper.addChannelzChild(this.subchannel.getChannelzRef());
    this.subchannel.startConnecting();
  }

  /** Calls it carries at most at the same time. */
  get limit(): number {
    const configured = this.#pool.maxConcurrentStreams;
    return Math.min(this.#peerLimit ?? configured ?? ASSUMED_STREAM_LIMIT, configured ?? Infinity);
  }

  get usable(): boolean {
    return this.state === 'ready' && this.retiring === undefined;
  }

  get hasRoom(): boolean {
    return this.inFlight < this.limit && this.usable;
  }

  configure(pool: EffectivePoolOptions): void {
    this.#pool = pool;
    if (this.state === 'ready' && this.retiring === undefined) this.#watchAge();
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
    this.#cancelConnectTimer?.();
    this.#cancelAgeTimer?.();
    this.subchannel.removeConnectivityStateListener(this.#onState);
    this.environment.helper.removeChannelzChild(this.subchannel.getChannelzRef());
    this.subchannel.unref();
    // A socket that is still being opened would keep the process alive.
    if (this.state !== 'ready') this.#attempt.abort();
  }

  snapshot(): ConnectionSnapshot {
    return {
      id: this.id,
      state: this.retiring === undefined ? this.state : 'retiring',
      inFlight: this.inFlight,
      maxConcurrentStreams: this.limit,
      ageMs: this.#readyAt === undefined ? null : Math.round(this.environment.context.clock.now() - this.#readyAt),
    };
  }

  readonly #onState = (
    _subchannel: SubchannelInterface,
    previous: connectivityState,
    next: connectivityState,
    _keepalive: number,
    error?: string,
  ): void => {
    this.#cancelConnectTimer?.();
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
    const { clock } = this.environment.context;
    const timeout = this.#pool.connectTimeout;
    this.#attempt = new AbortController();
    this.#timedOut = false;
    this.#cancelConnectTimer = clock.after(timeout, () => {
      this.#timedOut = true;
      this.#attempt.abort();
    });
  }

  #onReady(): void {
    if (this.#closed || this.subchannel.getConnectivityState() !== connectivityState.READY) return;
    this.#peerLimit = peerStreamLimit(this.subchannel, (limit) => {
      this.#peerLimit = limit;
      if (!this.#closed) this.listener.connectionChanged(this, false);
    });
    this.state = 'ready';
    this.lastError = undefined;
    this.#readyAt = this.environment.context.clock.now();
    this.#watchAge();
    this.listener.connectionChanged(this, false);
  }

  #onFailure(error: string | undefined): void {
    this.state = 'transient_failure';
    this.lastError = this.#timedOut
      ? `no HTTP/2 connection within the connectTimeout of ${this.#pool.connectTimeout} ms`
      : plain(error ?? 'the connection failed');
    this.#readyAt = undefined;
    this.listener.connectionChanged(this, false);
    // Goes on after the backoff.
    if (!this.#closed) this.subchannel.startConnecting();
  }

  #onIdle(wasReady: boolean): void {
    this.#cancelAgeTimer?.();
    this.#readyAt = undefined;
    if (this.state === 'ready') this.state = 'connecting';
    this.listener.connectionChanged(this, wasReady);
    if (!this.#closed) this.subchannel.startConnecting();
  }

  #watchAge(): void {
    const { clock, random } = this.environment.context;
    const maxAge = this.#pool.maxConnectionAge;
    this.#cancelAgeTimer?.();
    if (maxAge === undefined || this.#readyAt === undefined) return;
    const left = jittered(random, maxAge, AGE_JITTER) - (clock.now() - this.#readyAt);
    this.#cancelAgeTimer = clock.after(Math.max(0, left), () => this.listener.connectionAged(this));
  }
}
