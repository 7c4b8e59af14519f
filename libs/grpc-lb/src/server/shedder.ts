import type { Metadata } from '@grpc/grpc-js';
import type { CriticalityLevel } from '../core/call/criticality.js';
import { believedCriticality } from './criticality.js';
import { LearnedLimit } from './learned-limit.js';
import type { EffectiveSheddingOptions } from './options.js';
import { PostponedCalls } from './postponed-calls.js';
import type { Refusal, SheddingReason } from './refusal.js';
import { shedStatus } from './shed-status.js';

/** What a server has shed. */
export interface SheddingState {
  /** Calls that it works on at a time at most, for `critical` ones; null if there is no limit now. */
  readonly limit: number | null;
  /** Calls that it works on now, without streams. */
  readonly working: number;
  /** Calls that it has shed since its start, by criticality. */
  readonly shed: Readonly<Record<CriticalityLevel, number>>;
}

/** The share of a fixed limit that each level may use. */
const FIXED_SHARES: Readonly<Record<CriticalityLevel, number>> = {
  critical_plus: 1,
  critical: 1,
  sheddable_plus: 0.75,
  sheddable: 0.5,
};

/** A call that is decided upon when all that have arrived in this turn of the event loop have been read. */
export const LATER = 'later';

/** As many calls start in a turn of the event loop as take so many milliseconds, and at least one. */
const SLICE_MS = 2;

/** An admitted call does not wait longer than this for more important ones, which may never end. */
const OVERDUE_MS = 200;

/** Refuses calls while a server has more to do than it can, the least important ones first. */
export class Shedder {
  readonly #learned: LearnedLimit;
  /** Infinity if none is set. */
  readonly #fixed: number;
  readonly #trusts: boolean;
  readonly #shed: Record<CriticalityLevel, number> = { critical_plus: 0, critical: 0, sheddable_plus: 0, sheddable: 0 };
  readonly #postponed: PostponedCalls;
  #total = 0;
  #working = 0;
  /** Whether calls have arrived in this turn of the event loop. */
  #inTurn = false;
  /**
   * Calls that have ended in this turn. A handler that blocks the event loop has ended when the call of the next
   * connection arrives, and the turn is as long as all of them together: they count until it is over, when their answers
   * are written.
   */
  #endedInTurn = 0;
  /** The longest that a postponed call has waited for its start since the last measurement, in milliseconds. */
  #waited = 0;
  /** What `idle` returned at the last measurement; undefined without a limit. */
  #idleBefore: number | undefined;

