import type { EffectiveEjectionOptions } from '../../options/ejection-options.js';
import type { Random } from '../../random.js';
import { clearlyBelow } from './chance.js';
import type { Verdict } from './peer.js';
import { SuccessWindow } from './success-window.js';

/**
 * `ejected` until a time, then `probing`: a single call decides whether it is ejected for longer.
 */
export type OutlierState =
  | { readonly kind: 'not_ejected' }
  | { readonly kind: 'ejected'; readonly until: number; readonly verdict: Verdict }
  | { readonly kind: 'probing'; readonly verdict: Verdict };

const NOT_EJECTED: OutlierState = { kind: 'not_ejected' };

/**
 * Whether one endpoint is an outlier: failures in a row (Envoy, Finagle), or a low share of successes over a window
 * (Finagle). An ejection lasts longer each time, and ends with one probe (Linkerd). It says when it wants to eject;
 * whether it may, depends on the others.
 */
export class Outlier {
  state: OutlierState = NOT_EJECTED;
  #inARow = 0;
  #inARowSince = 0;
  /** How many in a row eject it, by its record before them. */
  #enough = Infinity;
  /** How often it was ejected lately; one is taken off for each window without. */
  #ejections = 0;
  /** Calls that were made before say nothing about it as it is now. */
  countsSince = -Infinity;
  readonly #window = new SuccessWindow();
  #accused = false;

  constructor(private readonly random: Random) {}

  /** Whether failures in a row may still lead to an ejection. */
  undecided({ enabled, consecutiveFailures }: EffectiveEjectionOptions): boolean {
    return enabled && this.state.kind === 'not_ejected' && this.#inARow < Math.min(this.#enough, consecutiveFailures);
  }

  /** Its last verdict stands: it is ill, unless the others are too. */
  get accused(): boolean {
    return this.#accused;
  }

  /** Its results of the window. */
  results(now: number, { window }: EffectiveEjectionOptions): { readonly calls: number; readonly rate: number } {
    return this.#window.read(now, window);
  }

  /** A call made at `since` has ended that was no probe. Returns why the endpoint should be ejected, or undefined. */
  record(failed: boolean, since: number, now: number, options: EffectiveEjectionOptions): Verdict | undefined {
    // What was under way when it was ejected, or its connections were lost, says nothing new.
    if (this.state.kind !== 'not_ejected' || since < this.countsSince || !options.enabled) return undefined;
    if (failed && this.#inARow === 0) {
      this.#enough = enoughInARow(this.#window.read(now, options.window));
      this.#inARowSince = now;
    }
    this.#inARow = failed ? this.#inARow + 1 : 0;
    this.#window.record(failed, now, options.window);
    const verdict = failed ? this.#verdict(now, options) : undefined;
    this.#accused = verdict !== undefined;
    return verdict;
  }

  /** Leaves it out until the time that is returned. */
  eject(verdict: Verdict, now: number, options: EffectiveEjectionOptions): number {
    const cleanWindows = Math.floor((now - this.countsSince) / options.window);
    this.#ejections = Math.max(0, this.#ejections - (this.state.kind === 'not_ejected' ? cleanWindows : 0)) + 1;
    const { baseEjectionTime: shortest, maxEjectionTime } = options;
    const longest = Math.min(shortest * 2 ** this.#ejections, maxEjectionTime);
    // Equal jitter, as in Finagle: half of it is certain, half is chance, so that clients do not come back in step.
    const until = now + Math.max(shortest, longest / 2 + this.random() * (longest / 2));
    this.state = { kind: 'ejected', until, verdict };
    this.#inARow = 0;
    this.#accused = false;
    this.#window.clear();
    return until;
  }

  /** The time of the ejection is over: the next call is the probe. */
  probe(): void {
    if (this.state.kind === 'ejected') this.state = { kind: 'probing', verdict: this.state.verdict };
  }

  /** What was before does not count any more, whether it was ejected for that or not. */
  reset(now: number): void {
    this.state = NOT_EJECTED;
    this.countsSince = now;
    this.#inARow = 0;
    this.#accused = false;
    this.#window.clear();
  }

  /** Its last ejection was a mistake, and makes no later one longer. */
  withdraw(now: number): void {
    this.#ejections = Math.max(0, this.#ejections - 1);
    this.reset(now);
  }

  #verdict(
    now: number,
    { consecutiveFailures, successRate, window, minimumCalls }: EffectiveEjectionOptions,
  ): Verdict | undefined {
    if (consecutiveFailures > 0 && this.#inARow >= Math.min(this.#enough, consecutiveFailures))
      return {
        reason: `${this.#inARow} failures in a row`,
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

/** A run of failures that is less likely than this is no chance. */
const CHANCE = 1e-6;
/** However good its record is. */
const LEAST_IN_A_ROW = 2;

/**
 * How many failures in a row are no chance any more, given how often the endpoint failed before: after 998 successes,
 * two. The share is that of Laplace's rule of succession, a half where nothing is known.
 */
function enoughInARow({ calls, rate }: { readonly calls: number; readonly rate: number }): number {
  const failures = calls * (1 - rate);
  return Math.max(LEAST_IN_A_ROW, Math.ceil(Math.log(CHANCE) / Math.log((failures + 1) / (calls + 2))));
}
