import type { Cancel } from '../clock.js';
import { backoff, forbids } from './attempt-delays.js';
import type { AttemptEnd } from './attempt-end.js';
import { AttemptTimeouts } from './attempt-timeouts.js';
import { type CallLimits, limitedPolicy } from './call-limits.js';
import type { CallPolicy, HedgeRule, RetryRule } from './call-policy.js';
import type { CallThrottle, Verdict } from './call-throttle.js';
import { Elsewhere } from './elsewhere.js';
import type { HedgeShare } from './hedge-share.js';
import type { AttemptKind, PlanEnvironment, PlanOwner } from './plan-owner.js';
import { verdictOnLateness, verdictOnStatus } from './throttle-verdict.js';

/** The status code of an attempt that exceeded the attempt timeout. */
const DEADLINE_EXCEEDED = 4;

/** No attempts. It is never changed. */
const NONE: readonly never[] = Object.freeze([]);

/**
 * The plan of one call: which attempts it makes, and which of them the caller gets.
 *
 *     open ──────────────▶ committed ──▶ done
 *      │  first response      │  its status     ▲
 *      │  buffer outgrown                       │
 *      └────────────────────────────────────────┘
 *         a status that no attempt follows, a cancellation
 *
 * While it is open, a failed attempt is followed by a transparent retry if it did not run, and by a retry or a hedge if
 * the policy, the throttle, the budget and the peer (pushback) allow it (gRFC A6).
 */
export class CallPlan<A extends object> {
  /** Attempts so far, without transparent retries. */
  attempts = 0;
  /** Whether an attempt is waiting for an endpoint. */
  placing: AttemptKind | undefined;
  #running: A[] = NONE as never[];
  #committed: A | undefined;
  /** The attempt that a hedge after a delay was to help, until it is known which of them was faster. */
  #late: A | undefined;
  /** Whether a hedge has been sent. */
  #hedged = false;
  /** `sealed`: no attempt is running, and the next one is the last, as its requests are not kept. */
  #state: 'open' | 'sealed' | 'committed' | 'done' = 'open';
  /** Retries since the last pushback, which resets the backoff. */
  #backoffs = 0;
  #cancelTimer: Cancel | undefined;
  /** Whether hedges may follow: not after "an instruction to not retry at all", nor when no endpoint is left. */
  #hedging = true;
  /** Whether the next attempt is made because a server has shed it. */
  #elsewhere = false;
  /** Whether the budget has granted an attempt that has not been placed yet. */
  #granted = false;
  /** Undefined before the first attempt with a timeout. */
  #timeouts: AttemptTimeouts<A> | undefined;
  /** Whether the throttle knows how the call ended. */
  #settled = false;
  /** The last attempt that failed and was to be followed by another. */
  #lastFailure: { readonly attempt: A; readonly end: AttemptEnd } | undefined;

  constructor(
    private policy: CallPolicy,
    private readonly environment: PlanEnvironment,
    private readonly owner: PlanOwner<A>,
  ) {}

  /** Lowers what the call may do. Called before it starts. */
  limit(limits: CallLimits): void {
    this.policy = limitedPolicy(this.policy, limits);
  }

  /** In milliseconds; undefined if there is none. */
  get attemptTimeout(): number | undefined {
    return this.policy.attemptTimeout;
  }

  get done(): boolean {
    return this.#state === 'done';
  }

  /** Whether the attempt to be placed may only go where the call has not been. */
  get onlyElsewhere(): boolean {
    return this.#elsewhere || this.placing === 'hedge';
  }

  /** The attempt whose results the caller gets; undefined while that is open. */
  get committed(): A | undefined {
    return this.#committed;
  }

  /** Attempts that have been placed and have not ended; only the committed one, once there is one. */
  get running(): readonly A[] {
    return this.#running;
  }

  /** Whether another attempt may follow. */
  get open(): boolean {
    return this.#state === 'open';
  }

