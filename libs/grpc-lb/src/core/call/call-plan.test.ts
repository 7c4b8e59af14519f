import { describe, expect, test } from 'vitest';
import { FakeClock } from '../../../../../test/support/time/fake-clock.js';
import type { AttemptEnd } from './attempt-end.js';
import { CallPlan } from './call-plan.js';
import type { AttemptKind } from './plan-owner.js';
import type { CallPolicy } from './call-policy.js';
import { CallThrottle } from './call-throttle.js';
import { RetryBudget } from './retry-budget.js';
import { RetryThrottle } from './retry-throttle.js';

const OK: AttemptEnd = { code: 0, progress: 'processed' };
const INVALID: AttemptEnd = { code: 3, progress: 'processed' };
const UNAVAILABLE: AttemptEnd = { code: 14, progress: 'processed' };
const REFUSED: AttemptEnd = { code: 14, progress: 'refused' };
const EXHAUSTED: AttemptEnd = { code: 14, progress: 'exhausted' };
const pushedBack = (end: AttemptEnd, pushback: number): AttemptEnd => ({ ...end, pushback });

const codes = new Set([14]);
const backoff = { initialBackoff: 100, maxBackoff: 1000, backoffMultiplier: 2 };
const RETRY: CallPolicy = { retry: { maxAttempts: 5, retryableCodes: codes, ...backoff } };
const hedge = (delay: number | undefined, maxAttempts = 3): CallPolicy => ({
  hedge: { maxAttempts, nonFatalCodes: codes, delay: () => delay },
});

interface Limits {
  readonly throttle?: RetryThrottle;
  readonly extras?: number;
  readonly timeLeft?: number;
  /** Attempts whose endpoint fails more than the others. */
  readonly excused?: readonly number[];
}

/** A plan whose attempts are named by numbers from 1; they are placed at once unless `waits` is set. */
function planned(policy: CallPolicy, limits: Limits = {}) {
  const clock = new FakeClock();
  const { throttle, extras, timeLeft = Infinity, excused = [] } = limits;
  const budget = extras === undefined ? undefined : new RetryBudget(clock, extras, 0);
  const told: string[] = [];
  const attempts: { readonly id: number }[] = [];
  const placed = (): void => {
    const attempt = { id: attempts.length + 1 };
    attempts.push(attempt);
    plan.placed(attempt);
  };
  const call = {
    clock,
    told,
    waits: false,
    placed,
    notPlaced: (end: AttemptEnd) => plan.ended(undefined, end),
    end: (id: number, end: AttemptEnd) => plan.ended(attempts[id - 1], end),
    respond: (id: number) => plan.responded(attempts[id - 1]!),
    get plan() {
      return plan;
    },
  };
  const plan: CallPlan<{ readonly id: number }> = new CallPlan(
    policy,
    { clock, random: () => 0.5, throttle, budget },
    {
      timeLeft,
      place(kind: AttemptKind) {
        told.push(`${clock.now()} ${kind}`);
        if (!call.waits) placed();
      },
      unplace: () => told.push('unplace'),
      cancel: ({ id }, timedOut) => told.push(timedOut ? `time out ${id}` : `cancel ${id}`),
      committed: ({ id }) => told.push(`commit ${id}`),
      throttled: () => told.push('throttled'),
      isExcused: ({ id }) => excused.includes(id),
      endpointOf: (attempt) => attempt,
      finish: (attempt, { code }) => told.push(`finish ${attempt?.id} ${code}`),
    },
  );
  plan.start();
  return call;
}

