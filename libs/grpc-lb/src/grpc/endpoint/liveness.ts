import type { Cancel, Clock } from '../../core/clock.js';
import type { OwnStall } from '../../core/own-stall.js';
import { PingBudget } from '../../core/connection/ping-budget.js';
import type { PeerConnection } from '../experimental.js';

/** Timeouts for the answers of a peer, in milliseconds. */
export interface LivenessOptions {
  /** Time without a byte, while a call waits, after which the client sends a PING; 0 for never. */
  readonly pingAfter: number;
  /** Time without an answer after which the peer is suspect. */
  readonly suspectAfter: number;
  /** Time without an answer after which the peer is dead. */
  readonly pingTimeout: number;
}

export interface LivenessListener {
  /** Whether a call waits for the peer. */
  readonly waiting: boolean;
  /** Whether a stream is open on the connection, including that of a watch. */
  readonly streamOpen: boolean;
  /** Called when it sends a PING. */
  pinged(): void;
  /** Called when the peer may have stalled: it gets no new calls. */
  suspected(): void;
  /** Called when a suspect peer has answered. */
  recovered(): void;
  died(): void;
}

/** How often a suspect peer is checked: it may send other bytes than the answer to the PING. */
const SUSPECT_LOOK_MS = 250;
/** This long after a stall of this process, the data that arrived during the stall has been read. */
const SETTLE_MS = 100;

/**
 * Detects a silent peer: a stopped process, a network that drops packets, or a stall, which may end. Keepalive detects
 * only dead peers, and only at long intervals. This sends one PING when a call has been waiting for a while and no byte
 * has arrived, and the next only after a byte has arrived or another call has started, within the PING budget. Stalls
 * of this process do not count as silence.
 */
export class Liveness {
  readonly #budget = new PingBudget();
  #cancel: Cancel | undefined;
  /** Bytes received when the wait began. */
  #heard = -1;
  #watchedAt = 0;
  /** When the PING was sent, by the clock of `OwnStall.awake`; undefined if none is in flight. */
  #askedAt: number | undefined;
  #suspect = false;
  /** Whether a call has started since the PING was sent. */
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

  /** Keeps the PING budget, because it belongs to the peer. */
  configure(options: LivenessOptions): void {
    this.options = options;
    if (options.pingAfter === 0) this.#trust();
    else if (this.listener.waiting) this.callStarted();
  }

  /** Called when a call has started: from now on the peer must send data. */
  callStarted(): void {
    if (this.#askedAt !== undefined) this.#startedSince = true;
    if (this.#stopped || this.#cancel || this.options.pingAfter === 0) return;
    this.#watch();
  }

  /** Called when HEADERS or DATA have arrived: the peer resets its PING count. */
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
    // Even if no call waits any more: all may have reached their deadlines.
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
    this.listener.pinged();
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

  /** Ends the wait for an answer. */
  #trust(): void {
    this.#cancel?.();
    this.#cancel = undefined;
    this.#askedAt = undefined;
    if (!this.#suspect) return;
    this.#suspect = false;
    this.listener.recovered();
  }

  #onSignOfLife(): void {
    this.#trust();
    if (this.#startedSince && !this.#stopped && this.listener.waiting) this.#watch();
  }

  /** Whether this process stalled until just now: data from the peer may be unread. */
  get #unsettled(): boolean {
    return this.ownStall.wasStalledSince(this.clock.now() - SETTLE_MS);
  }

  /** Called for PINGs of this class and of keepalive. */
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

  /** An increase means that DATA has arrived; a decrease, that it was acknowledged. */
  #sample(): void {
    const data = this.peer.unacknowledgedData;
    if (data > this.#data) this.replied();
    this.#data = data;
  }
}
