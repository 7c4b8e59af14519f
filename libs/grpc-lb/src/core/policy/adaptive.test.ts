import { describe, expect, test } from 'vitest';
import { fill, type Host, hosts, scripted } from '../../../../../test/properties/hosts.js';
import { expectUniform, tally } from '../../../../../test/properties/statistics.js';
import { CALL, CallLoop } from '../../../../../test/properties/call-loop.js';
import { FakeClock } from '../../../../../test/support/time/fake-clock.js';
import { seededRandom } from '../random.js';
import { Adaptive } from './adaptive.js';
import type { LoadReport } from './load-report.js';
import type { CallInfo, Outcome } from './policy.js';

const SEARCH: CallInfo = { method: '/orders.v1.Orders/Search', stream: false };
const WATCH: CallInfo = { method: '/orders.v1.Orders/Watch', stream: true };

const took = (latency: number, more: Partial<Outcome> = {}): Outcome => ({
  latency,
  failed: false,
  cutShort: false,
  ...more,
});

function report(namedMetrics: LoadReport['namedMetrics']): LoadReport {
  return { cpuUtilization: 0, applicationUtilization: 0, rps: 0, eps: 0, namedMetrics };
}

/** A policy with its own clock. */
function adaptive(seed = 1): { policy: Adaptive; clock: FakeClock } {
  const clock = new FakeClock();
  return { policy: new Adaptive(seededRandom(seed), clock), clock };
}

describe('without history', () => {
  test('acts as least request: a hundred calls in one tick over four idle endpoints are 25 each', () => {
    const candidates = hosts([0, 0, 0, 0]);
    fill(adaptive().policy, candidates, 100);
    expect(candidates.map(({ inFlight }) => inFlight)).toEqual([25, 25, 25, 25]);
  });

  test('picks idle endpoints evenly at any position', () => {
    const { policy } = adaptive();
    const candidates = hosts([0, 1, 0, 0]);
    const counts = tally(4, 30_000, () => policy.pick(candidates));
    expectUniform([counts[0]!, counts[2]!, counts[3]!]);
    expect(counts[1]).toBe(0);
  });

  test('and with nearly equal latencies, spreads sequential calls over all endpoints', () => {
    const { policy, clock } = adaptive();
    const random = seededRandom(5);
    // 0.2 calls in flight on average, and latencies within 10 %.
    const loop = new CallLoop(policy, hosts([0, 0, 0, 0]), clock, () => ({ latency: 9 + 2 * random() }), 20);
    loop.run(10_000);
    for (const share of loop.run(60_000)) expect(share).toBeGreaterThan(0.2);
  });

  test('an endpoint is rated as the mean, neither avoided nor flooded', () => {
    const { policy, clock } = adaptive();
    const candidates = hosts([0, 0, 0]);
    for (let i = 0; i < 100; i++) {
      clock.advance(10);
      policy.learn(candidates[i % 2]!, CALL, took(20));
    }
    clock.advance(10);
    expect(policy.chances(candidates)).toEqual([1 / 3, 1 / 3, 1 / 3]);
  });

  test('a single endpoint gets all calls', () => {
    const policy = new Adaptive(scripted(), new FakeClock());
    expect(policy.pick(hosts([7]))).toBe(0);
    expect(policy.chances(hosts([7]))).toEqual([1]);
  });
});

describe('the score', () => {
  test('multiplies calls in flight with latency^1.5, factor for failures, and the inverse of the weight', () => {
    const { policy } = adaptive();
    // (1 + 1) · 1, (0 + 1) · 2, (3 + 1) / 2: all equal.
    const candidates = hosts([1, 0, 3], [1, 1, 2]);
    candidates[1]!.failureFactor = 2;
    expect(policy.chances(candidates)).toEqual([1 / 3, 1 / 3, 1 / 3]);
    candidates[2]!.inFlight--;
    expect(policy.chances(candidates)).toEqual([0, 0, 1]);
  });

  test('an endpoint that takes four times as long as usual is worth an eighth', () => {
    const { policy, clock } = adaptive();
    const candidates = hosts([0, 0]);
    const [slow, usual] = candidates as [Host, Host];
    // Only successful calls move the mean of the method.
    policy.learn(usual, CALL, took(10));
    for (let i = 0; i < 1000; i++) {
      clock.advance(10);
      policy.learn(slow, CALL, took(40, { cutShort: true }));
      policy.learn(usual, CALL, took(10));
    }
    // A little less than four times: four assumed usual responses are averaged in, and the whole decays.
    usual.inFlight = 4;
    expect(policy.chances(candidates)).toEqual([0, 1]);
    usual.inFlight = 8;
    expect(policy.chances(candidates)).toEqual([1, 0]);
  });
});

