import { describe, expect, test } from 'vitest';
import { scripted } from '../../../../../../test/properties/hosts.js';
import { effectiveEjection } from '../../options/ejection-options.js';
import { seededRandom } from '../../random.js';
import { Outlier } from './outlier.js';
import type { Verdict } from './peer.js';
import { mayEject } from './peer-comparison.js';

const defaults = effectiveEjection();
/** Failures in a row only. */
const inARow = { ...defaults, successRate: 0 };
/** The share of successes only. */
const byShare = { ...defaults, consecutiveFailures: 0 };

const ILL: Verdict = { reason: 'ill', failures: 5, calls: 5, since: 0, inARow: true };
const create = (): Outlier => new Outlier(seededRandom(1));

/** The ejection reasons after each result of a sequence, `x` for a failure, `t` for a timeout. */
function reasons(outlier: Outlier, results: string, options = defaults, now = 0): (string | undefined)[] {
  const kinds = { x: 'failed', t: 'timed_out', '.': 'ok' } as const;
  return results
    .split('')
    .map((result) => outlier.record(kinds[result as keyof typeof kinds], now, now, options)?.reason);
}

describe('failures in a row', () => {
  test('eject at the fifth, not before', () => {
    expect(reasons(create(), 'xxxxx', inARow)).toEqual([
      undefined,
      undefined,
      undefined,
      undefined,
      '5 failures in a row',
    ]);
  });

  test.each([
    ['ttttt', '5 timeouts in a row'],
    ['xtxxt', '5 failures in a row, 2 of them timeouts'],
    ['tt.xxxxx', '5 failures in a row'],
  ])('name the timeouts among them: %s', (results, reason) => {
    expect(reasons(create(), results, inARow).at(-1)).toBe(reason);
  });

  test.each([
    [0, 5],
    [8, 5],
    [14, 5],
    [29, 5],
    [30, 4],
    [97, 4],
    [98, 3],
    [997, 3],
    [998, 2],
    [1_000_000, 2],
  ])('eject earlier after a good record, which rules out chance: after %d successes at %d', (successes, enough) => {
    const outlier = create();
    reasons(outlier, '.'.repeat(successes), inARow);
    expect(reasons(outlier, 'x'.repeat(enough), inARow)).toEqual([
      ...Array.from({ length: enough - 1 }, () => undefined),
      `${enough} failures in a row`,
    ]);
  });

  test('eject later if the record has a failure in it', () => {
    const outlier = create();
    reasons(outlier, `${'.'.repeat(999)}x.`, inARow);
    expect(reasons(outlier, 'xx', inARow)).not.toContainEqual(expect.anything());
    expect(reasons(outlier, 'x', inARow)).toEqual(['3 failures in a row']);
  });

  test('eject at the configured number at the latest, and ignore results older than the window', () => {
    const outlier = create();
    reasons(outlier, '.'.repeat(5000), inARow, 0);
    const later = inARow.window + 1;
    expect(reasons(outlier, 'xxxx', inARow, later)).not.toContainEqual(expect.anything());
    expect(reasons(outlier, 'x', inARow, later)).toEqual(['5 failures in a row']);
    expect(reasons(create(), 'xx', { ...inARow, consecutiveFailures: 2 }).at(-1)).toBe('2 failures in a row');
  });

  test('are reset by a success', () => {
    expect(reasons(create(), 'xxxx.xxxx.xxxx', inARow)).not.toContainEqual(expect.anything());
  });

  test('are reported again with each further one while the ejection is not allowed', () => {
    expect(reasons(create(), 'xxxxxxx', inARow).slice(4)).toEqual([5, 6, 7].map((n) => `${n} failures in a row`));
  });

  test('do not eject if they or ejection are turned off', () => {
    expect(reasons(create(), 'x'.repeat(50), { ...inARow, consecutiveFailures: 0 })).not.toContainEqual(
      expect.anything(),
    );
    expect(reasons(create(), 'x'.repeat(50), { ...defaults, enabled: false })).not.toContainEqual(expect.anything());
  });
});

