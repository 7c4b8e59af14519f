import type { Cancel, Clock } from '../core/clock.js';
import type { PeerConnection } from './experimental.js';

/** What a connection must answer to, in milliseconds. */
export interface LivenessOptions {
  /** After so long without a byte while a call waits, the peer is asked. */
  readonly pingAfter: number;
  /** And then has so long to answer. */
  readonly pingTimeout: number;
}

/**
 * Notices a peer that is silently dead: a stopped process, a network that drops packets. Keepalive does that too, but
 * only every so often, as servers close connections that ping too much while nothing happens (gRFC A8). This asks once
 * when a call has been waiting for a while and not a byte has come, and then not again until a byte has come or another
 * call has started: no server is asked twice for the same silence.
 */
export class Liveness {
  #cancel: Cancel | undefined;
  #heard = -1;
  #stopped = false;

  constructor(
    private readonly peer: PeerConnection,
    private readonly options: LivenessOptions,
    private readonly clock: Clock,
    private readonly waiting: () => boolean,
    private readonly onDead: () => void,
  ) {}

  /** A call has started: from now on something must come. */
  callStarted(): void {
    if (this.#stopped || this.#cancel) return;
    this.#watch();
  }

  stop(): void {
    this.#stopped = true;
    this.#cancel?.();
  }

  #watch(): void {
    this.#heard = this.peer.bytesRead;
    this.#cancel = this.clock.after(this.options.pingAfter, this.#look);
  }

  readonly #look = (): void => {
    this.#cancel = undefined;
    if (this.#stopped) return;
    // Also when no call waits any more: all may have reached their deadlines.
    if (this.peer.bytesRead === this.#heard) return this.#ask();
    if (this.waiting()) this.#watch();
  };

  #ask(): void {
    this.#cancel = this.clock.after(this.options.pingTimeout, () => {
      this.#cancel = undefined;
      if (this.#stopped || this.peer.bytesRead !== this.#heard) return;
      this.stop();
      this.onDead();
    });
    this.peer.ping();
  }
}
