import * as fc from 'fast-check';
import { expect, test } from 'vitest';
import type { AttemptEnd, AttemptProgress } from '../../libs/grpc-lb/src/core/call/attempt-end.js';
import { CallPlan } from '../../libs/grpc-lb/src/core/call/call-plan.js';
import type { AttemptKind, PlanOwner } from '../../libs/grpc-lb/src/core/call/plan-owner.js';
import type { Cancel, Clock } from '../../libs/grpc-lb/src/core/clock.js';
import { RetryBudget } from '../../libs/grpc-lb/src/core/call/retry-budget.js';
import { RetryThrottle } from '../../libs/grpc-lb/src/core/call/retry-throttle.js';
import { type Call, callAfter, type Event, type Fact, nextAlarm, type Setup } from './call-model.js';
import { check } from './check.js';
import { StrictClock } from './strict-clock.js';

const OK = 0;
const CANCELLED = 1;
const FATAL = 3;
const UNAVAILABLE = 14;

/** How the owner answers a placement: at once, or when a step says so. */
type Answer = 'placed' | 'later' | AttemptEnd;

type Step =
  | { readonly kind: 'advance'; readonly ms: number }
  | { readonly kind: 'respond'; readonly which: number }
  | { readonly kind: 'end'; readonly which: number; readonly end: AttemptEnd }
  | { readonly kind: 'answer'; readonly answer: 'placed' | AttemptEnd }
  /** The ends of an attempt that the plan has cancelled, and of one that it has unplaced, arrive late. */
  | { readonly kind: 'late'; readonly which: number }
  | { readonly kind: 'next_timer' | 'seal' | 'stop' | 'another_call' };

interface Scenario {
  readonly setup: Setup;
  /** Calls before this one; the budget knows them. */
  readonly callsBefore: number;
  readonly answers: readonly Answer[];
  /** Whether the owner reports the end of an attempt while the plan cancels it. */
  readonly reportsAtOnce: boolean;
  readonly steps: readonly Step[];
}

const kind = <K extends string>(name: K): fc.Arbitrary<K> => fc.constant(name);
const pushback = fc.constantFrom(undefined, undefined, undefined, 0, 300, -1, Number.NaN);
const endOf = (code: number, progress: AttemptProgress): AttemptEnd => ({ code, progress });
const failure = pushback.map((ms): AttemptEnd => ({ ...endOf(UNAVAILABLE, 'processed'), pushback: ms }));
const end: fc.Arbitrary<AttemptEnd> = fc.oneof(
  { weight: 5, arbitrary: failure },
  { weight: 2, arbitrary: fc.constant(endOf(UNAVAILABLE, 'refused')) },
  { weight: 1, arbitrary: fc.constant(endOf(OK, 'processed')) },
  { weight: 1, arbitrary: pushback.map((ms) => ({ ...endOf(FATAL, 'processed'), pushback: ms })) },
  { weight: 1, arbitrary: fc.constant({ ...endOf(CANCELLED, 'processed'), local: true }) },
);
const unplaceable = fc.constantFrom(
  endOf(UNAVAILABLE, 'not_placed'),
  endOf(UNAVAILABLE, 'exhausted'),
  endOf(UNAVAILABLE, 'dropped'),
  endOf(FATAL, 'not_placed'),
);
const answer: fc.Arbitrary<Answer> = fc.oneof(
  { weight: 4, arbitrary: kind('placed') },
  { weight: 3, arbitrary: kind('later') },
  { weight: 1, arbitrary: unplaceable },
);
const step: fc.Arbitrary<Step> = fc.oneof(
  { weight: 4, arbitrary: fc.record({ kind: kind('advance'), ms: fc.constantFrom(1, 10, 97, 98, 300, 700, 5000) }) },
  { weight: 1, arbitrary: fc.record({ kind: kind('respond'), which: fc.nat(5) }) },
  { weight: 8, arbitrary: fc.record({ kind: kind('end'), which: fc.nat(5), end }) },
  {
    weight: 4,
    arbitrary: fc.record({
      kind: kind('answer'),
      answer: fc.oneof({ weight: 3, arbitrary: kind('placed') }, { weight: 1, arbitrary: unplaceable }),
    }),
  },
  { weight: 1, arbitrary: fc.record({ kind: kind('late'), which: fc.nat(5) }) },
  { weight: 1, arbitrary: fc.record({ kind: fc.constantFrom('seal', 'stop', 'another_call') }) },
);