  start(): void {
    const { throttle, hedge } = this.policy;
    if (throttle && !throttle.admits(this.owner.rank)) {
      this.#state = 'done';
      this.#settled = true;
      return this.owner.throttled(throttle);
    }
    this.environment.budget?.called();
    hedge?.share?.called();
    this.#place('first');
  }

  /** Called when an attempt is on its way. */
  placed(attempt: A): void {
    if (this.placing === 'hedge') this.#hedged = true;
    this.placing = undefined;
    // An array that begins with its first element has no spare capacity; most calls have one attempt.
    if (this.#running.length === 0) this.#running = [attempt];
    else this.#running.push(attempt);
    const { attemptTimeout } = this.policy;
    if (attemptTimeout !== undefined) {
      this.#timeouts ??= new AttemptTimeouts(this.environment.clock, (late) => this.#timedOut(late));
      this.#timeouts.start(attempt, attemptTimeout);
    }
    if (this.#state === 'sealed') this.#commit(attempt);
    else if (!this.#cancelTimer) this.#hedgeLater();
  }

  /** Called when the response headers of an attempt, or a message, have arrived. */
  responded(attempt: A): void {
    this.#timeouts?.stop(attempt);
    this.#commit(attempt);
    if (this.policy.acceptedByResponse && this.policy.throttle) this.#settle('accepted');
  }

  /** Called when the requests no longer fit into the replay buffer: the oldest attempt has sent most of them. */
  seal(): void {
    if (this.#state !== 'open') return;
    this.#state = 'sealed';
    const [oldest] = this.#running;
    if (oldest) this.#commit(oldest);
  }

  /** Called when an attempt has ended; `undefined` if it could not be placed. Ignores those that are not needed. */
  ended(attempt: A | undefined, end: AttemptEnd): void {
    if (this.#state === 'done') return;
    const kind = this.placing;
    if (attempt !== undefined ? !this.#remove(attempt) : kind === undefined) return;
    if (attempt === undefined) this.placing = undefined;
    this.#concluded(attempt, kind, end);
  }

  #concluded(attempt: A | undefined, kind: AttemptKind | undefined, end: AttemptEnd): void {
    if (end.code === 0) {
      this.environment.throttle?.succeeded();
      this.environment.elsewhere?.succeeded(this.owner.rank);
      if (attempt) this.#compare(attempt);
    }
    if (end.code === 0 || end.local || this.#committed !== undefined) return this.#finish(attempt, end);
    if (end.progress === 'dropped') return this.#giveUp(attempt, end);
    if (end.progress === 'exhausted') return this.#exhausted(kind, end);
    // A transparent retry that finds no endpoint leaves the call to the failure that it was to repeat.
    if (attempt !== undefined && this.placing !== 'transparent') this.#lastFailure = { attempt, end };
    if (end.progress === 'refused' && this.#state === 'open') this.#repeat();
    else this.#failed(attempt, end);
  }

  /** "Transparent retries do not count toward the limit of configured RPC attempts". */
  #repeat(): void {
    if (this.placing === undefined) return this.#place('transparent');
    // The attempt being placed replaces this one, and a hedge may be added later.
    this.attempts--;
    if (this.placing === 'transparent') return;
    this.#granted = true;
    this.placing = undefined;
    this.owner.unplace();
    this.#place('transparent');
  }

  /**
   * Called when the call ends for another reason: its caller, its deadline. The owner ends the attempts.
   *
   * @param isLate Whether its deadline has passed.
   */
  stop(isLate: boolean): void {
    if (this.policy.throttle) this.#settle(isLate ? this.#verdictOnLateness(this.policy.throttle) : 'unknown');
    this.#state = 'done';
    this.#stopTimer();
    this.#timeouts?.stopAll();
  }

  #place(kind: AttemptKind): void {
    if (kind !== 'transparent') {
      this.#stopTimer();
      this.#granted = false;
      this.attempts++;
    }
    this.placing = kind;
    this.owner.place(kind);
  }

  /** No endpoint is left: what the last one answered counts. */
  #exhausted(kind: AttemptKind | undefined, end: AttemptEnd): void {
    const last = this.#lastFailure;
    // It was not sent.
    if (kind === 'hedge' || (kind === 'retry' && this.#elsewhere)) this.attempts--;
    if (kind === 'hedge') this.#hedging = false;
    if (kind === 'transparent' && last) this.#failed(last.attempt, last.end);
    else this.#giveUp(last?.attempt, last?.end ?? end);
  }

  #failed(attempt: A | undefined, end: AttemptEnd): void {
    const { hedge, retry } = this.policy;
    if (end.progress === 'shed') this.#goElsewhere(attempt, end);
    else if (hedge) this.#hedgeFailed(hedge, attempt, end);
    else this.#retryFailed(retry, attempt, end);
  }

  #retryFailed(rule: RetryRule | undefined, attempt: A | undefined, end: AttemptEnd): void {
    if (!rule) return this.#finish(attempt, end);
    const retryable = this.#count(rule.retryableCodes, end);
    const { pushback } = end;
    if (!retryable || forbids(pushback) || this.attempts >= rule.maxAttempts || this.#state !== 'open')
      return this.#finish(attempt, end);
    if (pushback !== undefined) this.#backoffs = 0;
    const delay = pushback ?? backoff(rule, this.#backoffs++, this.environment.random);
    // If the deadline would pass first, the failure says more than DEADLINE_EXCEEDED.
    if (delay >= this.owner.timeLeft || !this.#mayAdd()) return this.#finish(attempt, end);
    this.#elsewhere = false;
    this.#after(delay, () => this.#place('retry'));
  }

  /**
   * A call that a server has shed has not run, so it goes to another endpoint once, whatever its policy is. When all
   * servers shed, this stops: it lasts while a tenth of the successes makes up for the calls that are shed.
   */
  #goElsewhere(attempt: A | undefined, end: AttemptEnd): void {
    const mayGo = (this.environment.elsewhere ??= new Elsewhere()).shed(this.owner.rank);
    // A hedge is under way.
    if (this.#running.length > 0 || this.placing !== undefined) return;
    const delay = end.pushback ?? 0;
    const late = forbids(end.pushback) || delay >= this.owner.timeLeft;
    if (late || this.attempts > 1 || this.#state !== 'open' || !mayGo) return this.#finish(attempt, end);
    this.#elsewhere = true;
    this.#after(delay, () => this.#place('retry'));
  }

  /**
   * "If a non-fatal status code is received, the next hedged request in line is sent immediately"; a fatal one ends the
   * call.
   */
  #hedgeFailed(rule: HedgeRule, attempt: A | undefined, end: AttemptEnd): void {
    if (!this.#count(rule.nonFatalCodes, end)) return this.#finish(attempt, end);
    const delay = end.pushback ?? 0;
    if (forbids(end.pushback)) this.#hedging = false;
    if (this.#mayHedge() && delay < this.owner.timeLeft && this.#mayAdd())
      this.#after(delay, () => {
        if (this.placing === undefined) this.#place('hedge');
      });
    else this.#giveUp(attempt, end);
  }

  /**
   * Returns whether another attempt may follow this status. The throttle counts such failures, and those "that receive
   * a pushback response indicating not to retry".
   */
  #count(codes: ReadonlySet<number>, { code, timedOut, pushback }: AttemptEnd): boolean {
    const repeatable = timedOut === true || codes.has(code);
    if (repeatable || forbids(pushback)) this.environment.throttle?.failed();
    return repeatable;
  }

  /** Leaves the call to the attempts that are still running, if there are any. */
  #giveUp(attempt: A | undefined, end: AttemptEnd): void {
    if (this.#running.length === 0 && this.placing === undefined) this.#finish(attempt, end);
  }

  #mayHedge(): boolean {
    const { hedge } = this.policy;
    const idle = this.#state === 'open' && this.placing === undefined;
    return hedge !== undefined && this.#hedging && idle && this.attempts < hedge.maxAttempts;
  }

  #hedgeLater(): void {
    if (!this.#mayHedge()) return;
    const { delay: delayOf, share } = this.policy.hedge!;
    const delay = delayOf();
    if (delay === undefined) return;
    if (share && this.#running.length === 1) share.sent(this.owner.endpointOf(this.#running[0]!));
    this.#after(delay, () => {
      const [first] = this.#running;
      if (!this.#mayHedge() || (first && !this.#takeShare(share, first)) || !this.#mayAdd()) return;
      this.#late ??= first;
      this.#place('hedge');
    });
  }

  #takeShare(share: HedgeShare | undefined, first: A): boolean {
    if (!share) return true;
    const endpoint = this.owner.endpointOf(first);
    if (this.#late === undefined) share.late(endpoint);
    return share.take(endpoint);
  }

  #compare(winner: A): void {
    // A hedge for which there was no endpoint has not lost.
    if (this.#late === undefined || !this.#hedged) return;
    this.policy.hedge?.share?.ended(this.owner.endpointOf(this.#late), winner !== this.#late);
    this.#late = undefined;
  }

  #mayAdd(): boolean {
    const { throttle, budget } = this.environment;
    if (throttle && !throttle.open) {
      throttle.denied++;
      return false;
    }
    this.#granted ||= budget?.take() ?? true;
    return this.#granted;
  }

  #after(delay: number, next: () => void): void {
    this.#stopTimer();
    if (delay <= 0) return next();
    this.#cancelTimer = this.environment.clock.after(delay, () => {
      this.#cancelTimer = undefined;
      next();
    });
  }

  #stopTimer(): void {
    this.#cancelTimer?.();
    this.#cancelTimer = undefined;
  }

  #commit(attempt: A): void {
    if (this.#state === 'committed' || this.#state === 'done') return;
    this.#state = 'committed';
    this.#committed = attempt;
    this.#compare(attempt);
    this.#stopTimer();
    this.#cancelOthers(attempt);
    this.owner.committed(attempt);
  }

  #finish(attempt: A | undefined, end: AttemptEnd): void {
    const { throttle } = this.policy;
    if (throttle) this.#settle(verdictOnStatus(throttle.rule, attempt, end, this.owner));
    this.#state = 'done';
    this.#stopTimer();
    this.#cancelOthers(attempt);
    this.owner.finish(attempt, end);
  }

  #settle(verdict: Verdict): void {
    if (this.#settled) return;
    this.#settled = true;
    this.policy.throttle!.ended(verdict);
  }

  #verdictOnLateness({ rule }: CallThrottle): Verdict {
    const last = this.#lastFailure ? [this.#lastFailure.attempt] : NONE;
    return verdictOnLateness(rule, this.#running.length > 0 ? this.#running : last, this.owner);
  }

  #cancelOthers(attempt: A | undefined): void {
    if (this.placing !== undefined) {
      this.placing = undefined;
      this.owner.unplace();
    }
    const { length } = this.#running;
    if (length === 0 || (length === 1 && this.#running[0] === attempt)) return;
    for (const other of this.#running.splice(0)) {
      if (other === attempt) {
        this.#running.push(other);
        continue;
      }
      this.#timeouts?.stop(other);
      this.owner.cancel(other, false);
    }
  }

  #remove(attempt: A): boolean {
    const i = this.#running.indexOf(attempt);
    if (i < 0) return false;
    // A splice allocates an array for what it removes.
    if (i === this.#running.length - 1) this.#running.pop();
    else this.#running.splice(i, 1);
    this.#timeouts?.stop(attempt);
    return true;
  }

  #timedOut(attempt: A): void {
    this.#remove(attempt);
    this.owner.cancel(attempt, true);
    this.#concluded(attempt, undefined, { code: DEADLINE_EXCEEDED, progress: 'processed', timedOut: true });
  }
}
