import { describe, expect, test } from 'vitest';
import { FakeClock } from '../../../../../test/support/time/fake-clock.js';
import { seededRandom } from '../random.js';
import { MethodLatency } from './method-latency.js';
import { coarseTime } from './coarse-time.js';
import { Distances, ShortestLatency } from './distances.js';
import { PeakLatency } from './peak-latency.js';
import { RecentQuantile } from './recent-quantile.js';
import { RelativeLatency } from './relative-latency.js';
import { ReportedLag } from './reported-lag.js';
import { ReportedLoad } from './reported-load.js';
import { RunningMean } from './running-mean.js';

function report(namedMetrics: Record<string, number>) {
  return { cpuUtilization: 0, applicationUtilization: 0, rps: 0, eps: 0, namedMetrics };
}

test('coarse time advances in steps of ten milliseconds', () => {
  const clock = new FakeClock(123.4);
  expect(coarseTime(clock)).toBe(120);
  clock.advance(6.5);
  expect(coarseTime(clock)).toBe(120);
  clock.advance(0.2);
  expect(coarseTime(clock)).toBe(130);
});

describe('PeakLatency', () => {
  test('jumps to a peak, and decays as in Finagle', () => {
    const latency = new PeakLatency(10_000);
    expect(latency.known).toBe(false);
    latency.record(100, 0);
    expect(latency.read(0)).toBe(100);
    // cost·e^(−Δt/τ) + rtt·(1 − e^(−Δt/τ))
    latency.record(20, 5000);
    const left = Math.exp(-0.5);
    expect(latency.read(5000)).toBeCloseTo(100 * left + 20 * (1 - left), 12);
    latency.record(300, 5000);
    expect(latency.read(5000)).toBe(300);
  });

  test('decays by the time of the read, and reading does not change it', () => {
    const latency = new PeakLatency(1000);
    latency.record(50, 0);
    for (let i = 0; i < 3; i++) expect(latency.read(1000)).toBeCloseTo(50 / Math.E, 12);
    expect(latency.read(0)).toBe(50);
  });

  test('at a time before the last measurement is that of the measurement', () => {
    const latency = new PeakLatency(1000);
    latency.record(50, 1007);
    expect(latency.read(1000)).toBe(50);
  });
});