  constructor(
    { maxEventLoopDelay, maxConcurrent, trustCriticality }: EffectiveSheddingOptions,
    private readonly now: () => number = () => performance.now(),
    /** Milliseconds in which the event loop had nothing to do, since its start. */
    private readonly idle: () => number = () => performance.eventLoopUtilization().idle,
    immediate: (callback: () => void) => void = setImmediate,
  ) {
    this.#learned = new LearnedLimit(maxEventLoopDelay);
    this.#fixed = maxConcurrent === 'auto' ? Infinity : maxConcurrent;
    this.#trusts = trustCriticality;
    this.#postponed = new PostponedCalls({
      decide: ({ metadata, level }, ready) => this.#decide(metadata, level, ready),
      startsPerTurn: () => Math.max(1, Math.floor(SLICE_MS / this.#learned.perCall)),
      isOverdue: ({ arrivedAt }) => this.now() - arrivedAt > OVERDUE_MS,
      starts: ({ arrivedAt }) => (this.#waited = Math.max(this.#waited, this.now() - arrivedAt)),
      immediate,
    });
  }

  /** Calls that were shed since the start. */
  get total(): number {
    return this.#total;
  }

  /** Calls that are being worked on over the limit for `critical` calls; 0 without a limit. */
  get utilization(): number {
    return Math.max(this.#working / this.#fixed, this.#inThisTurn / this.#learned.value);
  }

  get state(): SheddingState {
    const learned = this.#learned;
    const limit = Math.min(this.#fixed, learned.isOutdated(this.now()) ? Infinity : learned.value);
    const shown = limit === Infinity ? null : Math.round(limit * 10) / 10;
    return { limit: shown, working: this.#working, shed: { ...this.#shed } };
  }

  /**
   * Called when a call arrives, before its request is decoded; returns how it ends if it is shed. `LATER`, while there is
   * a limit: call `postpone`, as more important calls may have arrived in this turn of the event loop.
   */
  refuses(metadata: Metadata): Refusal | typeof LATER | undefined {
    this.#inTurn = true;
    const learned = this.#learned;
    if (learned.active && learned.isOutdated(this.now())) learned.forget();
    if (learned.active || this.#postponed.ready > 0) return LATER;
    if (this.#working < this.#fixedOf('sheddable')) {
      learned.admitted(this.#inThisTurn);
      return undefined;
    }
    return this.#decide(metadata, this.#levelOf(metadata), 0);
  }

  /** Decides upon a call when all have been read that have arrived in this turn of the event loop. */
  postpone(metadata: Metadata, decided: (refusal: Refusal | undefined) => void): void {
    this.#postponed.add({ level: this.#levelOf(metadata), metadata, arrivedAt: this.now(), decided });
  }

  /** A call is being worked on, which is not a stream: that may be open for hours with nothing to do. */
  started(): void {
    this.#working++;
  }

  /** Its handler has answered, or it has ended. */
  ended(): void {
    this.#working--;
    if (this.#inTurn) this.#endedInTurn++;
  }

  /**
   * Called when a turn of the event loop in which calls arrived or started has ended.
   *
   * @param duration Milliseconds from the first of them to the end.
   * @param lag The delay of the last timer in milliseconds.
   */
  measured(duration: number, lag: number): void {
    const now = this.now();
    const queued = now - (this.#postponed.oldest ?? now);
    this.#learned.measured({ duration, lag, waited: this.#waited, queued, idle: this.#idleOfTurn() }, now);
    this.#waited = 0;
    this.#inTurn = false;
    this.#endedInTurn = 0;
  }

  #levelOf(metadata: Metadata): CriticalityLevel {
    return believedCriticality(metadata, this.#trusts) ?? 'critical';
  }

  /** Calls that are being worked on; without a limit also those that have ended in this turn. */
  get #inThisTurn(): number {
    return this.#working + (this.#learned.active ? 0 : this.#endedInTurn);
  }

  /** @param ready Calls that have been admitted and have not started. */
  #decide(metadata: Metadata, level: CriticalityLevel, ready: number): Refusal | undefined {
    const learned = this.#learned;
    const inTurn = this.#inThisTurn + ready;
    const reason = this.#reason(this.#working + ready, inTurn, level);
    if (reason === undefined) {
      learned.admitted(inTurn, level);
      return undefined;
    }
    if (reason === 'event_loop_delay') learned.refused(this.now());
    this.#shed[level]++;
    this.#total++;
    return shedStatus(metadata, reason);
  }

  #reason(working: number, inTurn: number, level: CriticalityLevel): SheddingReason | undefined {
    if (working >= this.#fixedOf(level)) return 'concurrency';
    return this.#learned.admits(inTurn, level) ? undefined : 'event_loop_delay';
  }

  /** Calls at a time up to which calls of a level are admitted under the fixed limit. */
  #fixedOf(level: CriticalityLevel): number {
    return Math.max(1, Math.floor(this.#fixed * FIXED_SHARES[level]));
  }

  #idleOfTurn(): number {
    if (!this.#learned.active) {
      this.#idleBefore = undefined;
      return 0;
    }
    const idle = this.idle();
    const before = this.#idleBefore ?? idle;
    this.#idleBefore = idle;
    return idle - before;
  }
}
