import { describe, expect, test } from 'vitest';
import { fill, type Host, hosts } from '../../../../../test/properties/hosts.js';
import { expectUniform, tally } from '../../../../../test/properties/statistics.js';
import { CALL, Route } from '../../../../../test/properties/traffic.js';
import { FakeClock } from '../../../../../test/support/time/fake-clock.js';
import { seededRandom } from '../random.js';
import { HotCold } from './hot-cold.js';
import type { LoadReport } from './load-report.js';
import type { Outcome } from './policy.js';

function took(latency: number, inFlight?: number): Outcome {
  const namedMetrics: LoadReport['namedMetrics'] = inFlight === undefined ? {} : { in_flight: inFlight };
  const report = { cpuUtilization: 0, applicationUtilization: 0, rps: 0, eps: 0, namedMetrics };
  return { latency, failed: false, cutShort: false, report };
}

function hotCold(options = {}): { policy: HotCold; clock: FakeClock } {
  const clock = new FakeClock();
  return { policy: new HotCold(options, seededRandom(1), clock), clock };
}

/** So that what is there now is what was seen lately. */
function look(policy: HotCold, candidates: readonly Host[]): void {
  for (let i = 0; i < 400; i++) policy.pick(candidates);
}

test('idle endpoints of which nothing is known are picked evenly', () => {
  const { policy } = hotCold();
  const candidates = hosts([0, 0, 0]);
  expectUniform(tally(3, 30_000, () => policy.pick(candidates)));
});

test('a hundred calls in one tick over four idle endpoints of which nothing is known are 25 each', () => {
  const candidates = hosts([0, 0, 0, 0]);
  fill(hotCold().policy, candidates, 100);
  expect(candidates.map(({ inFlight }) => inFlight)).toEqual([25, 25, 25, 25]);
});

describe('among those that are cold', () => {
  test('the fastest wins, though it has more in flight', () => {
    const { policy } = hotCold();
    const candidates = hosts([2, 0, 0, 5, 5, 5]);
    policy.learn(candidates[1]!, CALL, took(20));
    policy.learn(candidates[2]!, CALL, took(20));
    for (let i = 0; i < 10; i++) policy.learn(candidates[0]!, CALL, took(5));
    look(policy, candidates);
    expect(policy.chances(candidates)).toEqual([1, 0, 0, 0, 0, 0]);
  });

  test('one that fails does not, however idle it is, not even when all others are hot', () => {
    const { policy } = hotCold();
    const candidates = hosts([0, 3, 4, 5]);
    candidates[0]!.failureFactor = 2500;
    look(policy, candidates);
    expect(policy.chances(candidates)[0]).toBe(0);
    for (const candidate of candidates.slice(1)) candidate.inFlight = 50;
    expect(policy.chances(candidates)[0]).toBe(0);
  });
});

describe('one that is hot', () => {
  test('gets nothing while another is cold, however fast it is', () => {
    const { policy } = hotCold({ hotQuantile: 0.5 });
    const candidates = hosts([9, 1, 1]);
    for (const candidate of candidates.slice(1)) policy.learn(candidate, CALL, took(500));
    policy.learn(candidates[0]!, CALL, took(0.1));
    look(policy, candidates);
    expect(policy.chances(candidates)[0]).toBe(0);
  });

  test('is so by the calls of other clients too, which it reports', () => {
    const { policy } = hotCold({ hotQuantile: 0.5 });
    const candidates = hosts([0, 0, 0]);
    policy.learn(candidates[0]!, CALL, took(1, 40));
    policy.learn(candidates[1]!, CALL, took(20, 2));
    policy.learn(candidates[2]!, CALL, took(20, 2));
    look(policy, candidates);
    expect(policy.chances(candidates)[0]).toBe(0);
  });

  test('wins with the fewest calls when all are', () => {
    const { policy } = hotCold({ hotQuantile: 0 });
    const candidates = hosts([0, 0, 0]);
    look(policy, candidates);
    candidates.forEach((candidate, i) => (candidate.inFlight = [7, 5, 6][i]!));
    expect(policy.chances(candidates)).toEqual([0, 1, 0]);
  });
});

test('an endpoint with twice the weight may have twice as many calls before it is hot', () => {
  const { policy } = hotCold({ hotQuantile: 0.5 });
  const candidates = hosts([3, 3, 3, 3], [2, 1, 1, 1]);
  look(policy, hosts([1, 1, 2, 2]));
  expect(policy.chances(candidates)).toEqual([1, 0, 0, 0]);
});

test('of those that are cold one with twice the weight may have twice the load, not more', () => {
  const { policy } = hotCold({ hotQuantile: 1 });
  expect(policy.chances(hosts([3, 1], [2, 1]))).toEqual([1 / 2, 1 / 2]);
  expect(policy.chances(hosts([4, 1], [2, 1]))).toEqual([0, 1]);
  expect(policy.chances(hosts([2, 1], [2, 1]))).toEqual([1, 0]);
});

test('what a backend has reported gets old, and the backend is tried again', () => {
  const { policy, clock } = hotCold({ hotQuantile: 0.5 });
  const candidates = hosts([0, 0, 0]);
  for (const candidate of candidates.slice(1)) policy.learn(candidate, CALL, took(10, 2));
  policy.learn(candidates[0]!, CALL, took(10, 1000));
  look(policy, candidates);
  expect(policy.chances(candidates)[0]).toBe(0);
  for (let i = 0; i < 200; i++) {
    clock.advance(100);
    for (const candidate of candidates.slice(1)) policy.learn(candidate, CALL, took(10, 2));
    policy.pick(candidates);
  }
  for (const candidate of candidates.slice(1)) candidate.inFlight = 3;
  expect(policy.chances(candidates)).toEqual([1, 0, 0]);
});

test('a slow endpoint gets less, and its share again when it is fast again', () => {
  const { policy, clock } = hotCold();
  const random = seededRandom(3);
  const work = (): number => 5 + 10 * random();
  const traffic = new Route(
    policy,
    hosts([0, 0, 0, 0]),
    clock,
    (_host, i) => ({ latency: work() * (i ? 1 : 10) }),
    500,
  );
  traffic.run(5000);
  expect(traffic.run(10_000)[0]).toBeLessThan(0.05);
  traffic.answer = () => ({ latency: work() });
  traffic.run(10_000);
  expect(traffic.run(10_000)[0]).toBeGreaterThan(0.1);
});