describe('the share of successes', () => {
  test('ejects below 80 %, at a failure, with the figures as the reason', () => {
    const outlier = create();
    expect(reasons(outlier, '....xxxx', byShare)).not.toContainEqual(expect.anything());
    expect(reasons(outlier, 'x', byShare)).toEqual(['44 % of 9 calls succeeded within 30 s, less than 80 %']);
  });

  /** `calls` results with `failures` failures at the end, since only failures are judged. */
  const mixed = (calls: number, failures: number): string => '.'.repeat(calls - failures) + 'x'.repeat(failures);

  test.each([
    [0.8, 5, 4],
    [0.8, 10, 5],
    [0.8, 20, 9],
    [0.8, 100, 30],
    [0.8, 1000, 230],
    [0.5, 10, 9],
    [0.5, 100, 62],
    [0.95, 5, 2],
    [0.95, 100, 11],
  ])('below %d by chance does not eject: of %d calls %d must fail', (successRate, calls, failures) => {
    const options = { ...byShare, successRate, minimumCalls: calls };
    expect(reasons(create(), mixed(calls, failures), options).at(-1)).toEqual(expect.any(String));
    expect(reasons(create(), mixed(calls, failures - 1), options)).not.toContainEqual(expect.anything());
  });

  test('of five calls never ejects if half of all calls may fail', () => {
    const options = { ...byShare, successRate: 0.5 };
    expect(reasons(create(), 'xxxxx', options)).not.toContainEqual(expect.anything());
    expect(reasons(create(), 'xxxxxx', options).at(-1)).toBe('0 % of 6 calls succeeded within 30 s, less than 50 %');
  });

  test('of at least 1 ejects at every failure, of at least 0 never', () => {
    expect(reasons(create(), mixed(1000, 1), { ...byShare, successRate: 1 }).at(-1)).toEqual(expect.any(String));
    expect(reasons(create(), 'x'.repeat(1000), { ...byShare, successRate: 0 })).not.toContainEqual(expect.anything());
  });

  test('ejects none of a thousand endpoints that fail 5 % of calls, and all of a thousand that fail half, within 100 calls', () => {
    const random = seededRandom(1);
    const ejected = (share: number): number => {
      const outliers = Array.from({ length: 1000 }, create);
      const found = outliers.filter((outlier) =>
        Array.from({ length: 100 }, () => outlier.record(random() < share ? 'failed' : 'ok', 0, 0, byShare)).some(
          Boolean,
        ),
      );
      return found.length;
    };
    // Of the first five calls two fail once in 44 times, and four once in 33 000.
    expect(ejected(0.05)).toBe(0);
    expect(ejected(0.5)).toBe(1000);
  });

  test('does not eject below the minimum number of calls', () => {
    expect(reasons(create(), 'xxxx', byShare)).not.toContainEqual(expect.anything());
    expect(reasons(create(), 'xxxxx', byShare).at(-1)).toBe('0 % of 5 calls succeeded within 30 s, less than 80 %');
    const patient = { ...byShare, minimumCalls: 100 };
    expect(reasons(create(), 'x'.repeat(100), patient).findIndex(Boolean)).toBe(99);
  });

  test('covers the window: older failures do not count', () => {
    const outlier = create();
    reasons(outlier, 'xxxx', byShare, 0);
    expect(reasons(outlier, 'x', byShare, 29_999)).toEqual([expect.stringContaining('of 5 calls')]);
    const later = create();
    reasons(later, 'xxxx', byShare, 0);
    expect(reasons(later, 'x', byShare, 30_001)).toEqual([undefined]);
  });
});

describe('an ejection', () => {
  test('lasts from 5 s to 10 s at first, and twice as long each further time, up to 300 s', () => {
    for (const [draw, expected] of [
      [0, [5000, 10_000, 20_000, 40_000, 80_000, 150_000, 150_000]],
      [0.5, [7500, 15_000, 30_000, 60_000, 120_000, 225_000, 225_000]],
      [1, [10_000, 20_000, 40_000, 80_000, 160_000, 300_000, 300_000]],
    ] as const) {
      const outlier = new Outlier(() => draw);
      const lengths = expected.map(() => {
        const length = outlier.eject(ILL, 1000, defaults) - 1000;
        outlier.probe();
        return length;
      });
      expect(lengths).toEqual(expected);
    }
  });

  test('lasts 1 s to 2 s while endpoints return from an outage of all, and is not counted', () => {
    for (const [draw, expected] of [
      [0, [1000, 1000, 1000, 5000, 10_000]],
      [1, [2000, 2000, 2000, 10_000, 20_000]],
    ] as const) {
      const outlier = new Outlier(() => draw);
      const lengths = [true, true, true, false, false].map((returning) => {
        const length = outlier.eject(ILL, 0, defaults, returning);
        outlier.probe();
        return length;
      });
      expect(lengths).toEqual(expected);
    }
  });

  test.each([
    [5000, 5000],
    [5000, 7000],
    [10, 86_400_000],
    [3_600_000, 86_400_000],
  ])('of %d to %d ms stays within these bounds, however often it is repeated', (baseEjectionTime, maxEjectionTime) => {
    const options = { ...defaults, baseEjectionTime, maxEjectionTime };
    const outlier = create();
    for (let i = 0; i < 2000; i++) {
      const length = outlier.eject(ILL, 0, options);
      expect(length).toBeGreaterThanOrEqual(baseEjectionTime);
      expect(length).toBeLessThanOrEqual(maxEjectionTime);
      outlier.probe();
    }
  });

  test('gets one step shorter for each clean window since the endpoint is back', () => {
    const back = (ejections: number): Outlier => {
      const outlier = new Outlier(() => 0);
      for (let i = 0; i < ejections; i++) {
        outlier.eject(ILL, 0, defaults);
        outlier.probe();
      }
      outlier.reset(0);
      return outlier;
    };
    const lengthAfter = (ejections: number, windows: number): number =>
      back(ejections).eject(ILL, windows * defaults.window, defaults) - windows * defaults.window;
    expect([0, 0.9, 1, 2, 3, 4, 100].map((windows) => lengthAfter(3, windows))).toEqual([
      40_000, 40_000, 20_000, 10_000, 5000, 5000, 5000,
    ]);
  });

  test('draws one random number for its length', () => {
    const random = scripted(0.5);
    new Outlier(random).eject(ILL, 0, defaults);
    expect(random.left()).toBe(0);
  });
});

