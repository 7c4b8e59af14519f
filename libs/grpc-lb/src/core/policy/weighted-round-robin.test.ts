import { describe, expect, test } from 'vitest';
import { type Host, hosts, scripted } from '../../../../../test/properties/hosts.js';
import { FakeClock } from '../../../../../test/support/time/fake-clock.js';
import type { WeightedRoundRobinConfig } from '../options/weighted-round-robin-options.js';
import { seededRandom } from '../random.js';
import type { LoadReport } from './load-report.js';
import { type Outcome, UNKNOWN_CALL } from './policy.js';
import { WeightedRoundRobin } from './weighted-round-robin.js';
import type { WeightsUpdate } from './weights-update.js';

type Options = Omit<WeightedRoundRobinConfig, 'name'>;

const reportOf = (report: Partial<LoadReport>): LoadReport => ({
  cpuUtilization: 0,
  applicationUtilization: 0,
  rps: 0,
  eps: 0,
  namedMetrics: {},
  ...report,
});

const outcome = (report: LoadReport): Outcome => ({ latency: 1, failed: false, cutShort: false, report });

class Bench {
  readonly clock = new FakeClock();
  readonly policy: WeightedRoundRobin;
  readonly list: Host[];

  constructor(n: number, options: Options = {}, start = 0) {
    this.policy = new WeightedRoundRobin(options, scripted(start), this.clock);
    this.list = hosts(Array.from({ length: n }, () => 0));
  }

  /** Reports by trailer: requests a second at this utilization for each endpoint. */
  trailers(...reports: (Partial<LoadReport> | undefined)[]): void {
    reports.forEach((report, i) => {
      if (report) this.policy.learn(this.list[i]!, UNKNOWN_CALL, outcome(reportOf(report)));
    });
  }

  outOfBand(...reports: Partial<LoadReport>[]): void {
    reports.forEach((report, i) => this.policy.report(this.list[i]!, reportOf(report)));
  }

  shares(calls = 6000): number[] {
    const counts = this.list.map(() => 0);
    for (let i = 0; i < calls; i++) counts[this.policy.pick(this.list)]!++;
    return counts.map((count) => count / calls);
  }

  expectShares(expected: readonly number[]): void {
    this.policy.chances(this.list).forEach((chance, i) => expect(chance).toBeCloseTo(expected[i]!, 3));
    this.shares().forEach((share, i) => expect(share).toBeCloseTo(expected[i]!, 2));
  }
}

const EVEN = [1 / 3, 1 / 3, 1 / 3];
/** Weights of 100 / 0.5 = 200, and 100 / 0.25 = 400. */
const BUSY = { rps: 100, applicationUtilization: 0.5 };
const FREE = { rps: 100, applicationUtilization: 0.25 };

