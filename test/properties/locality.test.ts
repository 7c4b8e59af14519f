import * as fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { Spillover } from '../../libs/grpc-lb/src/core/locality/spillover.js';
import { check } from './check.js';
import { type Outcome, simulate, type World } from './zones.js';

interface Figures {
  readonly p50: number;
  readonly p99: number;
  /** The fractions of the calls that left their zone, and that failed. */
  readonly crossed: number;
  readonly failed: number;
}

/** Of the calls that began between two seconds. */
function figures({ calls }: Outcome, from: number, to: number): Figures {
  const these = calls.filter(({ at }) => at >= 1000 * from && at < 1000 * to);
  const latencies = Float64Array.from(these, ({ latency }) => latency).toSorted();
  const part = (is: 'crossed' | 'failed'): number => these.filter((each) => each[is]).length / these.length;
  return {
    p50: latencies[Math.floor(latencies.length / 2)]!,
    p99: latencies[Math.floor(latencies.length * 0.99)]!,
    crossed: part('crossed'),
    failed: part('failed'),
  };
}

/** `PRINT_FIGURES=1` shows the figures of docs/discovery/zones.md. */
function show(what: string, { p50, p99, crossed, failed }: Figures): void {
  if (process.env['PRINT_FIGURES'] === undefined) return;
  const percent = (part: number): string => `${(100 * part).toFixed(1)} %`;
  console.log(`| ${what} | ${p50.toFixed(0)} | ${p99.toFixed(0)} | ${percent(crossed)} | ${percent(failed)} |`);
}

function run(what: string, world: World, from: number, to: number): Outcome & Figures {
  const outcome = simulate(world);
  const found = figures(outcome, from, to);
  show(what, found);
  return { ...outcome, ...found };
}

/** How far the values of a series are from their mean. */
function spread(values: readonly number[]): number {
  const mean = values.reduce((sum, value) => sum + value, 0) / values.length;
  return Math.sqrt(values.reduce((sum, value) => sum + (value - mean) ** 2, 0) / values.length);
}

describe('clients that are spread evenly', () => {
  test.each([
    [0.6, 1],
    [0.85, 1.5],
  ])('stay in their zones: at a load of %d, work of sigma %d, almost no call crosses', (load, sigma) => {
    const even: World = { clients: [7, 7, 6], load, sigma, seconds: 30 };
    const { crossed, p99 } = run(`even, load ${load}`, even, 2, 30);
    const anywhere = run(`even, load ${load}, anywhere`, { ...even, mode: 'anywhere' }, 2, 30);
    expect(crossed).toBeLessThan(0.03);
    expect(p99).toBeLessThan(1.1 * anywhere.p99);
  });
});

describe('where 70 % of the clients are in a zone with a third of the backends', () => {
  const skewed: World = { clients: [14, 3, 3], load: 0.6, seconds: 40 };

  test('the zone would be overloaded on its own', () => {
    // 0.7 * 0.6 * 3 = 126 % of what it can serve.
    expect(run('skewed, own zone only', { ...skewed, mode: 'own', seconds: 30 }, 10, 30).p99).toBeGreaterThan(1000);
  });

  test('as many calls leave it as necessary, and the tail latency stays near that of perfect balance', () => {
    const anywhere = run('skewed, anywhere', { ...skewed, mode: 'anywhere' }, 10, 40);
    const { crossed, p99, shares } = run('skewed, spillover', skewed, 10, 40);
    expect(p99).toBeLessThan(1.5 * anywhere.p99);
    // At least the excess load of the zone, 0.26 of 1.26 for 70 % of the clients; far from the 66 % without zones.
    expect(crossed).toBeGreaterThan(0.7 * (0.26 / 1.26));
    expect(crossed).toBeLessThan(0.33);
    // The share hardly oscillates.
    expect(spread(shares.slice(20))).toBeLessThan(0.05);
  });

  test('it takes a few seconds from a cold start', () => {
    const { shares } = run('skewed, the first 10 s', skewed, 0, 10);
    expect(Math.max(...shares.slice(0, 6))).toBeGreaterThan(0.4);
  });
});

