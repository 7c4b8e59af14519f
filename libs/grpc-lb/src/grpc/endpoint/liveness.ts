import type { Cancel, Clock } from '../../core/clock.js';
import type { OwnStall } from '../../core/own-stall.js';
import { PingBudget } from '../../core/connection/ping-budget.js';
import type { PeerConnection } from '../experimental.js';

/** What a connection must answer to, in milliseconds. */
export interface LivenessOptions {
  /** After so long without a byte while a call waits, the peer is asked. */
  readonly pingAfter: number;
  /** When it has not answered for so long, it is suspect. */
  readonly suspectAfter: number;
  /** And when it has not answered for so long, it is dead. */
  readonly pingTimeout: number;
}

export interface LivenessListener {
  /** A call waits for the peer. */
  readonly waiting: boolean;
  /** A stream is open on the connection, be it that of a watch. */
  readonly streamOpen: boolean;
  /** The peer may have stalled: no new calls. */
  suspected(): void;
  /** A suspect peer has answered. */
  recovered(): void;
  died(): void;
}

/** How often a suspect peer is looked at: it may send other bytes than the answer to the PING. */
const SUSPECT_LOOK_MS = 250;
/** So long after a stall of this process what had come meanwhile has been read. */
const SETTLE_MS = 100;

/**
 * Notices a peer that is silent: a stopped process, a network that drops packets, or a stall, which is no death.
 * Keepalive notices only death, and only every so often. This asks once when a call has been waiting for a while and not
 * a byte has come, and then not again until a byte has come or another call has started, as far as the budget of PINGs
 * lasts. Time in which this process stood still itself does not count.
 */
export class Liveness {
  readonly #budget = new PingBudget();
  #cancel: Cancel | undefined;
  /** Bytes received when the wait began. */
  #heard = -1;
  #watchedAt = 0;
  /** When the peer was asked, on the clock of `OwnStall.awake`; undefined while it is not. */
  #askedAt: number | undefined;
  #suspect = false;
  /** A call has started since the peer was asked. */
  #startedSince = false;
  #pinging = 0;
  #data: number;
  #replied: 'no' | 'while pinging' | 'yes' = 'no';
  #stopped = false;

  constructor(
    private readonly peer: PeerConnection,
    private options: LivenessOptions,
    private readonly clock: Clock,
    private readonly ownStall: OwnStall,
    private readonly listener: LivenessListener,
  ) {
    this.#data = peer.unacknowledgedData;
    peer.onPing({ sent: () => this.#onPing(), answered: () => this.#onAnswer() });
  }

  /** The budget of PINGs stays: it is the peer's. */
  configure(options: LivenessOptions): void {
    this.options = options;
    if (this.listener.waiting) this.callStarted();
  }

  /** A call has started: from now on something must come. */
  callStarted(): void {
    if (this.#askedAt !== undefined) this.#startedSince = true;
    if (this.#stopped || this.#cancel || this.options.pingAfter === 0) return;
    this.#watch();
  }

  /** HEADERS or DATA have come: the peer counts PINGs anew. */
  replied(): void {
    if (this.#pinging === 0) this.#replied = 'yes';
    else if (this.#replied === 'no') this.#replied = 'while pinging';
  }

  stop(): void {
    this.#stopped = true;
    this.#cancel?.();
  }

  #watch(): void {
    this.#heard = this.peer.bytesRead;
    this.#watchedAt = this.ownStall.awake;
    this.#cancel = this.clock.after(this.options.pingAfter, this.#look);
  }

  readonly #look = (): void => {
    this.#cancel = undefined;
    if (this.#stopped) return;
    this.#sample();
    // Also when no call waits any more: all may have reached their deadlines.
    if (this.peer.bytesRead !== this.#heard) {
      if (this.listener.waiting) this.#watch();
      return;
    }
    const left = this.options.pingAfter - (this.ownStall.awake - this.#watchedAt);
    if (this.#unsettled || left > 0) {
      this.#cancel = this.clock.after(Math.max(SETTLE_MS, left), this.#look);
    } else this.#ask();
  };

  #ask(): void {
    this.#creditReplies();
    if (!this.#budget.allows(this.clock.now(), this.listener.streamOpen)) return;
    this.#askedAt = this.ownStall.awake;
    this.#startedSince = false;
    const { suspectAfter, pingTimeout } = this.options;
    this.#cancel = this.clock.after(Math.min(suspectAfter, pingTimeout), this.#judge);
    this.peer.ping();
  }

  readonly #judge = (): void => {
    this.#cancel = undefined;
    if (this.#stopped || this.#askedAt === undefined) return;
    if (this.peer.bytesRead !== this.#heard) return this.#onSignOfLife();
    if (this.#unsettled) return this.#judgeIn(SETTLE_MS);
    const silent = this.ownStall.awake - this.#askedAt;
    const { suspectAfter, pingTimeout } = this.options;
    if (silent >= pingTimeout) {
      this.stop();
      return this.listener.died();
    }
    if (!this.#suspect && silent >= suspectAfter) {
      this.#suspect = true;
      this.listener.suspected();
    }
    this.#judgeIn(this.#suspect ? Math.min(SUSPECT_LOOK_MS, pingTimeout - silent) : suspectAfter - silent);
  };

  #judgeIn(ms: number): void {
    if (!this.#stopped) this.#cancel = this.clock.after(ms, this.#judge);
  }

  #onSignOfLife(): void {
    this.#cancel?.();
    this.#cancel = undefined;
    this.#askedAt = undefined;
    if (this.#suspect) {
      this.#suspect = false;
      this.listener.recovered();
    }
    if (this.#startedSince && !this.#stopped && this.listener.waiting) this.#watch();
  }

  /** This process stood still until just now: what the peer has sent may not have been read. */
  get #unsettled(): boolean {
    return this.ownStall.wasStalledSince(this.clock.now() - SETTLE_MS);
  }

  /** A PING of this class or of keepalive. */
  #onPing(): void {
    this.#sample();
    this.#creditReplies();
    this.#budget.sent(this.clock.now(), this.listener.streamOpen);
    this.#pinging++;
  }

  #onAnswer(): void {
    this.#sample();
    this.#pinging--;
    if (this.#askedAt !== undefined && !this.#stopped) this.#onSignOfLife();
  }

  #creditReplies(): void {
    if (this.#replied !== 'no') this.#budget.replied(this.#replied === 'while pinging');
    this.#replied = 'no';
  }

  /** More of it than before means that DATA has come; less, that it was acknowledged meanwhile. */
  #sample(): void {
    const data = this.peer.unacknowledgedData;
    if (data > this.#data) this.replied();
    this.#data = data;
  }
}