describe('a slow endpoint', () => {
  test('gets less than in proportion to its speed, and its full share again within twenty seconds', () => {
    const { policy, clock } = adaptive();
    const random = seededRandom(5);
    const work = (): number => 5 + 10 * random();
    const slow = (_host: unknown, index: number): { latency: number } => ({ latency: work() * (index === 0 ? 10 : 1) });
    const loop = new CallLoop(policy, hosts([0, 0, 0, 0, 0]), clock, slow, 500);
    loop.run(5000);
    const [share] = loop.run(10_000);
    expect(share).toBeLessThan(0.03);
    expect(share).toBeGreaterThan(0);

    loop.answer = () => ({ latency: work() });
    loop.run(17_000);
    const back = Array.from({ length: 3 }, () => loop.run(1000)[0]!);
    for (const regained of back) expect(regained).toBeGreaterThan(0.15);
  });

  test('is distinguished from a busy one with few calls in flight', () => {
    const { policy, clock } = adaptive();
    const slow = (_host: unknown, index: number): { latency: number } => ({ latency: index === 0 ? 60 : 20 });
    // Mostly one call in flight: least request would give all of them the same share.
    const loop = new CallLoop(policy, hosts([0, 0, 0, 0, 0]), clock, slow, 30);
    loop.run(10_000);
    expect(loop.run(60_000)[0]).toBeLessThan(0.06);
  });
});

describe('latency', () => {
  test('of a slow method does not make its backend look slow', () => {
    const { policy, clock } = adaptive();
    const candidates = hosts([0, 0]);
    for (let i = 0; i < 200; i++) {
      clock.advance(10);
      policy.learn(candidates[0]!, CALL, took(1));
      policy.learn(candidates[1]!, SEARCH, took(500));
    }
    expect(policy.chances(candidates)).toEqual([1 / 2, 1 / 2]);
  });

  test('of a mixture of methods is a fair measure: the slow backend is found, and only that', () => {
    const { policy, clock } = adaptive();
    const loop = new CallLoop(
      policy,
      hosts([0, 0, 0, 0]),
      clock,
      (_host, index, { method }) => ({ latency: (method === SEARCH.method ? 200 : 5) * (index === 3 ? 5 : 1) }),
      300,
      (random) => (random() < 0.1 ? SEARCH : CALL),
    );
    loop.run(10_000);
    const shares = loop.run(20_000);
    expect(shares[3]).toBeLessThan(0.06);
    for (const share of shares.slice(0, 3)) expect(share).toBeGreaterThan(0.27);
  });

  test('of a stream or a failure is ignored', () => {
    const { policy, clock } = adaptive();
    const candidates = hosts([0, 0]);
    policy.learn(candidates[0]!, CALL, took(10));
    policy.learn(candidates[1]!, CALL, took(10));
    for (let i = 0; i < 50; i++) {
      clock.advance(100);
      policy.learn(candidates[0]!, WATCH, took(1_000_000));
      policy.learn(candidates[0]!, CALL, took(5000, { failed: true }));
      policy.learn(candidates[1]!, CALL, took(0.1, { failed: true }));
    }
    expect(policy.chances(candidates)).toEqual([1 / 2, 1 / 2]);
  });

  test('of a call that was cut short counts only if it is already long', () => {
    const { policy, clock } = adaptive();
    const candidates = hosts([0, 0]);
    for (const candidate of candidates) policy.learn(candidate, CALL, took(10));
    clock.advance(1000);
    policy.learn(candidates[0]!, CALL, took(0.1, { cutShort: true }));
    expect(policy.chances(candidates)).toEqual([1 / 2, 1 / 2]);
    policy.learn(candidates[0]!, CALL, took(2000, { cutShort: true }));
    expect(policy.chances(candidates)).toEqual([0, 1]);
  });

  test('of zero, as on a stopped clock, does no harm', () => {
    const { policy } = adaptive();
    const candidates = hosts([0, 0]);
    for (const candidate of candidates) policy.learn(candidate, CALL, took(0));
    expect(policy.chances(candidates)).toEqual([1 / 2, 1 / 2]);
  });
});

