import * as fc from 'fast-check';
import { expect, test } from 'vitest';
import { CallThrottle, type ThrottleState } from '../../libs/grpc-lb/src/core/call/call-throttle.js';
import { FakeClock } from '../../libs/grpc-lb/src/testing/fake-clock.js';
import { check } from './check.js';

/**
 * A model that keeps every event, and counts them anew for each question: the SRE book's formula over windows of twelve
 * slices, of which the shortest counts that has twenty requests.
 */
class Model {
  state: ThrottleState = 'closed';
  #share = 0;
  #passedAt = -Infinity;
  #stepEnd = 0;
  #step = { accepted: 0, rejected: 0 };
  #events: { readonly at: number; readonly accepted: boolean }[] = [];
  readonly #asked: { readonly at: number; readonly rank: number }[] = [];

  constructor(
    private readonly multiplier: number,
    private readonly longest: number,
  ) {}

  #windows(): number[] {
    return [...[3000, 12_000].filter((each) => each < this.longest), this.longest];
  }

  /** Events of the present slice and the eleven before. */
  #within<E extends { readonly at: number }>(events: readonly E[], window: number, now: number): E[] {
    const slice = (at: number): number => Math.floor((at * 12) / window);
    return events.filter(({ at }) => slice(at) > slice(now) - 12);
  }

  counts(now: number): { requests: number; accepts: number; window: number } {
    const all = this.#windows().map((window) => {
      const events = this.#within(this.#events, window, now);
      return { requests: events.length, accepts: events.filter(({ accepted }) => accepted).length, window };
    });
    return all.find(({ requests }) => requests >= 20) ?? all.at(-1)!;
  }

  #wanted(now: number): number {
    const { requests, accepts } = this.counts(now);
    const excess = requests - this.multiplier * accepts;
    return excess < 10 ? 1 : 1 - excess / (requests + 1);
  }

  #refusedShare(rank: number, share: number, now: number): number {
    const asked = this.#within(this.#asked, this.counts(now).window, now);
    // All calls of the usual criticality: there is nothing to tell apart.
    if (this.#asked.every((each) => each.rank === 2)) return share;
    const lower = asked.filter((each) => each.rank < rank).length;
    const own = asked.filter((each) => each.rank === rank).length;
    return own === 0 ? share : Math.min(1, Math.max(0, (share * asked.length - lower) / own));
  }

  admits(rank: number, draw: number, now: number): boolean {
    if (this.state !== 'closed' && now >= this.#stepEnd) this.#endStep(now);
    if (rank !== 2 || this.#asked.some((each) => each.rank !== 2)) this.#asked.push({ at: now, rank });
    const wanted = this.#wanted(now);
    if (wanted >= 1) {
      this.state = 'closed';
      return true;
    }
    if (this.state === 'closed') {
      this.state = 'open';
      this.#share = 0;
      this.#passedAt = now;
      this.#step = { accepted: 0, rejected: 0 };
      this.#stepEnd = now + 500;
    }
    const refused = this.#refusedShare(rank, 1 - Math.max(wanted, this.#share), now);
    if (now - this.#passedAt < 1000 && draw < refused) {
      this.#events.push({ at: now, accepted: false });
      return false;
    }
    this.#passedAt = now;
    return true;
  }

  ended(accepted: boolean, now: number): void {
    this.#events.push({ at: now, accepted });
    if (accepted) this.#step.accepted++;
    else this.#step.rejected++;
  }

  #endStep(now: number): void {
    const { accepted, rejected } = this.#step;
    this.#stepEnd = now + 500;
    if (accepted + rejected === 0) return;
    this.#step = { accepted: 0, rejected: 0 };
    if (accepted + rejected > this.multiplier * accepted) {
      this.state = 'open';
      this.#share = 0;
    } else if (rejected <= 0.05 * (accepted + rejected)) {
      this.state = 'half_open';
      this.#share = Math.max(0.05, 2 * Math.max(this.#share, this.#wanted(now)));
      if (this.#share >= 1) this.#events = [];
    }
  }
}

type Step =
  | { readonly kind: 'call'; readonly rank: number; readonly draw: number }
  | { readonly kind: 'end'; readonly verdict: 'accepted' | 'rejected' | 'unknown' }
  | { readonly kind: 'burst'; readonly count: number; readonly accepts: boolean; readonly gap: number }
  | { readonly kind: 'wait'; readonly ms: number };

const step: fc.Arbitrary<Step> = fc.oneof(
  fc.record({
    kind: fc.constant('call' as const),
    rank: fc.constantFrom(0, 1, 2, 2, 2, 3),
    draw: fc.double({ min: 0, max: 0.999, noNaN: true }),
  }),
  fc.record({ kind: fc.constant('end' as const), verdict: fc.constantFrom('accepted', 'rejected', 'unknown') }),
  fc.record({
    kind: fc.constant('burst' as const),
    count: fc.integer({ min: 1, max: 60 }),
    accepts: fc.boolean(),
    gap: fc.constantFrom(0, 5, 60, 500),
  }),
  fc.record({ kind: fc.constant('wait' as const), ms: fc.constantFrom(1, 250, 499, 500, 1000, 3000, 20_000, 300_000) }),
);

const setup = fc.record({
  multiplier: fc.constantFrom(1, 1.5, 2, 3),
  window: fc.constantFrom(1000, 3000, 10_000, 120_000),
  steps: fc.array(step, { maxLength: 60 }),
});

test('the throttle does what a model does that forgets nothing', () => {
  let opened = 0;
  const property = fc.property(setup, ({ multiplier, window, steps }) => {
    const clock = new FakeClock(1_000_000);
    let draw = 0;
    const rule = { multiplier, window, rejectionCodes: new Set([14]) };
    const changes: ThrottleState[] = [];
    const throttle = new CallThrottle(
      rule,
      clock,
      () => draw,
      (each) => changes.push(each.state),
    );
    const model = new Model(multiplier, window);
    let refused = 0;
    const call = (rank: number, at: number): boolean => {
      draw = at;
      const passes = throttle.admits(rank);
      expect(passes).toBe(model.admits(rank, at, clock.now()));
      if (!passes) refused++;
      return passes;
    };
    const end = (verdict: 'accepted' | 'rejected' | 'unknown'): void => {
      throttle.ended(verdict);
      if (verdict !== 'unknown') model.ended(verdict === 'accepted', clock.now());
    };
    for (const each of steps) {
      if (each.kind === 'call') call(each.rank, each.draw);
      else if (each.kind === 'end') end(each.verdict);
      else if (each.kind === 'wait') clock.advance(each.ms);
      else
        for (let i = 0; i < each.count; i++) {
          if (call(2, (i * 0.37) % 1)) end(each.accepts ? 'accepted' : 'rejected');
          clock.advance(each.gap);
        }
      expect(throttle.counts).toEqual(model.counts(clock.now()));
      expect(throttle.refused).toBe(refused);
    }
    // It says only changes.
    expect(changes).toEqual(changes.map((_, i) => (i % 2 === 0 ? 'open' : 'closed')));
    if (changes.length > 0) opened++;
  });
  check(property, 500);
  expect(opened).toBeGreaterThan(100);
});

test('whatever happens, a second after backends accept everything one call passes, and after 15 s all do', () => {
  const property = fc.property(setup, fc.integer({ min: 1, max: 50 }), ({ multiplier, window, steps }, perSecond) => {
    const clock = new FakeClock(1_000_000);
    const rule = { multiplier: Math.max(1.5, multiplier), window, rejectionCodes: new Set([14]) };
    const throttle = new CallThrottle(rule, clock, () => 0);
    for (const each of steps) {
      if (each.kind === 'wait') clock.advance(Math.min(each.ms, 3000));
      else if (throttle.admits(2)) throttle.ended('rejected');
    }
    let lastPassed = clock.now();
    const until = clock.now() + 15_000;
    while (clock.now() < until) {
      if (throttle.admits(2)) {
        lastPassed = clock.now();
        throttle.ended('accepted');
      }
      expect(clock.now() - lastPassed).toBeLessThanOrEqual(1000 + 1000 / perSecond);
      clock.advance(1000 / perSecond);
    }
    for (let i = 0; i < 10; i++) expect(throttle.admits(2)).toBe(true);
  });
  check(property, 200);
});