const setup: fc.Arbitrary<Setup> = fc.record({
  policy: fc.constantFrom('none', 'retry', 'hedge', 'hedge'),
  maxAttempts: fc.integer({ min: 2, max: 5 }),
  codes: fc.constantFrom(new Set([UNAVAILABLE]), new Set([UNAVAILABLE]), new Set([FATAL])),
  initialBackoff: fc.constantFrom(11, 100),
  maxBackoff: fc.constantFrom(50, 1000),
  backoffMultiplier: fc.constantFrom(1, 2, 3.5),
  draw: fc.constantFrom(0, 0.3, 0.999),
  hedgingDelay: fc.constantFrom(undefined, 0, 97),
  attemptTimeout: fc.constantFrom(undefined, undefined, 43, 1009),
  deadline: fc.constantFrom(Infinity, Infinity, 250.5, 2000.5),
  throttle: fc.option(
    fc.record({
      maxTokens: fc.constantFrom(4, 10),
      tokenRatio: fc.constantFrom(0.5, 1),
      tokens: fc.constantFrom(4, 3, 2),
    }),
    { nil: undefined },
  ),
  budget: fc.option(fc.record({ ratio: fc.constantFrom(0, 0.2, 1), minPerSecond: fc.constantFrom(0, 0.1, 10) }), {
    nil: undefined,
  }),
});

const scenario: fc.Arbitrary<Scenario> = fc.record({
  setup,
  callsBefore: fc.constantFrom(0, 4, 30),
  answers: fc.array(answer, { maxLength: 12 }),
  reportsAtOnce: fc.boolean(),
  steps: fc.array(step, { maxLength: 30 }),
});

/** A call that lasts: most failures can be repeated, and little forbids it. */
const lasting: fc.Arbitrary<Scenario> = fc.record({
  setup: setup.map((each) => ({ ...each, maxAttempts: 5, codes: new Set([UNAVAILABLE]), throttle: undefined })),
  callsBefore: fc.constant(4),
  answers: fc.array(fc.constantFrom<Answer[]>('placed', 'placed', 'later', 'later', endOf(UNAVAILABLE, 'exhausted')), {
    maxLength: 12,
  }),
  reportsAtOnce: fc.boolean(),
  steps: fc.array(
    fc.oneof(
      { weight: 2, arbitrary: fc.record({ kind: kind('advance'), ms: fc.constantFrom(1, 10, 97) }) },
      { weight: 3, arbitrary: fc.record({ kind: kind('next_timer') }) },
      {
        weight: 4,
        arbitrary: fc.record({
          kind: kind('end'),
          which: fc.nat(5),
          end: fc.constantFrom(
            endOf(UNAVAILABLE, 'processed'),
            endOf(UNAVAILABLE, 'processed'),
            { ...endOf(UNAVAILABLE, 'processed'), pushback: 300 },
            { ...endOf(UNAVAILABLE, 'processed'), pushback: -1 },
            endOf(UNAVAILABLE, 'refused'),
            endOf(UNAVAILABLE, 'refused'),
          ),
        }),
      },
      {
        weight: 1,
        arbitrary: fc.record({
          kind: kind('answer'),
          answer: fc.constantFrom<('placed' | AttemptEnd)[]>('placed', 'placed', endOf(UNAVAILABLE, 'exhausted')),
        }),
      },
    ),
    { maxLength: 30 },
  ),
});

/** One call, carried out by a plan and by the model. */
class Run implements PlanOwner<{ readonly id: number }> {
  readonly clock = new StrictClock();
  readonly #throttle: RetryThrottle | undefined;
  readonly #budget: RetryBudget | undefined;
  readonly plan: CallPlan<{ readonly id: number }>;
  readonly commands: string[] = [];
  readonly #history: Event[] = [];
  readonly #answers: Answer[];
  /** All attempts that were placed, and how they ended. */
  readonly attempts: { readonly id: number; ended?: 'cancelled' | AttemptEnd }[] = [];
  #waits = false;
  #stopped = false;