describe('distance', () => {
  const NEAR = 0.7;
  const FAR = 1.7;

  /** Three replicas that work for 0.7 ms on average, of which the first is 1 ms nearer. */
  const quick = (random: () => number) => (_host: unknown, index: number) => ({
    latency: (index === 0 ? NEAR : FAR) - 0.7 * Math.log(1 - random()),
  });

  test.each([20, 200, 2000])('of a millisecond does not decide where %d quick calls a second go', (rate) => {
    for (const seed of [1, 2, 3]) {
      const { policy, clock } = adaptive(seed);
      const loop = new CallLoop(policy, hosts([0, 0, 0]), clock, quick(seededRandom(seed + 10)), rate);
      loop.run(5000);
      const shares = loop.run(rate === 20 ? 120_000 : 20_000);
      expect(Math.max(...shares)).toBeLessThan(1.5 / 3);
    }
  });

  test('does not hide a backend that is as near and slower', () => {
    const { policy, clock } = adaptive();
    const random = seededRandom(3);
    const slow = (_host: unknown, index: number) => ({
      latency: NEAR - (index === 0 ? 3 : 1) * Math.log(1 - random()),
    });
    const loop = new CallLoop(policy, hosts([0, 0, 0]), clock, slow, 200);
    loop.run(5000);
    expect(loop.run(30_000)[0]).toBeLessThan(0.1);
  });

  test('is excused in part where calls always take as long, so that a backend three times slower is avoided', () => {
    const { policy, clock } = adaptive();
    const constant = (_host: unknown, index: number) => ({ latency: index === 0 ? 90 : 30 });
    const loop = new CallLoop(policy, hosts([0, 0, 0]), clock, constant, 20);
    loop.run(10_000);
    expect(loop.run(60_000)[0]).toBeLessThan(0.06);
  });
});

describe('a newcomer', () => {
  /** Two endpoints that are known, and one that joins later. */
  function joined(): { policy: Adaptive; clock: FakeClock; candidates: Host[] } {
    const { policy, clock } = adaptive();
    const candidates = hosts([0, 0, 0]);
    policy.members(candidates.slice(0, 2));
    for (const founder of candidates.slice(0, 2)) policy.ready(founder);
    for (const founder of candidates.slice(0, 2)) policy.learn(founder, CALL, took(20));
    policy.members(candidates);
    policy.ready(candidates[2]!);
    return { policy, clock, candidates };
  }

  test('gets calls when the others are busy', () => {
    const { policy, candidates } = joined();
    expect(policy.chances(candidates)).toEqual([1 / 2, 1 / 2, 0]);
    candidates[0]!.inFlight = candidates[1]!.inFlight = 1;
    expect(policy.chances(candidates)).toEqual([0, 0, 1]);
  });

  test('is one of them after at most fifteen seconds, and sooner if it answers as they do', () => {
    const { policy, clock, candidates } = joined();
    clock.advance(15_000);
    expect(policy.chances(candidates)).toEqual([1 / 3, 1 / 3, 1 / 3]);

    const answering = joined();
    for (let i = 0; i < 60; i++) answering.policy.learn(answering.candidates[2]!, CALL, took(20));
    expect(answering.policy.chances(answering.candidates)).toEqual([1 / 3, 1 / 3, 1 / 3]);
  });

  test('is also one that is back: the process may be another', () => {
    const { policy, candidates } = joined();
    policy.ready(candidates[0]!);
    expect(policy.chances(candidates)).toEqual([0, 1, 0]);
  });

  test('is none of the first list, however late it connects', () => {
    const { policy } = adaptive();
    const candidates = hosts([0, 0]);
    policy.members(candidates);
    policy.ready(candidates[0]!);
    policy.learn(candidates[0]!, CALL, took(20));
    policy.ready(candidates[1]!);
    expect(policy.chances(candidates)).toEqual([1 / 2, 1 / 2]);
  });
});

