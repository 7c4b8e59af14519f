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

/** A call that is decided upon when the turn of the event loop ends in which it has arrived. */
export const LATER = 'later';

/** Refuses calls while a server has more to do than it can, the least important ones first. */
export class Shedder {
  readonly #learned: LearnedLimit;
  /** Infinity if none is set. */
  readonly #fixed: number;
  readonly #trusts: boolean;
  readonly #shed: Record<CriticalityLevel, number> = { critical_plus: 0, critical: 0, sheddable_plus: 0, sheddable: 0 };
  readonly #postponed = new PostponedCalls();
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
  /** What `idle` returned at the end of the last turn; undefined without a limit. */
  #idleBefore: number | undefined;

  constructor(
    { maxEventLoopDelay, maxConcurrent, trustCriticality }: EffectiveSheddingOptions,
    private readonly now: () => number = () => performance.now(),
    /** Milliseconds in which the event loop had nothing to do, since its start. */
    private readonly idle: () => number = () => performance.eventLoopUtilization().idle,
  ) {
    this.#learned = new LearnedLimit(maxEventLoopDelay);
    this.#fixed = maxConcurrent === 'auto' ? Infinity : maxConcurrent;
    this.#trusts = trustCriticality;
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
    const limit = Math.min(this.#fixed, this.#learned.value);
    const shown = limit === Infinity ? null : Math.round(limit * 10) / 10;
    return { limit: shown, working: this.#working, shed: { ...this.#shed } };
  }

  /**
   * Called when a call arrives, before its request is decoded; returns how it ends if it is shed. `LATER`: call
   * `postpone`, as more important calls may arrive in this turn of the event loop.
   */
  refuses(metadata: Metadata): Refusal | typeof LATER | undefined {
    this.#inTurn = true;
    const learned = this.#learned;
    if (!learned.active && this.#working < this.#fixed * FIXED_SHARES.sheddable) {
      learned.admitted(this.#inThisTurn);
      return undefined;
    }
    const level = this.#levelOf(metadata);
    if (learned.active && this.#postponed.shouldWait(level, this.now())) return LATER;
    return this.#decide(metadata, level, 0);
  }

  /** Decides upon a call when this turn of the event loop has ended. */
  postpone(metadata: Metadata, decided: (refusal: Refusal | undefined) => void): void {
    this.#postponed.add({ level: this.#levelOf(metadata), metadata, decided });
  }

  /** A call is being worked on, which is not a stream: that may be open for hours with nothing to do. */
  started(): void {
    this.#working++;
  }

  ended(): void {
    this.#working--;
    if (this.#inTurn) this.#endedInTurn++;
  }

  /**
   * Called when a turn of the event loop in which calls arrived has ended.
   *
   * @param duration Milliseconds from the first of them to the end.
   * @param lag The delay of the last timer in milliseconds.
   */
  measured(duration: number, lag: number): void {
    this.#learned.measured({ duration, lag, idle: this.#idleOfTurn() }, this.now());
    // They count beside all calls of this turn, and then to the next one, in which they run.
    let admitted = 0;
    const tell = this.#postponed.take().map(({ metadata, level, decided }) => {
      const refusal = this.#decide(metadata, level, admitted);
      if (!refusal) admitted++;
      return () => decided(refusal);
    });
    this.#inTurn = false;
    this.#endedInTurn = 0;
    for (const each of tell) {
      try {
        each();
      } catch (error) {
        // As in a turn of its own, where an interceptor that throws does not stop the other calls.
        queueMicrotask(() => {
          throw error;
        });
      }
    }
  }

  #levelOf(metadata: Metadata): CriticalityLevel {
    return believedCriticality(metadata, this.#trusts) ?? 'critical';
  }

  /** Calls that are being worked on, and those that have ended in this turn. */
  get #inThisTurn(): number {
    return this.#working + this.#endedInTurn;
  }

  /** @param before Calls that have been admitted and have not been started yet. */
  #decide(metadata: Metadata, level: CriticalityLevel, before: number): Refusal | undefined {
    const learned = this.#learned;
    const inTurn = this.#inThisTurn + before;
    const reason = this.#reason(this.#working + before, inTurn, level);
    if (reason === undefined) {
      learned.admitted(inTurn, level);
      return undefined;
    }
    if (reason === 'event_loop_delay') learned.refused(level, this.now());
    this.#shed[level]++;
    this.#total++;
    return shedStatus(metadata, reason);
  }

  #reason(working: number, inTurn: number, level: CriticalityLevel): SheddingReason | undefined {
    if (working >= Math.max(1, Math.floor(this.#fixed * FIXED_SHARES[level]))) return 'concurrency';
    return this.#learned.admits(inTurn, level) ? undefined : 'event_loop_delay';
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
