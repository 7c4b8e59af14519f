import type { EffectiveEjectionOptions } from '../../options/ejection-options.js';
import type { Random } from '../../random.js';
import { clearlyBelow } from './chance.js';
import type { Verdict } from './peer.js';
import type { ResultKind } from './recent-results.js';
import { SuccessWindow } from './success-window.js';

/** `ejected` until a time, then `probing`: a single call decides whether the endpoint is ejected for longer. */
export type OutlierState =
  | { readonly kind: 'not_ejected' }
  | { readonly kind: 'ejected'; readonly until: number; readonly verdict: Verdict }
  | { readonly kind: 'probing'; readonly verdict: Verdict };

/** Share of the base time for an endpoint that is late to return from an outage of all. */
const RETURNING = 0.2;

const NOT_EJECTED: OutlierState = { kind: 'not_ejected' };

/**
 * Decides whether one endpoint is an outlier: consecutive failures (Envoy, Finagle), or a low success rate over a
 * window (Finagle). Each ejection lasts longer than the one before, and ends with one probe (Linkerd). The outlier only
 * asks for an ejection; whether it is allowed depends on the other endpoints.
 */
export class Outlier {
  state: OutlierState = NOT_EJECTED;
  #inARow = 0;
  #inARowSince = 0;
  /** How many of them are timeouts. */
  #timeoutsInARow = 0;
  /** Consecutive failures that eject the endpoint, given its results before them. */
  #enough = Infinity;
  /** Recent ejections; each window without one subtracts one. */
  #ejections = 0;
  /** Results of calls that were made before this time are out of date and ignored. */
  countsSince = -Infinity;
  readonly #window = new SuccessWindow();
  #accused = false;

  constructor(private readonly random: Random) {}

  /** Whether consecutive failures may still lead to an ejection. */
  undecided({ enabled, consecutiveFailures }: EffectiveEjectionOptions): boolean {
    return enabled && this.state.kind === 'not_ejected' && this.#inARow < Math.min(this.#enough, consecutiveFailures);
  }

  /** Its last result asked for an ejection: the endpoint is unhealthy, unless the others are too. */
  get accused(): boolean {
    return this.#accused;
  }

  /** The results in the window. */
  results(now: number, { window }: EffectiveEjectionOptions): { readonly calls: number; readonly rate: number } {
    return this.#window.read(now, window);
  }

  /**
   * Records the end of a call that was made at `since` and was not a probe. Returns why the endpoint should be ejected,
   * or undefined.
   *
   * @param reported How many failures in a row its backend reports, of all its clients; 0 if it reports none.
   */
  record(
    kind: ResultKind,
    since: number,
    now: number,
    options: EffectiveEjectionOptions,
    reported = 0,
  ): Verdict | undefined {
    // Calls that were in flight when the endpoint was ejected or lost its connections say nothing new.
    if (this.state.kind !== 'not_ejected' || since < this.countsSince || !options.enabled) return undefined;
    const failed = kind === 'failed' || kind === 'timed_out';
    if (failed && this.#inARow === 0) {
      this.#enough = enoughInARow(this.#window.read(now, options.window));
      this.#inARowSince = now;
      this.#timeoutsInARow = 0;
    }
    this.#inARow = failed ? this.#inARow + 1 : 0;
    if (kind === 'timed_out') this.#timeoutsInARow++;
    this.#window.record(failed, now, options.window);
    const verdict = failed ? this.#verdict(now, options, reported) : undefined;
    this.#accused = verdict !== undefined;
    return verdict;
  }

  /**
   * Ejects the endpoint; returns the time at which the ejection ends.
   *
   * @param returning All endpoints have just failed together. This one probably returns soon too, only later.
   */
  eject(verdict: Verdict, now: number, options: EffectiveEjectionOptions, returning = false): number {
    const length = returning ? this.#between(options.baseEjectionTime * RETURNING) : this.#nextLength(now, options);
    const until = now + length;
    this.state = { kind: 'ejected', until, verdict };
    this.#inARow = 0;
    this.#accused = false;
    this.#window.clear();
    return until;
  }