describe('RelativeLatency', () => {
  test('is 1 without history, and after a long silence', () => {
    const latency = new RelativeLatency();
    expect(latency.read(0)).toBe(1);
    for (let i = 0; i < 100; i++) latency.record(10, i * 10);
    expect(latency.read(1000)).toBeGreaterThan(5);
    expect(latency.read(60_000)).toBeCloseTo(1, 3);
  });

  test('is what was assumed until there are responses, which count as beside four of those', () => {
    const latency = new RelativeLatency();
    for (let i = 0; i < 100; i++) latency.record(9, 0);
    latency.assume(1.5, 0);
    expect(latency.read(0)).toBe(1.5);
    latency.record(1, 0);
    expect(latency.read(0)).toBeCloseTo((4 * 1.5 + 1) / 5, 12);
  });

  test('is the mean of the responses and of four assumed usual ones', () => {
    const latency = new RelativeLatency();
    latency.record(2, 0);
    expect(latency.read(0)).toBeCloseTo((4 * 1 + 2) / 5, 12);
    for (let i = 0; i < 5; i++) latency.record(2, 0);
    expect(latency.read(0)).toBeCloseTo((4 * 1 + 6 * 2) / 10, 12);
  });

  test('counts a confirmation as four more responses, less the more of the calls are those of this client', () => {
    const added = (callsPerSecond: number): number => {
      const latency = new RelativeLatency();
      latency.record(1, 0);
      // By then one call in a window of two seconds.
      latency.record(2, 60_000, { ratio: 10, callsPerSecond });
      return latency.read(60_000);
    };
    expect(added(1e9)).toBeCloseTo((4 * 1 + 2 + 4 * 10) / 9, 6);
    expect(added(2)).toBeCloseTo((4 * 1 + 2 + 2 * 10) / 7, 6);
    for (const least of [1, 0.1]) expect(added(least)).toBeCloseTo((4 * 1 + 2) / 5, 6);
  });

  test('counts no confirmation of a client that has just begun, nor of one that makes all calls', () => {
    for (const rate of [1, 10, 100]) {
      const [latency, alone] = [new RelativeLatency(), new RelativeLatency()];
      for (let i = 0; i < 5 * rate; i++) {
        const now = (i * 1000) / rate;
        latency.record(2, now, { ratio: 10, callsPerSecond: rate });
        alone.record(2, now);
        expect(latency.read(now)).toBe(alone.read(now));
      }
    }
  });

  test('counts a confirmation once, and less than a hundred times the usual latency', () => {
    const latency = new RelativeLatency();
    latency.record(1, 0);
    latency.record(2, 60_000, { ratio: 10, callsPerSecond: 1e9 });
    const before = latency.read(60_000);
    latency.record(1, 60_000);
    expect(latency.read(60_000)).toBeCloseTo(before + (1 - before) / 6, 12);
    latency.record(2, 60_000, { ratio: 1e300, callsPerSecond: 1e9 });
    expect(latency.read(60_000)).toBeLessThan(100);
    // On a clock that has gone back nothing is known of the client's share.
    latency.record(2, -1, { ratio: 1e300, callsPerSecond: 1 });
    expect(latency.read(-1)).toBeLessThan(60);
  });

  test('forgets its response count with a time constant of two seconds: after a silence a response counts as much as the first', () => {
    const latency = new RelativeLatency();
    for (let i = 0; i < 100; i++) latency.record(1, 0);
    latency.record(6, 60_000);
    expect(latency.read(60_000)).toBeCloseTo(2, 6);
  });

  test('adapts in the same time at any response rate', () => {
    for (const rate of [10, 1000]) {
      const latency = new RelativeLatency();
      for (let i = 0; i < 10 * rate; i++) latency.record(1, (i * 1000) / rate);
      for (let i = 0; i < 4 * rate; i++) latency.record(3, 10_000 + (i * 1000) / rate);
      expect(latency.read(14_000)).toBeGreaterThan(2.2);
      expect(latency.read(14_000)).toBeLessThan(2.8);
    }
  });

  test('is less affected by the same noise with many responses than with few', () => {
    const random = seededRandom(3);
    const spread = (rate: number): number => {
      const latency = new RelativeLatency();
      const seen: number[] = [];
      for (let i = 0; i < 2000; i++) {
        latency.record(-Math.log(1 - random()), (i * 1000) / rate);
        if (i > 1000) seen.push(Math.abs(latency.read((i * 1000) / rate) - 1));
      }
      return seen.reduce((sum, each) => sum + each, 0) / seen.length;
    };
    expect(spread(100)).toBeLessThan(0.1);
    // Two responses in a window, next to four assumed usual ones.
    expect(spread(1)).toBeLessThan(0.25);
  });

  test('decays to 1 with a time constant of five seconds, before a new response too', () => {
    const [read, learns] = [new RelativeLatency(), new RelativeLatency()];
    for (let i = 0; i < 50; i++) {
      read.record(9, i * 100);
      learns.record(9, i * 100);
    }
    const at = 4900;
    const faded = 1 + (read.read(at) - 1) * Math.exp(-2);
    expect(read.read(at + 10_000)).toBeCloseTo(faded, 12);
    learns.record(1, at + 10_000);
    const since = learns.read(at + 10_000);
    expect(since).toBeLessThan(faded);
    expect(since).toBeGreaterThan(1);
  });

  test('does not decay on a clock that goes back', () => {
    const latency = new RelativeLatency();
    latency.record(6, 10_000);
    expect(latency.read(0)).toBeCloseTo(2, 12);
    latency.record(6, 0);
    expect(latency.read(0)).toBeCloseTo(2 + 4 / 6, 12);
  });

  test('caps a response at a hundred times the usual', () => {
    const latency = new RelativeLatency();
    latency.record(1e300, 0);
    expect(latency.read(0)).toBeCloseTo((4 + 100) / 5, 12);
  });

  test('never drops so low that calls in flight stop counting', () => {
    const latency = new RelativeLatency();
    for (let i = 0; i < 5000; i++) latency.record(0, 0);
    expect(latency.read(0)).toBe(0.05);
  });
});