describe('where the zone of most clients is busy, but not yet slow', () => {
  // 0.7 * 0.46 * 3 = 97 % of what it can serve, while the others are at 21 %.
  const busy: World = { clients: [14, 3, 3], load: 0.46, seconds: 40 };

  test('calls leave it by what its backends report, until it is no busier than allowed, without oscillation', () => {
    const byLatency = run('busy, by latency', busy, 20, 40);
    const anywhere = run('busy, anywhere', { ...busy, mode: 'anywhere' }, 20, 40);
    const byReports = run('busy, by reports', { ...busy, spillUtilization: 0.1 }, 20, 40);
    expect(byReports.p50).toBeLessThan(0.9 * byLatency.p50);
    expect(byReports.crossed).toBeLessThan(0.4);
    expect(byReports.p99).toBeLessThan(1.1 * anywhere.p99);
    expect(spread(byReports.shares.slice(25))).toBeLessThan(0.05);
  });
});

describe('a zone that is unhealthy from second 10 to 25', () => {
  const ill = (how: 10 | 3 | 'fails' | 'hangs'): World => ({
    clients: [7, 7, 6],
    load: 0.5,
    seconds: 80,
    ill: { from: 10_000, to: 25_000, how },
  });

  test.each([3, 10, 'fails', 'hangs'] as const)('(%s) loses its calls, and gets them back a minute later', (how) => {
    const { shares } = run(`zone a: ${how}`, ill(how), 10, 25);
    const during = Math.max(...shares.slice(10, 25));
    // Above the even share of equal zones.
    expect(during).toBeGreaterThan(2 / 3);
    expect(shares.at(-1)!).toBeLessThan(0.1);
    expect(shares.slice(0, 10).every((share) => share < 0.05)).toBe(true);
  });
});

describe('the share', () => {
  const steps = fc.array(
    fc.record({
      wait: fc.nat({ max: 2000 }),
      local: fc.boolean(),
      utilization: fc.oneof(fc.double({ min: 0, max: 3, noNaN: true }), fc.constant(Infinity)),
      latency: fc.oneof(fc.nat({ max: 100_000 }), fc.double({ min: 0, max: 1, noNaN: true })),
      end: fc.constantFrom('succeeded', 'failed', 'never'),
      atLeast: fc.constantFrom(0, 0, 0.3, 1),
      evenShare: fc.double({ min: 0, max: 1, noNaN: true }),
    }),
    { maxLength: 300 },
  );
  const minimum = fc.constantFrom(0, 0.01, 0.2, 0.5);

  test('stays in range, and never below the minimum or the excess load of the zone, for any input', () => {
    check(
      fc.property(
        minimum,
        fc.double({ min: 1.1, max: 10, noNaN: true }),
        fc.constantFrom<(number | false)[]>(false, 0.01, 1),
        steps,
        (minCrossZoneShare, spillRatio, spillUtilization, all) => {
          const spillover = new Spillover({ minCrossZoneShare, spillRatio, spillUtilization });
          let now = 0;
          for (const { wait, local, utilization, latency, end, atLeast, evenShare } of all) {
            now += wait;
            spillover.started(local, now);
            if (end !== 'never') spillover.ended(local, latency, end === 'failed');
            spillover.reported(local, utilization);
            const share = spillover.share(atLeast, evenShare);
            expect(share).toBeGreaterThanOrEqual(Math.max(atLeast, minCrossZoneShare));
            expect(share).toBeLessThanOrEqual(Math.max(atLeast, 1 - minCrossZoneShare));
          }
        },
      ),
    );
  });

  test('is zero by load if the minimum is zero', () => {
    check(
      fc.property(steps, (all) => {
        const spillover = new Spillover({ minCrossZoneShare: 0, spillRatio: 1.1, spillUtilization: 0.01 });
        let now = 0;
        for (const { wait, local, latency } of all) {
          spillover.started(local, (now += wait));
          spillover.ended(local, local ? 1000 * latency : 1, false);
          spillover.reported(local, local ? 1 : 0);
          expect(spillover.share(0, 1)).toBe(0);
        }
      }),
    );
  });
});