describe('the load that backends report', () => {
  /** Two backends, of which others have that many calls in flight at the first, and that mean at both. */
  function reporting(inFlight: number, mean: number): { policy: Adaptive; candidates: Host[] } {
    const { policy } = adaptive();
    const candidates = hosts([0, 0]);
    const reports = (host: Host, value: number): void =>
      policy.learn(host, CALL, took(10, { report: report({ in_flight: value }) }));
    for (let i = 0; i < 1000; i++) reports(candidates[1]!, mean);
    reports(candidates[0]!, inFlight);
    return { policy, candidates };
  }

  test('decides between otherwise equal backends, and where they have many calls outweighs none of this client', () => {
    const { policy, candidates } = reporting(1e9, 1e5);
    expect(policy.chances(candidates)).toEqual([0, 1]);
    // The limit is hardly more than one call.
    candidates[1]!.inFlight = 1;
    candidates[1]!.weight = 1.001;
    expect(policy.chances(candidates)).toEqual([0, 1]);
    candidates[1]!.weight = 0.999;
    expect(policy.chances(candidates)).toEqual([1, 0]);
  });

  test('weighs twice as much where backends have no calls in flight, as those with few slots', () => {
    const { policy, candidates } = reporting(30, 0);
    candidates[1]!.inFlight = 1;
    expect(policy.chances(candidates)).toEqual([0, 1]);
    candidates[1]!.inFlight = 2;
    expect(policy.chances(candidates)).toEqual([1, 0]);
  });

  test('counts relative to the mean: ten more calls count a lot against one, and little against a hundred', () => {
    const load = (base: number): number[] => {
      const { policy } = adaptive();
      const candidates = hosts([0, 0]);
      for (let i = 0; i < 100; i++) {
        policy.learn(candidates[0]!, CALL, took(10, { report: report({ in_flight: base + 10 }) }));
        policy.learn(candidates[1]!, CALL, took(10, { report: report({ in_flight: base }) }));
      }
      // Measures the score indirectly: which weight of the busier one compensates for its report?
      return [1.05, 1.2].map((weight) => {
        const [busy, other] = candidates as [Host, Host];
        busy.weight = weight;
        return policy.chances([busy, other])[0]!;
      });
    };
    expect(load(1)).toEqual([0, 0]);
    expect(load(100)).toEqual([1, 1]);
  });

  test('expires: a backend that once had many calls is not avoided for long', () => {
    const { policy, clock } = adaptive();
    const candidates = hosts([0, 0]);
    policy.learn(candidates[1]!, CALL, took(10, { report: report({ in_flight: 5 }) }));
    policy.learn(candidates[0]!, CALL, took(10, { report: report({ in_flight: 50 }) }));
    expect(policy.chances(candidates)).toEqual([0, 1]);
    clock.advance(500);
    policy.learn(candidates[0]!, CALL, took(10, { report: report({ in_flight: 4 }) }));
    expect(policy.chances(candidates)).toEqual([1, 0]);
    // Without new reports all count as the mean.
    clock.advance(120_000);
    expect(policy.chances(candidates)).toEqual([1 / 2, 1 / 2]);
  });

  test('of their event loop keeps calls away from a blocked backend, but only while it is recent', () => {
    const { policy, clock } = adaptive();
    const candidates = hosts([0, 0]);
    policy.learn(candidates[0]!, CALL, took(10, { report: report({ event_loop_lag_now_ms: 20 }) }));
    policy.learn(candidates[1]!, CALL, took(10, { report: report({ event_loop_lag_now_ms: 1 }) }));
    expect(policy.chances(candidates)).toEqual([0, 1]);
    // Even with the calls of other clients it does not outweigh one call of this client.
    policy.learn(candidates[0]!, CALL, took(10, { report: report({ event_loop_lag_now_ms: 9000, in_flight: 1e9 }) }));
    candidates[1]!.inFlight = 2;
    expect(policy.chances(candidates)).toEqual([1, 0]);
    candidates[1]!.inFlight = 0;
    clock.advance(120_000);
    expect(policy.chances(candidates)).toEqual([1 / 2, 1 / 2]);
  });

  test('that the calls of others take long as well confirms a slow call: the backend is avoided for longer', () => {
    const avoided = (call_duration_ms: number): number => {
      const { policy, clock } = adaptive();
      const candidates = hosts([0, 0]);
      const answer = (host: Host, latency: number, duration: number): void =>
        policy.learn(
          host,
          CALL,
          took(latency, {
            report: { ...report({ call_duration_ms: duration }), rps: host === candidates[0] ? 100 : 5 },
          }),
        );
      for (let i = 0; i < 200; i++) answer(candidates[0]!, 20, 20);
      answer(candidates[1]!, 20, 20);
      clock.advance(30_000);
      answer(candidates[1]!, 60, call_duration_ms);
      const since = clock.now();
      while (policy.chances(candidates)[1] === 0) {
        clock.advance(100);
        answer(candidates[0]!, 20, 20);
      }
      return clock.now() - since;
    };
    expect(avoided(20)).toBeGreaterThan(5000);
    expect(avoided(200)).toBeGreaterThan(1.8 * avoided(20));
    // A backend that does not report it is rated by its own calls.
    expect(avoided(NaN)).toBe(avoided(20));
  });

  test('from the calls of this client is not counted twice', () => {
    const { policy } = adaptive();
    const candidates = hosts([3, 3]);
    policy.learn(candidates[0]!, CALL, took(10, { report: report({ in_flight: 3 }) }));
    policy.learn(candidates[1]!, CALL, took(10));
    expect(policy.chances(candidates)).toEqual([1 / 2, 1 / 2]);
  });
});