  constructor(private readonly given: Scenario) {
    const { throttle, budget } = given.setup;
    if (throttle) {
      this.#throttle = new RetryThrottle(throttle.maxTokens, throttle.tokenRatio);
      for (let n = throttle.tokens; n < throttle.maxTokens; n++) this.#throttle.failed();
    }
    if (budget) this.#budget = new RetryBudget(this.clock, budget.ratio, budget.minPerSecond);
    this.#answers = [...given.answers];
    const clock: Clock = { now: () => this.clock.now(), after: (ms, callback) => this.#after(ms, callback) };
    const environment = { clock, random: () => given.setup.draw, throttle: this.#throttle, budget: this.#budget };
    this.plan = new CallPlan(policyOf(given.setup), environment, this);
  }

  // The owner of the plan.

  get timeLeft(): number {
    return this.given.setup.deadline - this.clock.now();
  }

  place(why: AttemptKind): void {
    expect(this.#waits, 'one attempt is placed at a time').toBe(false);
    expect(this.over, 'no attempt is placed after the end').toBe(false);
    expect(this.#count('commit'), 'no attempt is placed after the commit').toBe(0);
    this.commands.push(`place ${why}`);
    this.#waits = true;
    const [next = 'placed'] = this.#answers.splice(0, 1);
    if (next !== 'later') this.#answer(next);
  }

  unplace(): void {
    expect(this.#waits, 'only what is being placed is unplaced').toBe(true);
    this.#waits = false;
    this.commands.push('unplace');
  }

  cancel({ id }: { readonly id: number }, timedOut: boolean): void {
    const attempt = this.attempts[id]!;
    expect(attempt.ended, 'an attempt ends once').toBeUndefined();
    attempt.ended = 'cancelled';
    this.commands.push(timedOut ? `cancel ${id} timed out` : `cancel ${id}`);
    if (this.given.reportsAtOnce) this.plan.ended(attempt, { code: CANCELLED, progress: 'processed' });
  }

  committed({ id }: { readonly id: number }): void {
    this.commands.push(`commit ${id}`);
  }

  throttled(): void {
    expect.unreachable('no call is throttled here');
  }

  endpointOf(attempt: { readonly id: number }): object {
    return attempt;
  }

  isExcused(): boolean {
    return false;
  }

  finish(attempt: { readonly id: number } | undefined, { code }: AttemptEnd): void {
    this.commands.push(`finish ${attempt?.id} ${code}`);
  }

  // The world around it.

  start(): void {
    for (let n = 0; n < this.given.callsBefore; n++) this.#anotherCall();
    this.#tell({ what: 'start' }, () => this.plan.start());
  }

  take(next: Step): void {
    switch (next.kind) {
      case 'advance':
        return this.#advance(next.ms);
      case 'next_timer':
        return this.#advance(this.clock.nextIn ?? 0);
      case 'respond':
        return this.#withRunning(next.which, (attempt) =>
          this.#tell({ what: 'responded', attempt: attempt.id }, () => this.plan.responded(attempt)),
        );
      case 'end':
        return this.#withRunning(next.which, (attempt) => this.#end(attempt, next.end));
      case 'late':
        return this.#reportLate(next.which);
      case 'answer':
        return this.#waits ? this.#answer(next.answer) : undefined;
      case 'seal':
        return this.#tell({ what: 'seal' }, () => this.plan.seal());
      case 'stop':
        return this.#stop();
      case 'another_call':
        return this.#anotherCall();
    }
  }

  /** Answers everything that is left, so that the call must end. */
  conclude(): void {
    for (let i = 0; i < 100 && !this.over; i++) {
      if (this.#waits) this.#answer('placed');
      else if (this.#running.length > 0) this.#end(this.#running[0]!, endOf(UNAVAILABLE, 'processed'));
      else this.#advance(this.clock.nextIn!);
      this.verify();
    }
    expect(this.over, 'the call ends').toBe(true);
  }

  verify(): void {
    const model = this.#model;
    expect(this.commands).toEqual(model.commands);
    const { setup: rules } = this.given;
    if (this.#throttle) expect(this.#throttle.level * rules.throttle!.maxTokens).toBeCloseTo(model.tokens);
    if (this.#stopped) expect(this.clock.pendingTimers).toBe(0);
    expect(this.plan.done).toBe(model.phase === 'over');
    expect(this.plan.open).toBe(model.phase === 'open');
    expect(this.plan.attempts).toBe(model.counted);
    if (!this.over) {
      expect(this.plan.placing).toBe(model.placing);
      expect(this.plan.running.map(({ id }) => id)).toEqual(model.running);
      expect(this.clock.nextIn ?? Infinity).toBeCloseTo((nextAlarm(model)?.at ?? Infinity) - this.clock.now(), 6);
    }
    this.#verifyInvariants();
  }

  #verifyInvariants(): void {
    const { setup: rules } = this.given;
    const limit = rules.policy === 'none' ? 1 : rules.maxAttempts;
    const hasRun = ({ ended }: { ended?: 'cancelled' | AttemptEnd }): boolean =>
      typeof ended !== 'object' || ended.progress !== 'refused';
    expect(this.attempts.filter(hasRun).length).toBeLessThanOrEqual(limit);
    expect(this.plan.attempts).toBeLessThanOrEqual(limit);
    expect(this.#count('commit')).toBeLessThanOrEqual(1);
    expect(this.#count('finish') + Number(this.#stopped)).toBe(Number(this.over));
    if (this.over) {
      expect(this.clock.pendingTimers, 'no timer is left').toBe(0);
      if (!this.#stopped) expect(this.#running, 'no attempt is left').toEqual([]);
    } else {
      const lives = this.#running.length > 0 || this.#waits || this.clock.pendingTimers > 0;
      expect(lives, 'something will end the call').toBe(true);
    }
    if (rules.budget?.minPerSecond === 0) {
      const extras = this.#model.grants.length;
      expect(extras).toBeLessThanOrEqual(rules.budget.ratio * this.#model.calls.length);
    }
  }

  get over(): boolean {
    return this.#stopped || this.#count('finish') > 0;
  }

  get #running() {
    return this.attempts.filter(({ ended }) => ended === undefined);
  }

  get #model(): Call {
    return callAfter(this.given.setup, this.#history);
  }

  #count(command: string): number {
    return this.commands.filter((each) => each.startsWith(command)).length;
  }

  #tell(fact: Fact, tell: () => void): void {
    this.#history.push({ ...fact, at: this.clock.now() });
    tell();
  }

  #answer(next: 'placed' | AttemptEnd): void {
    this.#waits = false;
    if (next !== 'placed')
      return this.#tell({ what: 'unplaceable', end: next }, () => this.plan.ended(undefined, next));
    const attempt = { id: this.attempts.length };
    this.attempts.push(attempt);
    this.#tell({ what: 'placed' }, () => this.plan.placed(attempt));
  }

  #end(attempt: { readonly id: number; ended?: 'cancelled' | AttemptEnd }, how: AttemptEnd): void {
    attempt.ended = how;
    this.#tell({ what: 'ended', attempt: attempt.id, end: how }, () => this.plan.ended(attempt, how));
  }

  #reportLate(which: number): void {
    if (!this.#waits) this.plan.ended(undefined, endOf(UNAVAILABLE, 'not_placed'));
    const cancelled = this.attempts.filter(({ ended }) => ended === 'cancelled');
    const attempt = cancelled[which % cancelled.length];
    if (attempt) this.plan.ended(attempt, { code: CANCELLED, progress: 'processed' });
  }

  #withRunning(which: number, act: (attempt: { readonly id: number }) => void): void {
    const attempt = this.#running[which % this.#running.length];
    if (attempt && !this.#stopped) act(attempt);
  }

  /** Each timer that fires is an event of its own. */
  #after(ms: number, callback: () => void): Cancel {
    return this.clock.after(ms, () => this.#tell({ what: 'time' }, callback));
  }

  /** Time passes from one timer to the next; the deadline stops the plan. */
  #advance(ms: number): void {
    const until = this.clock.now() + ms;
    for (;;) {
      const now = this.clock.now();
      const at = Math.min(now + (this.clock.nextIn ?? Infinity), this.over ? Infinity : this.given.setup.deadline);
      if (at > until) break;
      if (at === this.given.setup.deadline) {
        this.clock.advance(at - now);
        this.#stop();
      } else this.clock.advance(this.clock.nextIn!);
      this.verify();
    }
    this.clock.advance(until - this.clock.now());
  }

  #stop(): void {
    if (this.over) return;
    this.#stopped = true;
    this.#waits = false;
    this.#tell({ what: 'stop' }, () => this.plan.stop(false));
  }

  #anotherCall(): void {
    this.#tell({ what: 'another_call' }, () => this.#budget?.called());
  }
}

function policyOf({ policy, maxAttempts, codes, attemptTimeout, hedgingDelay, ...backoff }: Setup) {
  if (policy === 'none') return { attemptTimeout };
  if (policy === 'retry') return { attemptTimeout, retry: { maxAttempts, retryableCodes: codes, ...backoff } };
  return { attemptTimeout, hedge: { maxAttempts, nonFatalCodes: codes, delay: () => hedgingDelay } };
}

function carryOut(each: Scenario): void {
  const run = new Run(each);
  run.start();
  run.verify();
  for (const next of each.steps) {
    run.take(next);
    run.verify();
  }
  run.conclude();
}

test('a call makes the attempts of gRFC A6, and ends once with nothing left', () => {
  check(fc.property(scenario, carryOut), 600);
});

test('so does a call whose attempts all fail, or do not run', () => {
  check(fc.property(lasting, carryOut), 600);
});
