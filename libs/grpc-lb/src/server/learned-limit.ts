import type { CriticalityLevel } from '../core/call/criticality.js';

/**
 * The share of the limit up to which calls of a level are admitted. Four times more room for each level above: calls of
 * one level that need half of what the server can do fit in, with their chance bursts, whatever the levels below ask for.
 */
const SHARES: Readonly<Record<CriticalityLevel, number>> = {
  critical_plus: 1,
  critical: 0.25,
  sheddable_plus: 0.0625,
  sheddable: 0.015625,
};
/** Calls that a level may have beyond that. Where a few calls fill the event loop, shares of them leave no room. */
const SPARE: Readonly<Record<CriticalityLevel, number>> = {
  critical_plus: 10,
  critical: 3,
  sheddable_plus: 0,
  sheddable: 0,
};
/** A single stall, such as a garbage collection, is over before this; a queue that stands is not (as in CoDel). */
const SUSTAINED_MS = 100;
/** The limit is forgotten after this long without a refusal. */
const FORGET_MS = 10_000;
/** The most that one measurement cuts. */
const MOST_CUT = 0.2;
/** What the limit grows by with each turn in which calls were refused for nothing. */
const GROWTH = 1.05;
/** So many calls may block the event loop one after the other, however long each takes. */
const CALLS_IN_A_ROW = 4;
/** The weight of the last turn in the means of turns. */
const WEIGHT = 0.1;

/**
 * How many calls a server may work on at a time, learned from the delay of its event loop. There is no limit until the
 * delay has stood above its bound for a while. Then the limit is cut by as much as the delay is too long, and grows again
 * by a little each time that calls were refused although the delay was within its bound.
 */
export class LearnedLimit {
  /** For `critical_plus`; Infinity while nothing is refused. */
  #limit = Infinity;
  /** The least limit under which the calls since the last measurement would all have been admitted; 0 without calls. */
  #needed = 0;
  #admitted = 0;
  #refused = false;
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

  /** Whether a call is admitted while that many are being worked on, whatever its level is. */
  admitsAll(working: number): boolean {
    return this.admits(working, 'sheddable');
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
    this.#refused = true;
    this.#refusedAt = now;
  }

  /**
   * Called when a turn of the event loop in which calls arrived has ended.
   *
   * @param turn Milliseconds from the first of them to the end.
   * @param lag The delay of a timer of late.
   */
  measured(turn: number, lag: number, now: number): void {
    this.#turn += WEIGHT * (turn - this.#turn);
    this.#callsOfTurn += WEIGHT * (this.#admitted - this.#callsOfTurn);
    const delay = Math.max(turn, lag);
    const perCall = this.#callsOfTurn > 0 ? this.#turn / this.#callsOfTurn : 0;
    const bound = Math.max(this.maxDelay, CALLS_IN_A_ROW * perCall);
    if (delay > bound) this.#above(bound / delay, now);
    else this.#within(now);
    this.#needed = this.#admitted = 0;
    this.#refused = false;
  }

  #above(ratio: number, now: number): void {
    this.#aboveSince ??= now;
    if (this.#limit === Infinity && now - this.#aboveSince < SUSTAINED_MS) return;
    // Without new calls the delay is that of calls which were admitted before the last cut.
    if (this.#admitted === 0) return;
    this.#limit = Math.min(this.#limit, this.#needed) * Math.max(MOST_CUT, ratio);
    // Counted from the cut, if nothing is refused.
    this.#refusedAt = Math.max(this.#refusedAt, now);
  }

  #within(now: number): void {
    this.#aboveSince = undefined;
    if (this.#limit === Infinity) return;
    if (this.#refused) this.#limit = Math.max(this.#limit + 1, this.#limit * GROWTH);
    else if (now - this.#refusedAt >= FORGET_MS) this.#limit = Infinity;
  }
}