describe('concurrent calls of a measured call', () => {
  test('explain part of its latency: the same latency with four calls in flight is rated better than with one', () => {
    const { policy, clock } = adaptive();
    const candidates = hosts([0, 0, 0]);
    for (let i = 0; i < 500; i++) {
      clock.advance(10);
      candidates[0]!.inFlight = 3;
      policy.learn(candidates[0]!, CALL, took(30));
      candidates[0]!.inFlight = 0;
      policy.learn(candidates[1]!, CALL, took(30));
      policy.learn(candidates[2]!, CALL, took(10));
    }
    candidates[2]!.inFlight = 100;
    expect(policy.chances(candidates)).toEqual([1, 0, 0]);
  });

  test('count by weight: twice the weight with twice the calls is equally busy', () => {
    const { policy, clock } = adaptive();
    const candidates = hosts([3, 1], [2, 1]);
    for (let i = 0; i < 500; i++) {
      clock.advance(10);
      policy.learn(candidates[0]!, CALL, took(20));
      policy.learn(candidates[1]!, CALL, took(20));
    }
    expect(policy.chances(candidates)).toEqual([1 / 2, 1 / 2]);
  });
});

describe('a failing endpoint', () => {
  test('gets almost no calls while there is another one, however idle it is', () => {
    const { policy, clock } = adaptive();
    const candidates = hosts([0, 0, 0]);
    candidates[0]!.failureFactor = 2500;
    const loop = new CallLoop(policy, candidates, clock, () => ({ latency: 10 }), 1000);
    expect(loop.run(1000)[0]).toBe(0);
  });
});

describe('above a hundred endpoints', () => {
  test('five distinct ones are compared', () => {
    const { policy } = adaptive();
    const candidates = hosts(Array.from({ length: 200 }, (_, i) => i));
    expect(policy.chances(candidates)[0]).toBeCloseTo(5 / 200, 12);
    const picked = new Set(fill(policy, candidates, 50));
    // The four busiest can never win.
    for (const busiest of [196, 197, 198, 199]) expect(picked).not.toContain(busiest);
  });

  test('with unequal weights all are compared, so that the heavy ones are not missed', () => {
    const weights = Array.from({ length: 200 }, (_, i) => (i === 7 ? 1000 : 1));
    const { policy } = adaptive();
    expect(
      policy.pick(
        hosts(
          weights.map(() => 0),
          weights,
        ),
      ),
    ).toBe(7);
  });
});