describe('after its ejection an endpoint', () => {
  test('ignores results of calls that were in flight at the ejection', () => {
    const outlier = create();
    outlier.eject(ILL, 0, defaults);
    expect(reasons(outlier, 'xxxxxxxxxx')).not.toContainEqual(expect.anything());
    outlier.probe();
    expect(reasons(outlier, 'xxxxxxxxxx')).not.toContainEqual(expect.anything());
    outlier.reset(20_000);
    // With earlier results there would be more than five.
    expect(reasons(outlier, 'xxxx', defaults, 20_000)).not.toContainEqual(expect.anything());
    expect(reasons(outlier, 'x', defaults, 20_000)).toEqual(['5 failures in a row']);
  });

  test('ignores calls that were made before it was reset, however late they end', () => {
    const outlier = create();
    outlier.eject(ILL, 0, defaults);
    outlier.probe();
    outlier.reset(20_000);
    const hung = Array.from({ length: 10 }, () => outlier.record('failed', 19_999, 30_000, defaults));
    expect(hung).not.toContainEqual(expect.anything());
    const fresh = Array.from({ length: 5 }, () => outlier.record('failed', 20_000, 30_000, defaults));
    expect(fresh.at(-1)?.reason).toBe('5 failures in a row');
  });

  test('starts over with a new record when it is reset, ejected or not', () => {
    const outlier = create();
    reasons(outlier, `${'.'.repeat(998)}x`, inARow);
    outlier.reset(0);
    expect(reasons(outlier, 'xxxx', inARow)).not.toContainEqual(expect.anything());
    expect(reasons(outlier, 'x', inARow)).toEqual(['5 failures in a row']);
  });

  test('waits for its probe, and keeps the reason', () => {
    const outlier = create();
    const until = outlier.eject(ILL, 0, defaults);
    expect(outlier.state).toEqual({ kind: 'ejected', until, verdict: ILL });
    outlier.probe();
    expect(outlier.state).toEqual({ kind: 'probing', verdict: ILL });
    outlier.reset(0);
    expect(outlier.state).toEqual({ kind: 'not_ejected' });
  });

  test('is not probed unless it was ejected', () => {
    const outlier = create();
    outlier.probe();
    expect(outlier.state).toEqual({ kind: 'not_ejected' });
  });
});

test('the ejection is undecided while failures in a row may still cause it', () => {
  const outlier = create();
  expect(outlier.undecided(inARow)).toBe(true);
  reasons(outlier, 'xxxx', inARow);
  expect(outlier.undecided(inARow)).toBe(true);
  reasons(outlier, 'x', inARow);
  expect(outlier.undecided(inARow)).toBe(false);
  reasons(outlier, '.', inARow);
  expect(outlier.undecided(inARow)).toBe(true);
  expect(outlier.undecided({ ...inARow, enabled: false })).toBe(false);
  outlier.eject(ILL, 0, inARow);
  expect(outlier.undecided(inARow)).toBe(false);
});

describe('mayEject', () => {
  /** How many of `total` endpoints can be ejected, one after the other. */
  function mostOf(total: number, percent: number): number {
    let ejected = 0;
    while (ejected < total && mayEject(ejected, total, percent)) ejected++;
    return ejected;
  }

  test.each([
    [0, 0],
    [1, 0],
    [2, 1],
    [3, 1],
    [4, 2],
    [5, 2],
    [6, 3],
    [100, 50],
  ])('of %d endpoints allows at most %d with 50 %%', (total, most) => {
    expect(mostOf(total, 50)).toBe(most);
  });

  test('allows none with 0 %, at least one with more, all but one with 100 %', () => {
    for (let total = 0; total <= 50; total++) {
      expect(mostOf(total, 0)).toBe(0);
      expect(mostOf(total, 1)).toBe(total < 2 ? 0 : 1);
      expect(mostOf(total, 100)).toBe(Math.max(0, total - 1));
    }
  });

  test('never exceeds the share, except for the first', () => {
    for (let total = 2; total <= 50; total++) {
      for (let percent = 1; percent <= 100; percent++) {
        const share = Math.floor((total * percent) / 100);
        expect(mostOf(total, percent)).toBe(Math.min(total - 1, Math.max(1, share)));
      }
    }
  });
});
