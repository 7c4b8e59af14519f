import * as fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { check } from '../../../../../test/properties/check.js';
import { FakeClock } from '../../../../../test/support/time/fake-clock.js';
import { CallPlan } from './call-plan.js';
import type { AttemptKind, PlanOwner } from './plan-owner.js';
import { HedgeShare } from './hedge-share.js';

const LIMIT = 0.03;
const ENDPOINTS = 8;

/** Calls to endpoints in turn. */
class Client {
  readonly share = new HedgeShare(LIMIT);
  readonly endpoints = Array.from({ length: ENDPOINTS }, () => ({}));
  hedges = 0;

  /** Whether a call to the endpoint is late, and whether its hedge wins. */
  run(calls: number, late: (endpoint: number, call: number) => boolean, wins: (hedge: number) => boolean): number {
    const before = this.hedges;
    for (let i = 0; i < calls; i++) {
      const index = i % ENDPOINTS;
      const endpoint = this.endpoints[index]!;
      this.share.called();
      this.share.sent(endpoint);
      if (!late(index, i)) continue;
      this.share.late(endpoint);
      if (this.share.take(endpoint)) this.share.ended(endpoint, wins(this.hedges++));
    }
    return this.hedges - before;
  }
}

const always = (): boolean => true;
const never = (): boolean => false;
const first = (endpoint: number): boolean => endpoint === 0;

describe('the share of hedges', () => {
  test('is never exceeded, apart from a few at once, whichever calls are late, and whatever hedges achieve', () => {
    const step = fc.record({ endpoint: fc.nat(2), late: fc.boolean(), wins: fc.boolean() });
    check(
      fc.property(fc.array(step, { maxLength: 2000 }), (calls) => {
        const share = new HedgeShare(LIMIT);
        const endpoints = [{}, {}, {}] as const;
        let hedges = 0;
        for (const { endpoint: index, late, wins } of calls) {
          const endpoint = endpoints[index]!;
          share.called();
          share.sent(endpoint);
          if (!late) continue;
          share.late(endpoint);
          if (!share.take(endpoint)) continue;
          hedges++;
          share.ended(endpoint, wins);
        }
        expect(hedges).toBeLessThanOrEqual(1 + LIMIT * calls.length + 1e-6);
      }),
    );
  });

  test('is all used for an endpoint that is late unlike the others, where hedges win', () => {
    const client = new Client();
    client.run(5000, first, always);
    expect(client.run(5000, first, always)).toBeCloseTo(LIMIT * 5000, -1);
  });

  test('falls to a twentieth where they never win, and comes back when they do', () => {
    const client = new Client();
    client.run(10_000, first, (hedge) => hedge < 100);
    expect(client.run(10_000, first, never)).toBeLessThanOrEqual(0.06 * LIMIT * 10_000);
    client.run(20_000, first, always);
    expect(client.run(5000, first, always)).toBeGreaterThan(0.9 * LIMIT * 5000);
  });

  test.each([
    ['all endpoints are late', () => true],
    ['now and then a call to any of them is', (_: number, call: number) => call % 21 === 0],
  ])('is a twentieth if %s, although hedges win', (_, late) => {
    const client = new Client();
    client.run(2000, late, always);
    expect(client.run(10_000, late, always)).toBeLessThanOrEqual(0.06 * LIMIT * 10_000);
  });

  test('goes to a client with few calls at once, when the first calls to an endpoint are late', () => {
    const client = new Client();
    expect(client.run(ENDPOINTS, first, always)).toBe(1);
    // Many calls to the others, and few of the late one: it is not forgotten.
    const { share, endpoints } = client;
    for (let i = 0; i < 100; i++) {
      share.called();
      share.sent(endpoints[1 + (i % 7)]!);
    }
    share.sent(endpoints[0]!);
    share.late(endpoints[0]!);
    expect(share.take(endpoints[0]!)).toBe(true);
  });

  test('ends for an endpoint that is late no more', () => {
    const client = new Client();
    client.run(500, first, always);
    client.run(500, never, always);
    client.run(500, (endpoint, call) => endpoint === 0 && call === 400, always);
    const { share, endpoints } = client;
    share.late(endpoints[0]!);
    const trials = [share.take(endpoints[0]!), share.take(endpoints[0]!), share.take(endpoints[0]!)];
    expect(trials).toContain(false);
  });
});

describe('a plan with a share', () => {
  interface Placed {
    readonly kind: AttemptKind;
  }

  function setUp(share: HedgeShare) {
    const clock = new FakeClock();
    const placed: Placed[] = [];
    const endpoint = {};
    const hedgesWait = { now: false };
    const hedge = { maxAttempts: 2, delay: () => 10, share, nonFatalCodes: new Set([14]) };
    const start = (): CallPlan<Placed> => {
      const owner: PlanOwner<Placed> = {
        place: (kind) => {
          if (kind === 'hedge' && hedgesWait.now) return;
          placed.push({ kind });
          plan.placed(placed.at(-1)!);
        },
        unplace: () => {},
        cancel: () => {},
        committed: () => {},
        throttled: () => {},
        isExcused: () => false,
        endpointOf: () => endpoint,
        finish: () => {},
        timeLeft: Infinity,
      };
      const environment = { clock, random: () => 0.5, throttle: undefined, budget: undefined };
      const plan: CallPlan<Placed> = new CallPlan({ hedge }, environment, owner);
      plan.start();
      return plan;
    };
    return { clock, placed, start, hedgesWait };
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
    share.ended = (_endpoint, won) => void said.push(won);
    const { clock, placed, start } = setUp(share);
    const plan = start();
    clock.advance(10);
    plan.responded(placed[winner]!);
    plan.ended(placed[winner], { code: 0, progress: 'processed' });
    expect(said).toEqual(expected);
  });

  test.each([
    ['has no endpoint', { code: 14, progress: 'exhausted' as const }],
    ['still waits for its credentials', undefined],
  ])('says nothing about a hedge that %s: it has not lost', (_, end) => {
    const share = new HedgeShare(LIMIT);
    share.ended = () => expect.unreachable();
    const { clock, placed, start, hedgesWait } = setUp(share);
    hedgesWait.now = true;
    const plan = start();
    clock.advance(10);
    if (end) plan.ended(undefined, end);
    plan.responded(placed[0]!);
    plan.ended(placed[0], { code: 0, progress: 'processed' });
    expect(kindsOf(placed)).toEqual(['first']);
  });

  test('says nothing about calls without a hedge', () => {
    const share = new HedgeShare(LIMIT);
    share.ended = () => expect.unreachable();
    const { placed, start } = setUp(share);
    start().ended(placed[0], { code: 0, progress: 'processed' });
  });
});