describe('a retry', () => {
  test('waits twice as long each time, and starts from the initial backoff after a pushback', () => {
    const call = planned(RETRY);
    call.end(1, UNAVAILABLE);
    call.clock.advance(100);
    call.end(2, UNAVAILABLE);
    call.clock.advance(200);
    call.end(3, pushedBack(UNAVAILABLE, 50));
    call.clock.advance(50);
    call.end(4, UNAVAILABLE);
    call.clock.advance(100);
    call.end(5, UNAVAILABLE);
    expect(call.told).toEqual(['0 first', '100 retry', '300 retry', '350 retry', '450 retry', 'finish 5 14']);
  });

  test('does not follow a call that the peer tells not to repeat, and the throttle counts that failure', () => {
    for (const end of [UNAVAILABLE, INVALID]) {
      const throttle = new RetryThrottle(10, 0.1);
      const call = planned(RETRY, { throttle });
      call.end(1, pushedBack(end, -1));
      expect(call.told).toEqual(['0 first', `finish 1 ${end.code}`]);
      expect(throttle.level).toBe(0.9);
    }
  });

  test('is not made if the deadline would pass first', () => {
    const call = planned(RETRY, { timeLeft: 100 });
    call.end(1, UNAVAILABLE);
    expect(call.told).toEqual(['0 first', 'finish 1 14']);
  });

  test('follows an attempt timeout whatever the retryable statuses are', () => {
    const call = planned({ ...RETRY, attemptTimeout: 30 });
    call.clock.advance(130);
    call.end(2, OK);
    expect(call.told).toEqual(['0 first', 'time out 1', '130 retry', 'finish 2 0']);
    expect(call.clock.pendingTimers).toBe(0);
  });
});

describe('a hedge', () => {
  test('follows each delay, and the first response cancels the others', () => {
    const call = planned(hedge(100));
    call.clock.advance(500);
    call.respond(2);
    call.end(2, OK);
    expect(call.told).toEqual(['0 first', '100 hedge', '200 hedge', 'cancel 1', 'cancel 3', 'commit 2', 'finish 2 0']);
  });

  test('follows a failure at once, even if the delay is not known', () => {
    const call = planned(hedge(undefined));
    call.clock.advance(500);
    call.end(1, UNAVAILABLE);
    expect(call.told).toEqual(['0 first', '500 hedge']);
  });

  test('that would come after the deadline is not made', () => {
    const call = planned(hedge(undefined), { timeLeft: 100 });
    call.end(1, pushedBack(UNAVAILABLE, 100));
    expect(call.told).toEqual(['0 first', 'finish 1 14']);
  });

  test('takes one grant of the budget, although two failures ask for it', () => {
    const call = planned(hedge(0), { extras: 2 });
    // The budget of one call holds two hedges, and both have been made.
    call.end(1, UNAVAILABLE);
    call.end(2, UNAVAILABLE);
    call.end(3, UNAVAILABLE);
    expect(call.told).toEqual(['0 first', '0 hedge', '0 hedge', 'finish 3 14']);

    const delayed = planned(hedge(10, 4), { extras: 2 });
    delayed.clock.advance(10);
    delayed.end(1, pushedBack(UNAVAILABLE, 300));
    delayed.end(2, UNAVAILABLE);
    expect(delayed.told).toEqual(['0 first', '10 hedge', '10 hedge']);
  });

  test('none follows an instruction not to retry; the others go on, and their number stays what it was', () => {
    const call = planned(hedge(100));
    call.clock.advance(100);
    call.end(1, pushedBack(UNAVAILABLE, -1));
    call.clock.advance(1000);
    expect(call.plan.attempts).toBe(2);
    call.end(2, UNAVAILABLE);
    expect(call.told).toEqual(['0 first', '100 hedge', 'finish 2 14']);
  });

  test('that finds no endpoint leaves the call to the attempts that run', () => {
    const call = planned(hedge(100));
    call.waits = true;
    call.clock.advance(100);
    call.notPlaced(EXHAUSTED);
    call.clock.advance(1000);
    expect(call.plan.attempts).toBe(1);
    call.end(1, UNAVAILABLE);
    expect(call.told).toEqual(['0 first', '100 hedge', 'finish 1 14']);
  });
});

