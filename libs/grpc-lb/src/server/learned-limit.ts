import type { CriticalityLevel } from '../core/call/criticality.js';

/** The share of the limit up to which calls of a level are admitted: twice as much room for each level above. */
const SHARES: Readonly<Record<CriticalityLevel, number>> = {
  critical_plus: 1,
  critical: 0.5,
  sheddable_plus: 0.25,
  sheddable: 0.125,
};
/** Calls that a level may have beyond that. Where a few calls fill the event loop, shares of them leave no room. */
const SPARE: Readonly<Record<CriticalityLevel, number>> = {
  critical_plus: 5,
  critical: 2,
  sheddable_plus: 0,
  sheddable: 0,
};
/** A single stall, such as a garbage collection, is over before this; a queue that stands is not (as in CoDel). */
const SUSTAINED_MS = 100;
/** The limit is forgotten after this long without a refusal. */
const FORGET_MS = 10_000;
/** The most that one measurement cuts. */
const MOST_CUT = 0.2;
/** So many calls may block the event loop one after the other, however long each takes. */
const CALLS_IN_A_ROW = 4;
/** The weight of the last turn in the means of turns. */
const WEIGHT = 0.1;
/** The limit is looked at after so many calls have been admitted under it, or after so many milliseconds. */
const REVIEW_CALLS = 10;
const REVIEW_MS = 500;
/** Growth per review, by the share of the time in which the event loop had nothing to do although calls were refused. */
const IDLE = 0.08;
const GROWTH = 1.2;
const VERY_IDLE = 0.2;
const FAST_GROWTH = 1.5;
/** If it was hardly ever idle, a lower limit keeps it as busy, with a shorter queue. */
const BUSY = 0.02;
const SHRINKING = 0.9;
/** Not below it: important calls need some room. */
const LEAST = 4;

/** A turn of the event loop in which calls arrived or started. Times in milliseconds. */
export interface Turn {
  /** From the first of them to the end. */
  readonly duration: number;
  /** The delay of the last timer. */
  readonly lag: number;
  /** The longest that a call that started in it had waited for that. */
  readonly waited: number;
  /** For how long the oldest call waits that was admitted and has not started; 0 if there is none. */
  readonly queued: number;
  /** For how long the event loop had nothing to do since the turn before; read only while there is a limit. */
  readonly idle: number;
}

/**
 * How many calls a server may work on at a time, learned from its event loop. There is no limit until the delay of the
 * event loop has stood above its bound for a while. Then the limit is cut by as much as the delay is too long. From then
 * on it is as low as keeps the event loop busy: it grows while that is idle although calls are refused, and shrinks while
 * it is never idle.
 */
export class LearnedLimit {
  /** For `critical_plus`; Infinity while nothing is refused. */
  #limit = Infinity;
  /** The least limit under which the calls since the last measurement would all have been admitted; 0 without calls. */
  #needed = 0;
  #admitted = 0;
  #refusedAt = -Infinity;
  #aboveSince: number | undefined;
  #measuredAt = -Infinity;
  /** The mean duration of turns in milliseconds, and of the calls admitted in each. */
  #turn = 0;
  #callsOfTurn = 0;
  /** Since the last review. */
  #review = { at: 0, admitted: 0, refused: false, idle: 0, waited: 0 };

  constructor(
    /** Milliseconds. */
    private readonly maxDelay: number,
  ) {}

  /** Calls at a time for `critical`; Infinity while there is no limit. */
  get value(): number {
    return this.#limit * SHARES.critical + SPARE.critical;
  }

  /** Whether there is a limit. */
  get active(): boolean {
    return this.#limit !== Infinity;
  }

  /**
   * Whether the limit is of a time before a long pause: nothing forgets a limit while no calls arrive, and the first
   * ones after it would be refused by what the event loop could bear hours ago.
   */
  isOutdated(now: number): boolean {
    return this.active && now - Math.max(this.#refusedAt, this.#review.at) >= FORGET_MS;
  }

  /** Forgets the limit. */
  forget(): void {
    this.#limit = Infinity;
  }

  /** Milliseconds of the event loop that a call takes; 0 before the first. */
  get perCall(): number {
    return this.#callsOfTurn > 0 ? this.#turn / this.#callsOfTurn : 0;
  }

  admits(working: number, level: CriticalityLevel): boolean {
    return working === 0 || working + 1 <= this.#limit * SHARES[level] + SPARE[level];
  }

  /** Called when a call is admitted; the level need not be known while there is no limit. */
  admitted(working: number, level: CriticalityLevel = 'critical'): void {
    this.#admitted++;
    const needed = Math.max(0, working + 1 - SPARE[level]) / SHARES[level];
    if (needed > this.#needed) this.#needed = needed;
  }

  refused(now: number): void {
    this.#review.refused = true;
    this.#refusedAt = now;
  }

  /** Called when a turn of the event loop has ended in which calls arrived or started. */
  measured({ duration, lag, waited, queued, idle }: Turn, now: number): void {
    this.#turn += WEIGHT * (duration - this.#turn);
    this.#callsOfTurn += WEIGHT * (this.#admitted - this.#callsOfTurn);
    const { perCall } = this;
    const bound = Math.max(this.maxDelay, CALLS_IN_A_ROW * perCall);
    // Calls that are left of the time of a limit start one by one: then turns are short, however long the queue is.
    const waiting = this.active ? 0 : queued;
    const delay = Math.max(duration, lag, waiting);
    // Without calls in between no queue has stood: bursts that are far apart are no overload.
    if (now - delay - this.#measuredAt > SUSTAINED_MS) this.#aboveSince = undefined;
    this.#measuredAt = now;
    if (delay <= bound) this.#aboveSince = undefined;
    // Fewer calls would not shorten a turn that is long because one of them takes long.
    else if (Math.max(lag, waiting, this.#admitted * perCall) > bound) this.#above(bound / delay, now);
    if (this.active) {
      this.#review.admitted += this.#admitted;
      this.#review.idle += idle;
      this.#review.waited = Math.max(this.#review.waited, waited);
      if (this.#review.admitted >= REVIEW_CALLS || now - this.#review.at >= REVIEW_MS) this.#reviewed(bound, now);
    }
    this.#needed = this.#admitted = 0;
  }

  #above(ratio: number, now: number): void {
    this.#aboveSince ??= now;
    if (!this.active && now - this.#aboveSince < SUSTAINED_MS) return;
    // Without new calls the delay is that of calls which were admitted before the last cut.
    if (this.#admitted === 0) return;
    this.#limit = Math.max(LEAST, Math.min(this.#limit, this.#needed) * Math.max(MOST_CUT, ratio));
    // Counted from the cut, if nothing is refused.
    this.#refusedAt = Math.max(this.#refusedAt, now);
    this.#beginReview(now);
  }

  #reviewed(bound: number, now: number): void {
    const { at, refused, idle, waited } = this.#review;
    const share = idle / Math.max(now - at, 1);
    if (now - this.#refusedAt >= FORGET_MS) this.forget();
    else if (refused && share > IDLE && waited <= bound) this.#grow(share > VERY_IDLE ? FAST_GROWTH : GROWTH);
    else if (refused && (share < BUSY || waited > bound)) this.#limit = Math.max(LEAST, this.#limit * SHRINKING);
    this.#beginReview(now);
  }

  #grow(factor: number): void {
    this.#limit = Math.max(this.#limit + 1, this.#limit * factor);
  }

  #beginReview(now: number): void {
    this.#review = { at: now, admitted: 0, refused: false, idle: 0, waited: 0 };
  }
}