describe('weighted round robin by report', () => {
  describe('by other metrics', () => {
    const metrics = ['named_metrics.queue.length', 'utilization.disk', 'mem_utilization'];
    const shares = (...reports: Partial<LoadReport>[]): number[] => {
      const bench = new Bench(2, { blackoutPeriod: 0, metricNamesForComputingUtilization: metrics });
      bench.trailers(...reports.map((report) => ({ rps: 100, cpuUtilization: 0.5, ...report })));
      return bench.policy.chances(bench.list).map((share) => Number(share.toFixed(3)));
    };

    test.each([
      ['a named metric, split on the first dot', { namedMetrics: { 'queue.length': 0.25 } }],
      ['an entry of utilization', { utilization: { disk: 0.25 } }],
      ['the memory', { memUtilization: 0.25 }],
      ['the greatest of them', { memUtilization: 0.1, utilization: { disk: 0.25 } }],
      ['application_utilization, which comes first', { applicationUtilization: 0.25, memUtilization: 0.9 }],
    ])('%s is used in place of the CPU', (_, free) => {
      expect(shares({}, free)).toEqual([0.333, 0.667]);
    });

    test.each([
      ['another metric', { namedMetrics: { queue: 0.25 } }],
      ['zero', { memUtilization: 0 }],
      ['NaN', { utilization: { disk: NaN } }],
      ['infinity', { memUtilization: Infinity }],
    ])('%s is not', (_, same) => {
      expect(shares({}, same)).toEqual([0.5, 0.5]);
    });
  });

  test('is plain round robin from a random start until endpoints report', () => {
    const bench = new Bench(3, {}, 0.5);
    expect(Array.from({ length: 6 }, () => bench.policy.pick(bench.list))).toEqual([2, 0, 1, 2, 0, 1]);
  });

  test('uses weights only after the blackout period', () => {
    const bench = new Bench(3);
    bench.trailers(BUSY, FREE, FREE);
    bench.clock.advance(9999);
    bench.trailers(BUSY, FREE, FREE);
    bench.expectShares(EVEN);
    bench.clock.advance(1000);
    bench.expectShares([0.2, 0.4, 0.4]);
  });

  test('gives an endpoint without a report the mean of the others: grpc-js 1.14 gives it no calls', () => {
    const bench = new Bench(3, { blackoutPeriod: 0 });
    bench.trailers(BUSY, FREE);
    // 200, 400, and their mean of 300.
    bench.expectShares([2 / 9, 4 / 9, 3 / 9]);
  });

  test('stays plain round robin with a single weight', () => {
    const bench = new Bench(3, { blackoutPeriod: 0 });
    bench.trailers(FREE);
    bench.expectShares(EVEN);
  });

  test('uses cpu_utilization if there is no application_utilization: grpc-js 1.14 ignores it', () => {
    const bench = new Bench(2, { blackoutPeriod: 0 });
    bench.trailers({ rps: 100, cpuUtilization: 0.5 }, { rps: 100, cpuUtilization: 0.9, applicationUtilization: 0.25 });
    bench.expectShares([1 / 3, 2 / 3]);
  });

  test('rates an endpoint with errors as busier by the error penalty', () => {
    // 100 / (0.5 + 50 / 100 * p)
    const failing = { ...BUSY, eps: 50 };
    const bench = new Bench(2, { blackoutPeriod: 0 });
    bench.trailers(BUSY, failing);
    bench.expectShares([2 / 3, 1 / 3]);
    const harsh = new Bench(2, { blackoutPeriod: 0, errorUtilizationPenalty: 3 });
    harsh.trailers(BUSY, failing);
    harsh.expectShares([4 / 5, 1 / 5]);
    const blind = new Bench(2, { blackoutPeriod: 0, errorUtilizationPenalty: 0 });
    blind.trailers(BUSY, failing);
    blind.expectShares([1 / 2, 1 / 2]);
  });

  test('ignores a report without requests or without utilization', () => {
    const bench = new Bench(2, { blackoutPeriod: 0 });
    bench.trailers(BUSY, FREE);
    bench.trailers({ rps: 0, applicationUtilization: 1 }, { rps: 50 });
    bench.trailers({ rps: 1e308, applicationUtilization: 1e-308 }, { rps: NaN, applicationUtilization: 1 });
    bench.clock.advance(1000);
    bench.expectShares([1 / 3, 2 / 3]);
  });

  test('expires a weight without reports, and restarts its blackout period', () => {
    const bench = new Bench(3);
    bench.trailers(BUSY, FREE, FREE);
    bench.clock.advance(10_000);
    bench.trailers(FREE, FREE);
    bench.clock.advance(170_000);
    // The third is stale, and takes the mean of 400 and 400.
    bench.expectShares(EVEN);
    bench.trailers(BUSY, FREE, BUSY);
    bench.clock.advance(9000);
    // The third would weigh 200, but is in its blackout: it gets the mean of 200 and 400.
    bench.expectShares([2 / 9, 4 / 9, 3 / 9]);
    bench.clock.advance(1000);
    bench.expectShares([1 / 4, 2 / 4, 1 / 4]);
  });

  test('restarts the blackout of an endpoint that comes back, and uses its weight once it reports', () => {
    const bench = new Bench(3);
    bench.trailers(BUSY, FREE, FREE);
    bench.clock.advance(10_000);
    bench.expectShares([0.2, 0.4, 0.4]);
    bench.policy.ready(bench.list[2]!);
    bench.clock.advance(1000);
    bench.trailers(undefined, undefined, BUSY);
    bench.expectShares([2 / 9, 4 / 9, 3 / 9]);
    bench.clock.advance(10_000);
    bench.expectShares([1 / 4, 2 / 4, 1 / 4]);
  });

  test('keeps an endpoint that comes back without reports at the mean', () => {
    const bench = new Bench(3);
    bench.trailers(BUSY, FREE, FREE);
    bench.clock.advance(10_000);
    bench.policy.ready(bench.list[2]!);
    bench.clock.advance(60_000);
    bench.expectShares([2 / 9, 4 / 9, 3 / 9]);
  });

  test('updates weights once in the update period, and at once for a new list', () => {
    const bench = new Bench(2, { blackoutPeriod: 0, weightUpdatePeriod: 5000 });
    bench.trailers(BUSY, FREE);
    bench.expectShares([1 / 3, 2 / 3]);
    bench.trailers(FREE, FREE);
    bench.clock.advance(4999);
    bench.expectShares([1 / 3, 2 / 3]);
    expect(bench.policy.chances([...bench.list])).toEqual([1 / 2, 1 / 2]);
    bench.clock.advance(1);
    bench.expectShares([1 / 2, 1 / 2]);
  });

  test('keeps the schedules of alternating lists', () => {
    const bench = new Bench(3, { blackoutPeriod: 0 });
    bench.trailers(BUSY, FREE, FREE);
    const others = bench.list.slice(1);
    for (let i = 0; i < 100; i++) {
      bench.policy.pick(bench.list);
      bench.policy.pick(others);
    }
    bench.trailers(FREE, BUSY, BUSY);
    expect(bench.policy.chances(bench.list)[0]).toBeCloseTo(0.2, 3);
  });

  test('uses reports by trailer or out of band, never both', () => {
    const perCall = new Bench(2, { blackoutPeriod: 0 });
    perCall.outOfBand(BUSY, FREE);
    perCall.expectShares([1 / 2, 1 / 2]);
    expect(perCall.policy.reportInterval).toBeUndefined();

    const outOfBand = new Bench(2, { blackoutPeriod: 0, enableOobLoadReport: true, oobReportingPeriod: 500 });
    outOfBand.trailers(BUSY, FREE);
    outOfBand.expectShares([1 / 2, 1 / 2]);
    outOfBand.outOfBand(BUSY, FREE);
    outOfBand.clock.advance(1000);
    outOfBand.expectShares([1 / 3, 2 / 3]);
    expect(outOfBand.policy.reportInterval).toBe(500);
    expect(new Bench(1, { enableOobLoadReport: true }).policy.reportInterval).toBe(10_000);
  });

  test.each([{ weights: 'fixed' }, { enableOobLoadReport: true }] as const)(
    'reports in trailers are not read where they do not count (%j)',
    (config) => {
      let read = 0;
      const ending = {
        latency: 1,
        failed: false,
        cutShort: false,
        get report() {
          read++;
          return reportOf(BUSY);
        },
      };
      const policy = new WeightedRoundRobin(config, seededRandom(1), new FakeClock());
      policy.learn(hosts([0])[0]!, { method: '/a/B', stream: false } as never, ending);
      expect(read).toBe(0);
      new WeightedRoundRobin({}, seededRandom(1), new FakeClock()).learn(hosts([0])[0]!, {} as never, ending);
      expect(read).toBe(1);
    },
  );

  test('ignores weights from discovery', () => {
    const policy = new WeightedRoundRobin({}, seededRandom(1), new FakeClock());
    expect(policy.chances(hosts([0, 0], [3, 1]))).toEqual([1 / 2, 1 / 2]);
  });

  test('continues at the same position with new weights, so that no endpoint is always first', () => {
    const bench = new Bench(4, { weightUpdatePeriod: 100 });
    const counts = [0, 0, 0, 0];
    for (let i = 0; i < 400; i++) {
      counts[bench.policy.pick(bench.list)]!++;
      bench.clock.advance(100);
    }
    expect(counts).toEqual([100, 100, 100, 100]);
  });

  test('sends calls to all of a thousand endpoints of very different weights', () => {
    const bench = new Bench(1000, { blackoutPeriod: 0 });
    bench.trailers(...bench.list.map((_, i) => ({ rps: i === 0 ? 100_000 : 100, applicationUtilization: 0.5 })));
    const counts = bench.shares(40_000);
    // 1000 of 1999 calls go to the strong one.
    expect(counts[0]).toBeCloseTo(1000 / 1999, 2);
    expect(Math.min(...counts)).toBeGreaterThan(0);
  });
});