describe('a transparent retry', () => {
  test('follows each refusal, and then the policy counts', () => {
    const call = planned(RETRY);
    call.end(1, REFUSED);
    call.waits = true;
    call.end(2, REFUSED);
    call.notPlaced(EXHAUSTED);
    expect(call.plan.attempts).toBe(1);
    call.waits = false;
    call.clock.advance(100);
    expect(call.told).toEqual(['0 first', '0 transparent', '0 transparent', '100 retry']);
  });

  test('takes the place of a waiting hedge, which may follow later; the refusal is not a fatal status', () => {
    const call = planned({ hedge: { maxAttempts: 2, nonFatalCodes: new Set([13]), delay: () => 100 } }, { extras: 1 });
    call.waits = true;
    call.clock.advance(100);
    call.end(1, REFUSED);
    call.waits = false;
    call.placed();
    call.clock.advance(100);
    expect(call.told).toEqual(['0 first', '100 hedge', 'unplace', '100 transparent', '200 hedge']);
  });

  test('leaves the delay that the peer asks for, even while it waits longer', () => {
    const call = planned(hedge(100));
    call.clock.advance(100);
    call.waits = true;
    call.end(1, pushedBack(UNAVAILABLE, 300));
    call.end(2, REFUSED);
    call.clock.advance(300);
    expect(call.told).toEqual(['0 first', '100 hedge', '100 transparent']);
    call.waits = false;
    call.placed();
    call.clock.advance(100);
    expect(call.told.slice(3)).toEqual(['500 hedge']);

    const prompt = planned(hedge(100));
    prompt.clock.advance(100);
    prompt.end(1, pushedBack(UNAVAILABLE, 300));
    prompt.end(2, REFUSED);
    prompt.clock.advance(300);
    expect(prompt.told).toEqual(['0 first', '100 hedge', '100 transparent', '400 hedge']);
  });

  test('that finds no endpoint leaves the call to the failure that it was to repeat, and to no other', () => {
    const throttle = new RetryThrottle(100, 0.1);
    const call = planned(hedge(100, 2), { throttle });
    call.clock.advance(100);
    call.waits = true;
    call.end(1, REFUSED);
    call.end(2, pushedBack(UNAVAILABLE, -1));
    call.notPlaced(EXHAUSTED);
    expect(call.told).toEqual(['0 first', '100 hedge', '100 transparent', 'finish 1 14']);
    expect(throttle.level).toBe(0.98);
  });
});

test('an attempt that was unplaced, and then could not be placed, changes nothing', () => {
  const call = planned(hedge(100));
  call.waits = true;
  call.clock.advance(100);
  call.respond(1);
  call.notPlaced(UNAVAILABLE);
  call.end(1, OK);
  expect(call.told).toEqual(['0 first', '100 hedge', 'unplace', 'commit 1', 'finish 1 0']);
});

test('a call whose requests are no longer kept goes on with its oldest attempt, or makes one last', () => {
  const running = planned(hedge(100));
  running.clock.advance(100);
  running.plan.seal();
  expect(running.told).toEqual(['0 first', '100 hedge', 'cancel 2', 'commit 1']);

  const between = planned(RETRY);
  between.end(1, UNAVAILABLE);
  between.plan.seal();
  between.clock.advance(100);
  between.end(2, UNAVAILABLE);
  expect(between.told).toEqual(['0 first', '100 retry', 'commit 2', 'finish 2 14']);
});

