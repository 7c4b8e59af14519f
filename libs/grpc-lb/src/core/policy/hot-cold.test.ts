import { describe, expect, test } from 'vitest';
import { fill, type Host, hosts } from '../../../../../test/properties/hosts.js';
import { expectUniform, tally } from '../../../../../test/properties/statistics.js';
import { CALL, CallLoop } from '../../../../../test/properties/call-loop.js';
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

/** Makes the current load the recently observed one. */
function look(policy: HotCold, candidates: readonly Host[]): void {
  for (let i = 0; i < 400; i++) policy.pick(candidates);
}

test('idle endpoints without history are picked evenly', () => {
  const { policy } = hotCold();
  const candidates = hosts([0, 0, 0]);
  expectUniform(tally(3, 30_000, () => policy.pick(candidates)));
});

test('a hundred calls in one tick over four idle endpoints without history are 25 each', () => {
  const candidates = hosts([0, 0, 0, 0]);
  fill(hotCold().policy, candidates, 100);
  expect(candidates.map(({ inFlight }) => inFlight)).toEqual([25, 25, 25, 25]);
});

describe('among cold endpoints', () => {
  test('the fastest wins, though it has more in flight', () => {
    const { policy } = hotCold();
    const candidates = hosts([2, 0, 0, 5, 5, 5]);
    policy.learn(candidates[1]!, CALL, took(20));
    policy.learn(candidates[2]!, CALL, took(20));
    for (let i = 0; i < 10; i++) policy.learn(candidates[0]!, CALL, took(5));
    look(policy, candidates);
    expect(policy.chances(candidates)).toEqual([1, 0, 0, 0, 0, 0]);
  });

  test('a failing one does not win, however idle it is, even if all others are hot', () => {
    const { policy } = hotCold();
    const candidates = hosts([0, 3, 4, 5]);
    candidates[0]!.failureFactor = 2500;
    look(policy, candidates);
    expect(policy.chances(candidates)[0]).toBe(0);
    for (const candidate of candidates.slice(1)) candidate.inFlight = 50;
    expect(policy.chances(candidates)[0]).toBe(0);
  });
});

describe('a hot endpoint', () => {
  test('gets no calls while another one is cold, however fast it is', () => {
    const { policy } = hotCold({ hotQuantile: 0.5 });
    const candidates = hosts([9, 1, 1]);
    for (const candidate of candidates.slice(1)) policy.learn(candidate, CALL, took(500));
    policy.learn(candidates[0]!, CALL, took(0.1));
    look(policy, candidates);
    expect(policy.chances(candidates)[0]).toBe(0);
  });

  test('may be hot from reported calls of other clients', () => {
    const { policy } = hotCold({ hotQuantile: 0.5 });
    const candidates = hosts([0, 0, 0]);
    policy.learn(candidates[0]!, CALL, took(1, 40));
    policy.learn(candidates[1]!, CALL, took(20, 2));
    policy.learn(candidates[2]!, CALL, took(20, 2));
    look(policy, candidates);
    expect(policy.chances(candidates)[0]).toBe(0);
  });

  test('wins with the fewest calls if all are hot', () => {
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

test('a cold endpoint with twice the weight may have twice the load, not more', () => {
  const { policy } = hotCold({ hotQuantile: 1 });
  expect(policy.chances(hosts([3, 1], [2, 1]))).toEqual([1 / 2, 1 / 2]);
  expect(policy.chances(hosts([4, 1], [2, 1]))).toEqual([0, 1]);
  expect(policy.chances(hosts([2, 1], [2, 1]))).toEqual([1, 0]);
});

test('the report of a backend expires, and the backend is tried again', () => {
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

test('a slow endpoint gets less, and gets its share back when it is fast again', () => {
  const { policy, clock } = hotCold();
  const random = seededRandom(3);
  const work = (): number => 5 + 10 * random();
  const loop = new CallLoop(
    policy,
    hosts([0, 0, 0, 0]),
    clock,
    (_host, i) => ({ latency: work() * (i ? 1 : 10) }),
    500,
  );
  loop.run(5000);
  expect(loop.run(10_000)[0]).toBeLessThan(0.05);
  loop.answer = () => ({ latency: work() });
  loop.run(10_000);
  expect(loop.run(10_000)[0]).toBeGreaterThan(0.1);
});
