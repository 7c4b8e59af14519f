import { describe, expect, test } from 'vitest';
import { seededRandom } from '../random.js';
import { Spillover } from './spillover.js';

const OPTIONS = { minCrossZoneShare: 0.01, spillRatio: 1.5, spillUtilization: false } as const;
const EVEN = 2 / 3;

interface Side {
  readonly latency?: number;
  /** The fraction of the calls that fails. */
  readonly failing?: number;
  /** The fraction of the calls that never ends. */
  readonly open?: number;
  /** What its endpoints report; undefined for nothing. */
  readonly utilization?: number;
}

/** A hundred calls a second to both zones as configured; returns the share at the end. */
function run(spillover: Spillover, seconds: number, own: Side, others: Side, from = 0): number {
  const random = seededRandom(3);
  for (let now = from; now < from + 1000 * seconds; now += 10) {
    const local = random() >= spillover.share(0, EVEN);
    const { latency = 10, failing = 0, open = 0, utilization } = local ? own : others;
    spillover.started(local, now);
    const fails = random() < failing;
    if (random() >= open) spillover.ended(local, latency * (0.5 + random()), fails);
    if (utilization !== undefined) spillover.reported(local, utilization);
  }
  return spillover.share(0, EVEN);
}

describe('by load', () => {
  test('only the reference calls leave a zone that is as fast as the others', () => {
    expect(run(new Spillover(OPTIONS), 60, {}, {})).toBe(0.01);
  });

  test('a zone within the ratio keeps its calls, and one beyond it gradually loses them', () => {
    expect(run(new Spillover(OPTIONS), 60, { latency: 14 }, {})).toBe(0.01);
    expect(run(new Spillover(OPTIONS), 60, { latency: 30 }, {})).toBeGreaterThan(0.5);
    expect(run(new Spillover({ ...OPTIONS, spillRatio: 5 }), 60, { latency: 30 }, {})).toBe(0.01);
  });

  test('the last calls stay as a reference, however slow the zone is, and bring the others back', () => {
    const spillover = new Spillover(OPTIONS);
    expect(run(spillover, 60, { latency: 1000 }, {})).toBe(0.99);
    expect(run(spillover, 90, {}, {}, 60_000)).toBe(0.01);
  });

  test.each([
    ['calls that fail', { failing: 0.5 }],
    ['calls that hang', { open: 0.5 }],
    ['no answer at all', { open: 1 }],
  ])('%s make a zone slow', (_, own) => {
    expect(run(new Spillover(OPTIONS), 60, own, {})).toBeGreaterThan(0.3);
  });

  test('a zone that reports to be busier than the others loses calls, if that counts', () => {
    const [busy, idle] = [{ utilization: 0.8 }, { utilization: 0.4 }];
    const byReports = { ...OPTIONS, spillUtilization: 0.1 };
    expect(run(new Spillover(byReports), 60, busy, idle)).toBeGreaterThan(0.5);
    expect(run(new Spillover(OPTIONS), 60, busy, idle)).toBe(0.01);
    expect(run(new Spillover({ ...OPTIONS, spillUtilization: 0.5 }), 60, busy, idle)).toBe(0.01);
    const spillover = new Spillover(byReports);
    run(spillover, 60, busy, idle);
    expect(run(spillover, 90, { utilization: 0.25 }, idle, 60_000)).toBe(0.01);
  });

  test('zones are compared by latency alone where only one of them reports', () => {
    const spillover = new Spillover({ ...OPTIONS, spillUtilization: 0.1 });
    expect(run(spillover, 60, { utilization: 1 }, {})).toBe(0.01);
  });

  test('a report without a utilization does not make a zone idle', () => {
    const spillover = new Spillover({ ...OPTIONS, spillUtilization: 0.1 });
    expect(run(spillover, 60, { utilization: 0.8 }, { utilization: 0 })).toBe(0.01);
  });

  test('what a zone has reported is forgotten when its calls end without reports', () => {
    const spillover = new Spillover({ ...OPTIONS, spillUtilization: 0.1 });
    expect(run(spillover, 60, { utilization: 0.9 }, { utilization: 0.1 })).toBeGreaterThan(0.9);
    expect(run(spillover, 180, {}, {}, 60_000)).toBe(0.01);
  });

  test('streams that do not end have no effect', () => {
    expect(run(new Spillover(OPTIONS), 60, { open: 0.5 }, { open: 0.5 })).toBeLessThan(0.03);
  });

  test('failures in both zones cause no spillover', () => {
    expect(run(new Spillover(OPTIONS), 60, { failing: 1 }, { failing: 1 })).toBe(0.01);
  });

  test('a few calls are enough eventually', () => {
    const spillover = new Spillover({ ...OPTIONS, minCrossZoneShare: 0.1 });
    let now = 0;
    for (let call = 0; call < 1000; call++) {
      now += 1000;
      const local = call % 10 > 0;
      spillover.started(local, now);
      spillover.ended(local, local ? 100 : 10, false);
    }
    expect(spillover.share(0, EVEN)).toBeGreaterThan(0.5);
  });
});

describe('by health', () => {
  test('exactly what exceeds the capacity of the zone crosses at once', () => {
    const spillover = new Spillover(OPTIONS);
    expect([0, 0.4, 1].map((atLeast) => spillover.share(atLeast, EVEN))).toEqual([0.01, 0.4, 1]);
    expect(spillover.share(0, EVEN)).toBe(0.01);
  });
});
