import * as fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { check } from '../../../../../test/properties/check.js';
import { FakeClock } from '../../../../../test/support/time/fake-clock.js';
import { type AttemptKind, CallPlan, type PlanOwner } from './call-plan.js';
import { HedgeShare } from './hedge-share.js';

const LIMIT = 0.03;

/** Hedges of a client that wants one for each call, in the last part of its calls. */
function hedgesOf(calls: number, last: number, wins: (hedge: number) => boolean): number {
  const share = new HedgeShare(LIMIT);
  let [hedges, counted] = [0, 0];
  for (let i = 0; i < calls; i++) {
    share.called();
    if (!share.take()) continue;
    share.ended(wins(hedges++));
    if (i >= calls - last) counted++;
  }
  return counted;
}

describe('the share of hedges', () => {
  test('is never exceeded, apart from a few at once, whatever they achieve', () => {
    const steps = fc.array(fc.record({ wants: fc.boolean(), wins: fc.boolean() }), { maxLength: 2000 });
    check(
      fc.property(steps, (calls) => {
        const share = new HedgeShare(LIMIT);
        let hedges = 0;
        for (const { wants, wins } of calls) {
          share.called();
          if (!wants || !share.take()) continue;
          hedges++;
          share.ended(wins);
        }
        expect(hedges).toBeLessThanOrEqual(1 + LIMIT * calls.length);
      }),
    );
  });

  test('is all used where hedges win', () => {
    expect(hedgesOf(10_000, 5000, () => true)).toBe(LIMIT * 5000);
  });

  test('falls to a twentieth where they never win, and comes back when they do', () => {
    expect(hedgesOf(20_000, 10_000, (hedge) => hedge < 100)).toBeLessThanOrEqual(0.06 * LIMIT * 10_000);
    const late = hedgesOf(20_000, 5000, (hedge) => hedge > 15);
    expect(late).toBeGreaterThan(0.9 * LIMIT * 5000);
  });

  test('lets a client with few calls hedge at once', () => {
    const share = new HedgeShare(LIMIT);
    share.called();
    expect([share.take(), share.take()]).toEqual([true, false]);
  });
});

describe('a plan with a share', () => {
  interface Placed {
    readonly kind: AttemptKind;
  }

  function setUp(share: HedgeShare) {
    const clock = new FakeClock();
    const placed: Placed[] = [];
    const hedge = { maxAttempts: 2, delay: () => 10, share, nonFatalCodes: new Set([14]) };
    const start = (): CallPlan<Placed> => {
      const owner: PlanOwner<Placed> = {
        place: (kind) => {
          placed.push({ kind });
          plan.placed(placed.at(-1)!);
        },
        unplace: () => {},
        cancel: () => {},
        committed: () => {},
        throttled: () => {},
        isExcused: () => false,
        finish: () => {},
        timeLeft: Infinity,
      };
      const environment = { clock, random: () => 0.5, throttle: undefined, budget: undefined };
      const plan: CallPlan<Placed> = new CallPlan({ hedge }, environment, owner);
      plan.start();
      return plan;
    };
    return { clock, placed, start };
  }

  const kindsOf = (placed: readonly Placed[]): AttemptKind[] => placed.map(({ kind }) => kind);

  test('does not hedge a late call when the share is used up', () => {
    const { clock, placed, start } = setUp(new HedgeShare(LIMIT));
    start();
    start();
    clock.advance(10);
    expect(kindsOf(placed)).toEqual(['first', 'first', 'hedge']);
  });

  test('replaces a failed attempt even so', () => {
    const { clock, placed, start } = setUp(new HedgeShare(0));
    start();
    const plan = start();
    clock.advance(10);
    plan.ended(placed[1], { code: 14, progress: 'processed' });
    expect(kindsOf(placed)).toEqual(['first', 'first', 'hedge', 'hedge']);
  });

  test.each([
    ['the hedge', 1, [true]],
    ['the first attempt', 0, [false]],
  ])('says once that %s was faster', (_, winner, expected) => {
    const said: boolean[] = [];
    const share = new HedgeShare(LIMIT);
    share.ended = (won) => void said.push(won);
    const { clock, placed, start } = setUp(share);
    const plan = start();
    clock.advance(10);
    plan.responded(placed[winner]!);
    plan.ended(placed[winner], { code: 0, progress: 'processed' });
    expect(said).toEqual(expected);
  });

  test('says nothing about calls without a hedge', () => {
    const share = new HedgeShare(LIMIT);
    share.ended = () => expect.unreachable();
    const { placed, start } = setUp(share);
    start().ended(placed[0], { code: 0, progress: 'processed' });
  });
});