describe('weighted round robin by fixed weights', () => {
  test('uses the weights from discovery, and no reports', () => {
    const policy = new WeightedRoundRobin({ weights: 'fixed' }, scripted(0), new FakeClock());
    const list = hosts([0, 0, 0], [1, 2, 3]);
    policy.learn(list[0]!, UNKNOWN_CALL, outcome(reportOf(FREE)));
    expect(Array.from({ length: 12 }, () => policy.pick(list))).toEqual([1, 2, 2, 0, 1, 2, 1, 2, 2, 0, 1, 2]);
  });

  test('picks endpoints of equal weight in turn', () => {
    const policy = new WeightedRoundRobin({ weights: 'fixed' }, scripted(0), new FakeClock());
    const list = hosts([0, 0, 0], [5, 5, 5]);
    expect(Array.from({ length: 4 }, () => policy.pick(list))).toEqual([0, 1, 2, 0]);
  });
});

test('each update of the weights is told, with what was missing (gRFC A78)', () => {
  const clock = new FakeClock();
  const told: WeightsUpdate[] = [];
  const options = { blackoutPeriod: 0, weightExpirationPeriod: 5000, weightUpdatePeriod: 1000 };
  const policy = new WeightedRoundRobin(options, scripted(0), clock, (update) => told.push(update));
  const list = hosts([0, 0, 0]);
  const report = (i: number, load: Partial<LoadReport>): void =>
    policy.learn(list[i]!, UNKNOWN_CALL, outcome(reportOf(load)));
  const pick = (): unknown => policy.pick(list);
  pick();
  pick();
  expect(told.splice(0)).toEqual([{ weights: [0, 0, 0], notYetUsable: 3, stale: 0, fallback: true }]);
  report(0, BUSY);
  clock.advance(1000);
  report(1, FREE);
  pick();
  expect(told.splice(0)).toEqual([{ weights: [200, 400, 0], notYetUsable: 1, stale: 0, fallback: false }]);
  clock.advance(4000);
  pick();
  expect(told).toEqual([{ weights: [0, 400, 0], notYetUsable: 1, stale: 1, fallback: true }]);
});

test('fixed weights have no updates to tell', () => {
  const policy = new WeightedRoundRobin({ weights: 'fixed' }, scripted(0), new FakeClock(), () => {
    throw new Error('there is none');
  });
  policy.pick(hosts([0, 0]));
});