describe('ShortestLatency', () => {
  test('is that of all calls so far, and rises by 0.02 ms a second', () => {
    const shortest = new ShortestLatency();
    expect(shortest.value).toBe(Infinity);
    shortest.record(5, 1000);
    shortest.record(3, 1000);
    shortest.record(9, 2000);
    expect(shortest.value).toBeCloseTo(3.02, 12);
    // The clock has gone back.
    shortest.record(9, 1000);
    expect(shortest.value).toBeCloseTo(3.02, 12);
  });
});

describe('Distances', () => {
  /** The excuse of an endpoint whose calls take `extra` ms longer than those of the nearest, which take from 10 ms on. */
  function excuse(extra: number, spread: number, calls = 10_000): number {
    const distances = new Distances();
    const [near, far] = [new ShortestLatency(), new ShortestLatency()];
    const record = (endpoint: ShortestLatency, latency: number): void => {
      endpoint.record(latency, 0);
      distances.record(latency, 0);
    };
    for (let i = 0; i < calls; i++) {
      record(near, 10 + spread * (i % 3));
      record(far, 10 + spread * (i % 3) + extra);
    }
    expect(distances.excuse(near)).toBe(0);
    return distances.excuse(far);
  }

  test('excuse a few milliseconds in any case', () => {
    expect(excuse(2, 0)).toBeCloseTo(2, 9);
    expect(excuse(4, 0)).toBe(3);
    expect(excuse(8, 20, 3)).toBe(3);
  });

  test('excuse more where calls differ by more, and half of that at most', () => {
    expect(excuse(8, 20)).toBeCloseTo(8, 1);
    // The mean is 20 + 40 / 2 above the shortest.
    expect(excuse(40, 20)).toBeCloseTo(20, 0);
  });

  test('do not excuse an endpoint that has not answered yet', () => {
    const distances = new Distances();
    distances.record(10, 0);
    expect(distances.excuse(new ShortestLatency())).toBe(0);
  });
});

describe('RunningMean', () => {
  test('is the mean of the first fifty values, and then moves by a fiftieth of the difference', () => {
    const mean = new RunningMean();
    expect([mean.known, mean.value]).toEqual([false, 0]);
    for (let i = 1; i <= 50; i++) mean.record(i);
    expect([mean.known, mean.value]).toEqual([true, expect.closeTo(25.5, 9)]);
    mean.record(75.5);
    expect(mean.value).toBeCloseTo(26.5, 9);
  });
});

describe('MethodLatency', () => {
  test('rates the first call of a method as usual, and later ones by the mean', () => {
    const methods = new MethodLatency();
    expect(methods.ratio('/a', 70)).toBe(1);
    methods.record('/a', 10);
    methods.record('/a', 30);
    expect(methods.ratio('/a', 40)).toBe(2);
    expect(methods.ratio('/b', 40)).toBe(1);
  });

  test('moves the mean by a fiftieth of the difference after fifty responses', () => {
    const methods = new MethodLatency();
    for (let i = 0; i < 100; i++) methods.record('/a', 10);
    methods.record('/a', 60);
    expect(methods.ratio('/a', 11)).toBeCloseTo(1, 12);
  });

  test('does not divide zero by zero', () => {
    const methods = new MethodLatency();
    methods.record('/a', 0);
    expect(methods.ratio('/a', 5)).toBe(1);
  });

  test('distinguishes at most a thousand methods, whatever names are called', () => {
    const methods = new MethodLatency();
    for (let i = 0; i < 5000; i++) methods.record(`/made.up/${i}`, i < 1000 ? 10 : 1000);
    expect(methods.ratio('/made.up/7', 20)).toBe(2);
    expect(methods.ratio('/made.up/4000', 1000)).toBe(1);
    expect(methods.ratio('/made.up/4001', 2000)).toBe(2);
  });
});