describe('a throttled call', () => {
  /** What the throttle counts of a call. */
  function counted(act: (call: ReturnType<typeof planned>) => void, policy: CallPolicy = {}, limits: Limits = {}) {
    const rule = { multiplier: 2, window: 120_000, rejectionCodes: new Set([4, 14]) };
    const throttle = new CallThrottle(rule, new FakeClock(), () => 0.5);
    act(planned({ ...policy, throttle }, limits));
    return [throttle.counts.requests, throttle.counts.accepts];
  }
  const ACCEPTED = [1, 1];
  const REJECTED = [1, 0];
  const UNKNOWN = [0, 0];

  test('is accepted with any status but those of a rejection', () => {
    for (const end of [OK, INVALID]) expect(counted((call) => call.end(1, end))).toEqual(ACCEPTED);
    expect(counted((call) => call.end(1, UNAVAILABLE))).toEqual(REJECTED);
  });

  test('counts once, by its last attempt', () => {
    const retried = (last: AttemptEnd) => (call: ReturnType<typeof planned>) => {
      call.end(1, UNAVAILABLE);
      call.clock.advance(100);
      call.end(2, last);
    };
    const policy = { retry: { ...RETRY.retry!, maxAttempts: 2 } };
    expect(counted(retried(OK), policy)).toEqual(ACCEPTED);
    expect(counted(retried(UNAVAILABLE), policy)).toEqual(REJECTED);
  });

  test('says nothing if its endpoint alone fails, or if no endpoint had it', () => {
    expect(counted((call) => call.end(1, UNAVAILABLE), {}, { excused: [1] })).toEqual(UNKNOWN);
    expect(counted((call) => call.end(1, { ...UNAVAILABLE, local: true }))).toEqual(UNKNOWN);
    const pending = planned({});
    pending.waits = true;
    expect(
      counted((call) => {
        call.end(1, REFUSED);
        call.plan.stop(false);
      }),
    ).toEqual(UNKNOWN);
  });

  test('is rejected if its deadline passes while a backend has it, and not if its caller cancels it', () => {
    expect(counted((call) => call.plan.stop(true))).toEqual(REJECTED);
    expect(counted((call) => call.plan.stop(false))).toEqual(UNKNOWN);
    expect(counted((call) => call.plan.stop(true), {}, { excused: [1] })).toEqual(UNKNOWN);
    // The deadline passes while a retry waits for its backoff.
    const between = (call: ReturnType<typeof planned>): void => {
      call.end(1, UNAVAILABLE);
      call.plan.stop(true);
    };
    expect(counted(between, RETRY)).toEqual(REJECTED);
    expect(counted(between, RETRY, { excused: [1] })).toEqual(UNKNOWN);
  });

  test('that times out at each attempt is rejected', () => {
    const policy = { retry: { ...RETRY.retry!, maxAttempts: 1 }, attemptTimeout: 30 };
    expect(counted((call) => call.clock.advance(30), policy)).toEqual(REJECTED);
  });

  test('that is a stream is accepted with its first response', () => {
    const respond = (call: ReturnType<typeof planned>): void => {
      call.respond(1);
      call.end(1, UNAVAILABLE);
    };
    expect(counted(respond, { acceptedByResponse: true })).toEqual(ACCEPTED);
    expect(counted(respond)).toEqual(REJECTED);
  });

  test('has no attempt, and takes nothing from the budget, if it is refused', () => {
    const rule = { multiplier: 2, window: 120_000, rejectionCodes: new Set([14]) };
    const throttle = new CallThrottle(rule, new FakeClock(), () => 0);
    for (let i = 0; i < 20; i++) throttle.ended('rejected');
    const call = planned({ ...RETRY, throttle });
    expect(call.told).toEqual(['throttled']);
    expect(call.plan).toMatchObject({ done: true, attempts: 0 });
    call.plan.stop(true);
    expect(throttle.counts.requests).toBe(21);
  });
});

describe('a call that a server has shed', () => {
  const SHED: AttemptEnd = { code: 14, progress: 'shed', pushback: 0 };

  test('goes elsewhere once, without a retry policy', () => {
    const call = planned({});
    call.end(1, SHED);
    expect(call.plan.onlyElsewhere).toBe(true);
    call.end(2, SHED);
    expect(call.told).toEqual(['0 first', '0 retry', 'finish 2 14']);
  });

  test('ends with what the server said if there is no other', () => {
    const call = planned({});
    call.waits = true;
    call.end(1, SHED);
    call.notPlaced(EXHAUSTED);
    expect(call.told).toEqual(['0 first', '0 retry', 'finish 1 14']);
    // The caller is told of one attempt, not of two.
    expect(call.plan.attempts).toBe(1);
  });

  test('goes nowhere if the server says so, or the deadline would pass first', () => {
    const forbidden = planned({});
    forbidden.end(1, { ...SHED, pushback: -1 });
    const late = planned({}, { timeLeft: 100 });
    late.end(1, { ...SHED, pushback: 100 });
    for (const { told } of [forbidden, late]) expect(told).toEqual(['0 first', 'finish 1 14']);
  });

  test('goes elsewhere, or is left to its hedge, if the status is fatal for hedges', () => {
    const fatal: CallPolicy = { hedge: { ...hedge(100).hedge!, nonFatalCodes: new Set([13]) } };
    const call = planned(fatal);
    call.end(1, SHED);
    call.end(2, OK);
    expect(call.told).toEqual(['0 first', '0 retry', 'finish 2 0']);
    const hedged = planned(fatal);
    hedged.clock.advance(100);
    hedged.end(1, SHED);
    hedged.end(2, OK);
    expect(hedged.told).toEqual(['0 first', '100 hedge', 'finish 2 0']);
  });

  test('follows its retry policy after that', () => {
    const call = planned(RETRY);
    call.end(1, SHED);
    call.end(2, UNAVAILABLE);
    call.clock.advance(100);
    // Only the attempt that replaces the shed one must go where the call has not been.
    expect(call.plan.onlyElsewhere).toBe(false);
    call.end(3, OK);
    expect(call.told).toEqual(['0 first', '0 retry', '100 retry', 'finish 3 0']);
  });
});
