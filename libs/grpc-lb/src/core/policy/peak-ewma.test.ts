import { describe, expect, test } from 'vitest';
import { fill, hosts } from '../../../../../test/properties/hosts.js';
import { expectUniform, tally } from '../../../../../test/properties/statistics.js';
import { CALL, CallLoop } from '../../../../../test/properties/call-loop.js';
import { FakeClock } from '../../../../../test/support/time/fake-clock.js';
import { seededRandom } from '../random.js';
import { PeakEwma } from './peak-ewma.js';
import type { Outcome } from './policy.js';

const took = (latency: number, more: Partial<Outcome> = {}): Outcome => ({
  latency,
  failed: false,
  cutShort: false,
  ...more,
});

function peakEwma(options = {}): { policy: PeakEwma; clock: FakeClock } {
  const clock = new FakeClock();
  return { policy: new PeakEwma(options, seededRandom(1), clock), clock };
}

test('without history acts as least request: a hundred calls in one tick over four idle endpoints are 25 each', () => {
  const candidates = hosts([0, 0, 0, 0]);
  fill(peakEwma().policy, candidates, 100);
  expect(candidates.map(({ inFlight }) => inFlight)).toEqual([25, 25, 25, 25]);
});

test('idle endpoints with the same latency are picked evenly', () => {
  const { policy, clock } = peakEwma();
  const candidates = hosts([0, 0, 0]);
  for (const candidate of candidates) policy.learn(candidate, CALL, took(20));
  clock.advance(500);
  expectUniform(tally(3, 30_000, () => policy.pick(candidates)));
});

test('the lowest product of latency, calls in flight and failure factor over the weight wins', () => {
  const { policy } = peakEwma();
  // 30 · 2, 20 · 3, 60 · 2 / 2, 40 · 1 · 1.5
  const candidates = hosts([1, 2, 1, 0], [1, 1, 2, 1]);
  candidates[3]!.failureFactor = 1.5;
  [30, 20, 60, 40].forEach((latency, i) => policy.learn(candidates[i]!, CALL, took(latency)));
  expect(policy.chances(candidates)).toEqual([1 / 4, 1 / 4, 1 / 4, 1 / 4]);
  candidates[0]!.inFlight = 2;
  expect(policy.chances(candidates)).toEqual([0, 1 / 3, 1 / 3, 1 / 3]);
});

describe('a peak', () => {
  test('counts at once, and decays within the decay time', () => {
    for (const decayTime of [1000, 10_000]) {
      const { policy, clock } = peakEwma({ decayTime });
      const candidates = hosts([0, 0]);
      for (const candidate of candidates) policy.learn(candidate, CALL, took(10));
      policy.learn(candidates[0]!, CALL, took(100));
      expect(policy.chances(candidates)).toEqual([0, 1]);
      // e^−1 of it is left, 37, while the other one still takes 10.
      candidates[1]!.inFlight = 3;
      clock.advance(decayTime);
      policy.learn(candidates[1]!, CALL, took(10));
      expect(policy.chances(candidates)).toEqual([1, 0]);
      candidates[1]!.inFlight = 2;
      expect(policy.chances(candidates)).toEqual([0, 1]);
    }
  });

  test('of a failed or abandoned call counts too, but a fast one does not lower the latency', () => {
    const { policy } = peakEwma();
    const candidates = hosts([0, 0]);
    for (const candidate of candidates) policy.learn(candidate, CALL, took(10));
    policy.learn(candidates[0]!, CALL, took(0.1, { failed: true }));
    policy.learn(candidates[0]!, CALL, took(0.1, { cutShort: true }));
    expect(policy.chances(candidates)).toEqual([1 / 2, 1 / 2]);
    policy.learn(candidates[0]!, CALL, took(1000, { failed: true }));
    policy.learn(candidates[1]!, CALL, took(500, { cutShort: true }));
    expect(policy.chances(candidates)).toEqual([0, 1]);
  });

  test('of a stream is ignored', () => {
    const { policy } = peakEwma();
    const candidates = hosts([0, 0]);
    for (const candidate of candidates) policy.learn(candidate, CALL, took(10));
    policy.learn(candidates[0]!, { ...CALL, stream: true }, took(1e9));
    expect(policy.chances(candidates)).toEqual([1 / 2, 1 / 2]);
  });
});

test('an endpoint without history has the usual latency', () => {
  const { policy } = peakEwma();
  const candidates = hosts([0, 0, 0]);
  policy.learn(candidates[0]!, CALL, took(10));
  policy.learn(candidates[1]!, CALL, took(30));
  // Both count half in the mean of the first two.
  expect(policy.chances(candidates)).toEqual([1, 0, 0]);
  candidates[0]!.inFlight = 2;
  expect(policy.chances(candidates)).toEqual([0, 0, 1]);
});

test('an endpoint without history does not look fast after a call that failed or was abandoned at once', () => {
  const { policy } = peakEwma();
  const candidates = hosts([0, 0]);
  policy.learn(candidates[1]!, CALL, took(1, { cutShort: true }));
  policy.learn(candidates[1]!, CALL, took(1, { failed: true }));
  policy.learn(candidates[0]!, CALL, took(20));
  policy.learn(candidates[1]!, CALL, took(1, { cutShort: true }));
  expect(policy.chances(candidates)).toEqual([1 / 2, 1 / 2]);
  // The call would have taken even longer.
  policy.learn(candidates[1]!, CALL, took(21, { cutShort: true }));
  expect(policy.chances(candidates)).toEqual([1, 0]);
});

test('a failing endpoint costs at least the usual latency, however fast it was', () => {
  const { policy } = peakEwma();
  const candidates = hosts([0, 0]);
  policy.learn(candidates[0]!, CALL, took(4));
  policy.learn(candidates[1]!, CALL, took(20));
  expect(policy.chances(candidates)).toEqual([1, 0]);
  // 12 · 2 against 20; by its own latency it would be 4 · 2.
  candidates[0]!.failureFactor = 2;
  expect(policy.chances(candidates)).toEqual([0, 1]);
  expect(policy.pick(candidates)).toBe(1);
  // Without failures it is as fast as before.
  candidates[0]!.failureFactor = 1;
  expect(policy.chances(candidates)).toEqual([1, 0]);
});

test('after days without calls, calls in flight still count', () => {
  const { policy, clock } = peakEwma();
  const candidates = hosts([0, 0, 0, 0]);
  candidates.forEach((candidate, i) => policy.learn(candidate, CALL, took(10 + i)));
  clock.advance(3 * 86_400_000);
  fill(policy, candidates, 100);
  expect(candidates.map(({ inFlight }) => inFlight)).toEqual([25, 25, 25, 25]);
});

test('a slow endpoint gets less, and gets its share back when it is fast again', () => {
  const { policy, clock } = peakEwma();
  const slow = (_host: unknown, index: number): { latency: number } => ({ latency: index === 0 ? 100 : 10 });
  const loop = new CallLoop(policy, hosts([0, 0, 0, 0]), clock, slow, 500);
  loop.run(5000);
  expect(loop.run(10_000)[0]).toBeLessThan(0.05);
  loop.answer = () => ({ latency: 10 });
  loop.run(40_000);
  expect(loop.run(10_000)[0]).toBeGreaterThan(0.15);
});
