import type { Clock } from '../clock.js';
import type { Random } from '../random.js';
import { CallCounts, USUAL_RANK } from './call-counts.js';

/** What backends can do changes within seconds, so the shortest window decides that has enough calls. */
const SHORT_WINDOWS_MS = [3000, 12_000];
const ENOUGH = 20;
/** Calls beyond what is usual for the backends before any is refused: a few failures are not an overload. */
const LEAST = 10;
/** While calls are refused, one passes at least this often, to see whether backends accept again. */
const PROBE_MS = 1000;
/** How often the results of the calls that passed are looked at. */
const STEP_MS = 500;
/** A step in which at most this share was rejected is a good one. */
const GOOD = 0.05;
/** The share of the calls that passes at least after the first good step, and its growth with each that follows. */
const FIRST_SHARE = 0.05;
const GROWTH = 2;

/**
 * Whether calls are refused. `closed`: all pass. `open`: backends reject more than they accept, so a part is refused.
 * `half_open`: backends accept what they get again, and more passes with each half second.
 */
export type ThrottleState = 'closed' | 'open' | 'half_open';

/** How a call ended that had passed. `unknown`: in a way that says nothing about the backends at large. */
export type Verdict = 'accepted' | 'rejected' | 'unknown';

export interface ThrottleRule {
  /** Requests for each accepted one that may pass. */
  readonly multiplier: number;
  /** Milliseconds over which calls are counted if they are few. */
  readonly window: number;
  /** Statuses by which backends reject a call. */
  readonly rejectionCodes: ReadonlySet<number>;
}

/**
 * The throttle of one method (SRE book, "Handling overload", client-side throttling): while backends reject most calls,
 * a part of them is refused by the client itself, as a backend that is busy with rejecting does not recover.
 *
 * "Client request rejection probability: max(0, (requests - K * accepts) / (requests + 1))". Requests are those that
 * have ended, and those that were refused: while a call is in flight it is not known what becomes of it, so a backend
 * that is slow does not look like one that rejects, whatever its deadline.
 */
export class CallThrottle {
  /** Calls that it has refused since the start. */
  refused = 0;
  #state: ThrottleState = 'closed';
  /** From the shortest window to the longest. */
  readonly #windows: readonly CallCounts[];
  /** The share that passes at least. */
  #share = 0;
  #passedAt = -Infinity;
  #stepEnd = 0;
  /** Ends of calls in the current step. */
  #accepted = 0;
  #rejected = 0;

  constructor(
    readonly rule: ThrottleRule,
    private readonly clock: Clock,
    private readonly random: Random,
    /** Called when it begins to refuse calls, and when all pass again. */
    private readonly changed: (throttle: CallThrottle) => void = () => {},
  ) {
    this.#windows = [...SHORT_WINDOWS_MS.filter((each) => each < rule.window), rule.window].map(
      (each) => new CallCounts(each),
    );
  }

  /** An open throttle whose counts are out of date refuses nothing. */
  get state(): ThrottleState {
    this.#turn();
    return this.#wanted >= 1 ? 'closed' : this.#state;
  }

  /** The counts that decide. */
  get counts(): { readonly requests: number; readonly accepts: number; readonly window: number } {
    this.#turn();
    const { requests, accepts, window } = this.#deciding;
    return { requests, accepts, window };
  }

  /**
   * Whether a new call may pass.
   *
   * @param rank Its criticality; the least important are refused first.
   */
  admits(rank: number = USUAL_RANK): boolean {
    const now = this.#turn();
    if (this.#state !== 'closed' && now >= this.#stepEnd) this.#step(now);
    for (const counts of this.#windows) counts.asked(rank);
    const wanted = this.#wanted;
    if (wanted >= 1) {
      if (this.#state !== 'closed') this.#close();
      return true;
    }
    if (this.#state === 'closed') this.#open(now);
    const refusedShare = this.#deciding.refusedShare(rank, 1 - Math.max(wanted, this.#share));
    if (now - this.#passedAt < PROBE_MS && this.random() < refusedShare) {
      this.refused++;
      this.#count(false);
      return false;
    }
    this.#passedAt = now;
    return true;
  }

  /** Called when a call has ended that had passed. */
  ended(verdict: Verdict): void {
    if (verdict === 'unknown') return;
    const accepted = verdict === 'accepted';
    this.#turn();
    this.#count(accepted);
    if (accepted) this.#accepted++;
    else this.#rejected++;
  }

  get #deciding(): CallCounts {
    for (const counts of this.#windows) if (counts.requests >= ENOUGH) return counts;
    return this.#windows.at(-1)!;
  }

  /** The share that may pass by the counts. */
  get #wanted(): number {
    const { requests, accepts } = this.#deciding;
    const excess = requests - this.rule.multiplier * accepts;
    return excess < LEAST ? 1 : 1 - excess / (requests + 1);
  }

  #count(accepted: boolean): void {
    for (const counts of this.#windows) counts.add(accepted);
  }

  #turn(): number {
    const now = this.clock.now();
    for (const counts of this.#windows) counts.turn(now);
    return now;
  }

  #open(now: number): void {
    this.#state = 'open';
    this.#share = 0;
    this.#passedAt = now;
    this.#accepted = this.#rejected = 0;
    this.#stepEnd = now + STEP_MS;
    this.changed(this);
  }

  /** The counts alone would take as long to forget an outage as it lasted. */
  #step(now: number): void {
    const accepted = this.#accepted;
    const rejected = this.#rejected;
    const ended = accepted + rejected;
    this.#stepEnd = now + STEP_MS;
    if (ended === 0) return;
    this.#accepted = this.#rejected = 0;
    if (ended > this.rule.multiplier * accepted) {
      this.#state = 'open';
      this.#share = 0;
    } else if (rejected <= GOOD * ended) {
      this.#state = 'half_open';
      this.#share = Math.max(FIRST_SHARE, GROWTH * Math.max(this.#share, this.#wanted));
      if (this.#share >= 1) this.#forget();
    }
  }

  /** Backends accept nearly all that they get, and that was more than half of the calls. */
  #forget(): void {
    for (const counts of this.#windows) counts.clear();
  }

  #close(): void {
    this.#state = 'closed';
    this.changed(this);
  }
}