describe('ReportedLoad', () => {
  test('is the load of other clients: own calls do not count', () => {
    const load = new ReportedLoad(new RunningMean());
    load.record(report({ in_flight: 10 }), 4, 0);
    expect(load.others(0)).toBe(6);
    load.record(report({ in_flight: 3 }), 4, 0);
    expect(load.others(0)).toBe(0);
  });

  test('decays to the mean of the backend in 200 ms, and that to the mean of all in 1.5 s', () => {
    const common = new RunningMean();
    const [load, other] = [new ReportedLoad(common), new ReportedLoad(common)];
    load.record(report({ in_flight: 8 }), 0, 0);
    load.record(report({ in_flight: 16 }), 0, 0);
    other.record(report({ in_flight: 0 }), 0, 0);
    const own = 8 + 8 / 8;
    const all = (8 + 16 + 0) / 3;
    expect(load.others(0)).toBe(16);
    const mean = all + (own - all) * Math.exp(-1);
    expect(load.others(1500)).toBeCloseTo(mean + (16 - mean) * Math.exp(-7.5), 12);
    expect(load.others(60_000)).toBeCloseTo(all, 12);
  });

  test('of a backend that reports nothing is the mean of all, and zero without any reports', () => {
    const common = new RunningMean();
    const silent = new ReportedLoad(common);
    expect(silent.others(0)).toBe(0);
    new ReportedLoad(common).record(report({ in_flight: 4 }), 0, 0);
    expect(silent.others(0)).toBe(4);
  });

  test('ignores a report without in_flight, and keeps the last one', () => {
    const load = new ReportedLoad(new RunningMean());
    load.record(report({ in_flight: 6 }), 0, 0);
    load.record(report({}), 0, 0);
    expect(load.others(0)).toBe(6);
  });
});

describe('ReportedLag', () => {
  const lag = (event_loop_lag_now_ms: number) => report({ event_loop_lag_now_ms });

  test('decays to the mean of all with a time constant of 50 ms', () => {
    const common = new RunningMean();
    const [one, other] = [new ReportedLag(common), new ReportedLag(common)];
    one.record(lag(30), 100);
    other.record(lag(10), 100);
    expect(one.read(100)).toBe(30);
    expect(one.read(150)).toBeCloseTo(20 + 10 / Math.E, 12);
    expect(other.read(10_000)).toBeCloseTo(20, 12);
  });

  test('of a backend that reports none is the mean of all, and zero without any reports', () => {
    const common = new RunningMean();
    const silent = new ReportedLag(common);
    silent.record(report({ in_flight: 5 }), 0);
    expect(silent.read(0)).toBe(0);
    new ReportedLag(common).record(lag(8), 0);
    expect(silent.read(0)).toBe(8);
  });

  test('is at least zero and at most ten seconds', () => {
    const common = new RunningMean();
    const wrong = new ReportedLag(common);
    wrong.record(lag(-5), 0);
    expect(wrong.read(0)).toBe(0);
    wrong.record(lag(1e12), 0);
    expect(wrong.read(0)).toBe(10_000);
  });
});

describe('RecentQuantile', () => {
  test('is above every value until there are values', () => {
    expect(new RecentQuantile(0.5, 10, 1).value).toBe(Infinity);
  });

  test('is that of the last values', () => {
    const quantile = new RecentQuantile(0.84, 100, 1);
    const random = seededRandom(1);
    for (let i = 0; i < 500; i++) quantile.add(1000 * random());
    const last = Array.from({ length: 100 }, (_, i) => i).toSorted(() => random() - 0.5);
    for (const value of last) quantile.add(value);
    expect(quantile.value).toBe(84);
  });

  test.each([
    [0, 1],
    [1, 4],
  ])('%d is the end of the range', (q, value) => {
    const quantile = new RecentQuantile(q, 4, 1);
    for (const each of [3, 1, 4, 2]) quantile.add(each);
    expect(quantile.value).toBe(value);
  });
});