  /** Each ejection is longer than the one before; each window without one takes that back. */
  #nextLength(now: number, { window, baseEjectionTime, maxEjectionTime }: EffectiveEjectionOptions): number {
    const cleanWindows = Math.floor((now - this.countsSince) / window);
    this.#ejections = Math.max(0, this.#ejections - (this.state.kind === 'not_ejected' ? cleanWindows : 0)) + 1;
    const longest = Math.min(baseEjectionTime * 2 ** this.#ejections, maxEjectionTime);
    return Math.max(baseEjectionTime, this.#between(longest / 2));
  }

  /** Equal jitter, as in Finagle: half of the time is fixed and half is random, so that clients do not return in step. */
  #between(least: number): number {
    return least + this.random() * least;
  }

  /** Called when the time of the ejection is over: the next call is the probe. */
  probe(): void {
    if (this.state.kind === 'ejected') this.state = { kind: 'probing', verdict: this.state.verdict };
  }

  /** Discards all earlier results and ends an ejection. */
  reset(now: number): void {
    this.state = NOT_EJECTED;
    this.countsSince = now;
    this.#inARow = 0;
    this.#accused = false;
    this.#window.clear();
  }

  /** Takes back the last ejection as a mistake; it does not make later ones longer. */
  withdraw(now: number): void {
    this.#ejections = Math.max(0, this.#ejections - 1);
    this.reset(now);
  }

  #verdict(
    now: number,
    { consecutiveFailures, successRate, window, minimumCalls }: EffectiveEjectionOptions,
    reported: number,
  ): Verdict | undefined {
    if (consecutiveFailures > 0 && reported > this.#inARow)
      return {
        reason: `it reports that its last ${reported} calls failed, of all its clients`,
        failures: Math.min(MAX_REPORTED, reported),
        calls: Math.min(MAX_REPORTED, reported),
        since: now,
        inARow: true,
        reported,
      };
    if (consecutiveFailures > 0 && this.#inARow >= Math.min(this.#enough, consecutiveFailures))
      return {
        reason: inARowText(this.#inARow, this.#timeoutsInARow),
        failures: this.#inARow,
        calls: this.#inARow,
        since: this.#inARowSince,
        inARow: true,
      };
    const { calls, rate } = this.#window.read(now, window);
    if (calls < minimumCalls || !clearlyBelow(successRate, rate, calls)) return undefined;
    return {
      reason: `${Math.round(rate * 100)} % of ${calls} calls succeeded within ${window / 1000} s, less than ${successRate * 100} %`,
      failures: Math.round(calls * (1 - rate)),
      calls,
      since: now - window,
      inARow: false,
    };
  }
}

/** Failures that a peer reports count as so many at most: they are not seen by this client, and say nothing of when. */
const MAX_REPORTED = 16;
/** Chance does not explain a run of failures that is less likely than this. */
const CHANCE = 1e-6;
/** Never eject for fewer consecutive failures, however good the earlier results are. */
const LEAST_IN_A_ROW = 2;

/**
 * How many consecutive failures chance does not explain, given how often the endpoint failed before: two, after 998
 * successes. Estimates the failure rate by Laplace's rule of succession, which gives one half without results.
 */
function enoughInARow({ calls, rate }: { readonly calls: number; readonly rate: number }): number {
  const failures = calls * (1 - rate);
  return Math.max(LEAST_IN_A_ROW, Math.ceil(Math.log(CHANCE) / Math.log((failures + 1) / (calls + 2))));
}

/** Says which of the failures are timeouts: an endpoint that does not answer needs another remedy than one that fails. */
function inARowText(failures: number, timeouts: number): string {
  if (timeouts === failures) return `${failures} timeouts in a row`;
  return `${failures} failures in a row${timeouts > 0 ? `, ${timeouts} of them timeouts` : ''}`;
}
