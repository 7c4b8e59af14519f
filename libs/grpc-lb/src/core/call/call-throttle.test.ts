import { describe, expect, test } from 'vitest';
import { FakeClock } from '../../../../../test/support/time/fake-clock.js';
import { seededRandom } from '../random.js';
import { CallThrottle, type ThrottleState } from './call-throttle.js';

const RULE = { multiplier: 2, window: 120_000, rejectionCodes: new Set([14]) };
const SHEDDABLE = 0;
const CRITICAL = 2;
const CRITICAL_PLUS = 3;

function setUp(random = seededRandom(1)) {
  const clock = new FakeClock(1_000_000);
  const states: ThrottleState[] = [];
  const throttle = new CallThrottle(RULE, clock, random, (each) => states.push(each.state));
  const ended = (accepted: number, rejected: number): void => {
    for (let i = 0; i < accepted; i++) throttle.ended('accepted');
    for (let i = 0; i < rejected; i++) throttle.ended('rejected');
  };
  /** Calls at a steady rate; returns how many passed. */
  const call = (seconds: number, perSecond: number, accepts: boolean): number => {
    let passed = 0;
    for (let i = 0; i < seconds * perSecond; i++) {
      if (throttle.admits()) {
        passed++;
        throttle.ended(accepts ? 'accepted' : 'rejected');
      }
      clock.advance(1000 / perSecond);
    }
    return passed;
  };
  return { clock, throttle, states, ended, call };
}

test('lets all pass until backends reject more than they accept', () => {
  const { throttle, ended } = setUp(() => 0);
  ended(100, 100);
  expect(throttle.admits()).toBe(true);
  ended(0, 9);
  expect(throttle.admits()).toBe(true);
  ended(0, 1);
  expect([throttle.admits(), throttle.state]).toEqual([false, 'open']);
});

test('refuses with the probability of the SRE book', () => {
  const { throttle, ended } = setUp(() => 0.399);
  // max(0, (requests - K * accepts) / (requests + 1)) = (499 - 2 * 150) / 500 = 0.398
  ended(150, 349);
  expect(throttle.admits()).toBe(true);
  const other = setUp(() => 0.397);
  other.ended(150, 349);
  expect(other.throttle.admits()).toBe(false);
  expect(other.throttle).toMatchObject({ refused: 1, counts: { requests: 500, accepts: 150, window: 3000 } });
});

test('ignores calls that say nothing about the backends, and those in flight', () => {
  const { throttle } = setUp(() => 0);
  for (let i = 0; i < 1000; i++) {
    expect(throttle.admits()).toBe(true);
    if (i % 2 === 0) throttle.ended('unknown');
  }
  expect(throttle.counts.requests).toBe(0);
});

test('refuses nothing for a few failures, however few calls there are', () => {
  const { throttle, ended } = setUp(() => 0);
  ended(0, 9);
  expect(throttle.admits()).toBe(true);
});

test('judges a method with few calls over the whole window, and one with many by the last seconds', () => {
  const { clock, throttle, ended } = setUp(() => 0);
  for (let i = 0; i < 10; i++) {
    ended(0, 1);
    clock.advance(5000);
  }
  expect(throttle.counts).toEqual({ requests: 10, accepts: 0, window: 120_000 });
  expect(throttle.state).toBe('closed');
  expect(throttle.admits()).toBe(false);
  for (let i = 0; i < 10; i++) {
    clock.advance(500);
    ended(2, 0);
  }
  expect(throttle.counts).toEqual({ requests: 22, accepts: 20, window: 12_000 });
  expect(throttle.admits()).toBe(true);
  ended(25, 0);
  expect(throttle.counts.window).toBe(3000);
});

test('sends one call a second in an outage', () => {
  const { call } = setUp();
  call(5, 100, false);
  // Beside the probes, one call in a few hundred passes, by the formula.
  expect(call(20, 100, false)).toBeGreaterThanOrEqual(19);
  expect(call(20, 100, false)).toBeLessThan(40);
});

describe.each([5, 50, 2000])('with %d calls a second', (perSecond) => {
  test('lets all pass within five seconds after an outage of a minute, and says both once', () => {
    const { throttle, call, states } = setUp();
    call(60, perSecond, true);
    call(60, perSecond, false);
    expect(throttle.state).toBe('open');
    call(5, perSecond, true);
    expect(call(2, perSecond, true)).toBe(2 * perSecond);
    expect(states).toEqual(['open', 'closed']);
    expect(throttle.state).toBe('closed');
  });
});

test('opens again if backends reject what half open lets pass', () => {
  const { throttle, call } = setUp();
  call(20, 100, false);
  call(2, 100, true);
  expect(throttle.state).toBe('half_open');
  const refused = throttle.refused;
  call(3, 100, false);
  expect(throttle.state).toBe('open');
  expect(throttle.refused - refused).toBeGreaterThan(200);
});

test('that is not asked any more forgets the outage', () => {
  const { clock, throttle, call } = setUp(() => 0);
  call(60, 100, false);
  clock.advance(120_000);
  expect(throttle.state).toBe('closed');
  expect(throttle.admits()).toBe(true);
});

describe('criticality', () => {
  test('decides who is refused first', () => {
    const { clock, throttle } = setUp();
    const passed: Record<number, number> = {};
    // Backends accept 90 of 300 calls a second, so that 180 pass; a third of the calls has each criticality.
    for (let second = 0; second < 20; second++) {
      for (const rank of [SHEDDABLE, CRITICAL, CRITICAL_PLUS]) passed[rank] = 0;
      for (let i = 0; i < 300; i++) {
        const rank = [SHEDDABLE, CRITICAL, CRITICAL_PLUS][i % 3]!;
        if (throttle.admits(rank)) {
          passed[rank]!++;
          throttle.ended(
            passed[SHEDDABLE]! + passed[CRITICAL]! + passed[CRITICAL_PLUS]! <= 90 ? 'accepted' : 'rejected',
          );
        }
        clock.advance(1000 / 300);
      }
    }
    expect(passed[CRITICAL_PLUS]).toBe(100);
    expect(passed[CRITICAL]).toBeGreaterThan(60);
    expect(passed[SHEDDABLE]).toBeLessThan(15);
  });

  test('does not matter if all calls have the same', () => {
    for (const rank of [SHEDDABLE, CRITICAL, CRITICAL_PLUS]) {
      const { throttle, ended } = setUp();
      ended(0, 1000);
      let passed = 0;
      for (let i = 0; i < 1000; i++) if (throttle.admits(rank)) passed++;
      expect(passed).toBeLessThan(10);
    }
  });
});
