import { describe, expect, test } from 'vitest';
import { CENTRAL_QUEUE, PERFECT_KNOWLEDGE } from '../../bench/sim/subjects.js';
import type { Cell } from '../../bench/sim/report/cells.js';
import { dotPlot } from '../../bench/sim/report/dot-plot.js';
import { percent, ratio } from '../../bench/sim/report/numbers.js';
import { linearScale, logScale } from '../../bench/sim/report/scale.js';
import { bestPeerTable, matchupsOf, peerTable, verdictOf } from '../../bench/sim/report/summary.js';
import { overviewTable, tail, toMarkdown, toText } from '../../bench/sim/report/tables.js';
import { timePlot } from '../../bench/sim/report/time-plot.js';
import { oneSlow, twoSlow } from '../../bench/sim/scenarios/speed.js';

function cell(subject: string, p99: number, over: Partial<Cell> = {}): Cell {
  return {
    scenario: 'two_slow',
    load: 0.7,
    clients: 10,
    subject,
    mean: 1,
    p50: 1,
    p99,
    p999: p99 * 2,
    spread: [p99, p99],
    failed: 0,
    attempts: 1,
    busiest: 0.2,
    idlest: 0.1,
    crossed: 0,
    maxInFlight: 9,
    methods: [],
    absolute: { p50: 10, p99: 100 * p99, p999: 200 * p99 },
    timeline: [90, 400, NaN],
    ...over,
  };
}

const all = [
  cell(CENTRAL_QUEUE.name, 1),
  cell(PERFECT_KNOWLEDGE.name, 0.9),
  cell('round_robin', 500),
  cell('peak_ewma', 1.2),
  cell('adaptive', 1.1),
];

describe('a matchup', () => {
  test('within three percent is equal', () => {
    expect([0.96, 0.97, 1, 1.03, 1.04].map(verdictOf)).toEqual(['better', 'equal', 'equal', 'equal', 'worse']);
  });

  test('is against the best policy that a client could use', () => {
    const [only, ...others] = matchupsOf(all, 'p99');
    expect(others).toEqual([]);
    expect(only).toMatchObject({ peer: { subject: 'peak_ewma' }, verdict: 'better' });
    expect(only!.ratio).toBeCloseTo(1.1 / 1.2, 12);
  });

  test('that is worse names the better peer', () => {
    const lost = [cell('adaptive', 1.3), cell('peak_ewma', 1.2), cell('hot_cold', 1.25)];
    expect(bestPeerTable([twoSlow], lost, 'p99').rows).toEqual([[twoSlow.title, '1.08 (peak_ewma)']]);
    expect(peerTable(lost).rows.map((row) => row.slice(0, 2))).toEqual([
      ['peak_ewma', '0, 0, 1'],
      ['hot_cold', '0, 0, 1'],
      ['**the best of them, each time**', '0, 0, 1'],
    ]);
  });
});

describe('tables', () => {
  test('have a column for each situation, in order, and all policies except the reference', () => {
    const table = overviewTable([...all, cell('adaptive', 2, { clients: 1 })], tail);
    expect(table.head).toEqual(['policy', '70 %, 1 client', '70 %, 10 clients']);
    expect(table.rows.at(-1)).toEqual(['**adaptive**', '2.00 / 4.00', '1.10 / 2.20']);
    expect(table.rows.map(([name]) => name)).not.toContain(CENTRAL_QUEUE.name);
    expect(toMarkdown(table).split('\n')).toHaveLength(2 + table.rows.length);
    expect(toText(table)).toContain('round_robin');
  });

  test('show significant digits only', () => {
    expect([0.984, 9.94, 9.96, 99.6, 484.4, NaN].map(ratio)).toEqual(['0.98', '9.94', '10.0', '100', '484', '-']);
    expect([0, 0.00012, 0.0049, 0.25].map(percent)).toEqual(['0 %', '0.012 %', '0.49 %', '25.0 %']);
  });
});

describe('plots', () => {
  const cells = all.map((each) => ({ ...each, scenario: 'one_slow' }));
  const plots = [dotPlot(twoSlow, all), timePlot(oneSlow, cells)];

  test('are complete documents without NaN in coordinates', () => {
    for (const plot of plots) {
      expect(plot).toMatch(/^<svg xmlns="http:\/\/www\.w3\.org\/2000\/svg".*<\/svg>\n$/s);
      expect(plot).not.toMatch(/NaN|Infinity|undefined/);
      const opened = plot.match(/<[a-z]+(?: [^>]*[^/])?>/g) ?? [];
      expect(plot.match(/<\/[a-z]+>/g)).toHaveLength(opened.length);
    }
  });

  test('label axes, units and series, and have colors for light and dark pages', () => {
    expect(plots[0]).toContain('latency over that of the central queue');
    expect(plots[0]).toContain('10 clients');
    expect(plots[1]).toContain('in ms');
    expect(plots[1]).toContain('time in seconds');
    for (const plot of plots) expect(plot).toContain('prefers-color-scheme:dark');
  });

  test('print values that are out of range', () => {
    expect(plots[0]).toContain('→ 500');
  });
});

describe('scales', () => {
  test('map their ends to the ends of the axis, and clamp values outside', () => {
    const scale = logScale(0.5, 10, 100, 200);
    expect([0.1, 0.5, 10, 99].map(scale.place)).toEqual([100, 100, 200, 200]);
    expect(scale.ticks).toEqual([0.5, 1, 2, 5, 10]);
  });

  test.each([0.0004, 0.03, 0.26, 0.99])('of shares reach up to %d and start at 0', (high) => {
    const { ticks, place } = linearScale(high, 0, 100);
    expect(ticks[0]).toBe(0);
    expect(ticks.at(-1)!).toBeGreaterThanOrEqual(high);
    expect(ticks.length).toBeLessThanOrEqual(7);
    expect(place(ticks.at(-1)!)).toBeCloseTo(100, 9);
  });
});
