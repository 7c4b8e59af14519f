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
/** What the limit grows by if the event loop has nothing to do although calls were refused. */
const FAST_GROWTH = 1.5;
/** What it grows by if important calls were refused in a turn that was shorter than this part of the bound. */
const GROWTH = 1.05;
const SHORT = 0.5;
/** An event loop that waits for longer than this between two turns has had nothing to do. */
const IDLE_MS = 0.1;
/** So many calls may block the event loop one after the other, however long each takes; fewer while there is a limit. */
const CALLS_IN_A_ROW = 4;
const LIMITED_CALLS_IN_A_ROW = 3.5;
/** The weight of the last turn in the means of turns. */
const WEIGHT = 0.1;

/** A turn of the event loop in which calls arrived. Times in milliseconds. */
export interface Turn {
  /** From the first of them to the end. */
  readonly duration: number;
  /** The delay of the last timer. */
  readonly lag: number;
  /** For how long the event loop had nothing to do since the turn before; read only while there is a limit. */
  readonly idle: number;
}

/**
 * How many calls a server may work on at a time, learned from the delay of its event loop. There is no limit until the
 * delay has stood above its bound for a while. Then the limit is cut by as much as the delay is too long, and grows again
 * if the event loop has nothing to do although calls were refused.
 */
export class LearnedLimit {
  /** For `critical_plus`; Infinity while nothing is refused. */
  #limit = Infinity;
  /** The least limit under which the calls since the last measurement would all have been admitted; 0 without calls. */
  #needed = 0;
  #admitted = 0;
  /** Whether calls were refused since the limit was last changed. */
  #refused = false;
  /** Whether `critical` ones were refused since the last measurement. */
  #refusedImportant = false;
  #refusedAt = -Infinity;
  #aboveSince: number | undefined;
  /** The mean duration of turns with new calls in milliseconds, and of the calls admitted in each. */
  #turn = 0;
  #callsOfTurn = 0;

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

  admits(working: number, level: CriticalityLevel): boolean {
    return working === 0 || working + 1 <= this.#limit * SHARES[level] + SPARE[level];
  }

  /** Called when a call is admitted; the level need not be known while there is no limit. */
  admitted(working: number, level: CriticalityLevel = 'critical'): void {
    this.#admitted++;
    const needed = Math.max(0, working + 1 - SPARE[level]) / SHARES[level];
    if (needed > this.#needed) this.#needed = needed;
  }

  refused(level: CriticalityLevel, now: number): void {
    this.#refused = true;
    if (level === 'critical' || level === 'critical_plus') this.#refusedImportant = true;
    this.#refusedAt = now;
  }

  /** Called when a turn of the event loop in which calls arrived has ended. */
  measured({ duration, lag, idle }: Turn, now: number): void {
    this.#turn += WEIGHT * (duration - this.#turn);
    this.#callsOfTurn += WEIGHT * (this.#admitted - this.#callsOfTurn);
    const delay = Math.max(duration, lag);
    const perCall = this.#callsOfTurn > 0 ? this.#turn / this.#callsOfTurn : 0;
    const bound = Math.max(this.maxDelay, (this.active ? LIMITED_CALLS_IN_A_ROW : CALLS_IN_A_ROW) * perCall);
    if (delay <= bound) this.#within(delay < SHORT * bound, idle, now);
    // Fewer calls would not shorten a turn that is long because one of them takes long.
    else if (lag > bound || this.#admitted * perCall > bound) this.#above(bound / delay, now);
    this.#needed = this.#admitted = 0;
    this.#refusedImportant = false;
  }

  #above(ratio: number, now: number): void {
    this.#aboveSince ??= now;
    if (!this.active && now - this.#aboveSince < SUSTAINED_MS) return;
    // Without new calls the delay is that of calls which were admitted before the last cut.
    if (this.#admitted === 0) return;
    this.#limit = Math.min(this.#limit, this.#needed) * Math.max(MOST_CUT, ratio);
    this.#refused = false;
    // Counted from the cut, if nothing is refused.
    this.#refusedAt = Math.max(this.#refusedAt, now);
  }

  #within(isShort: boolean, idle: number, now: number): void {
    this.#aboveSince = undefined;
    if (!this.active) return;
    if (this.#refused && idle > IDLE_MS) this.#grow(FAST_GROWTH);
    else if (this.#refusedImportant && isShort) this.#grow(GROWTH);
    else if (now - this.#refusedAt >= FORGET_MS) this.#limit = Infinity;
  }

  #grow(factor: number): void {
    this.#limit = Math.max(this.#limit + 1, this.#limit * factor);
    this.#refused = false;
  }
}
