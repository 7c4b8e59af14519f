import { expect, it } from 'vitest';
import type { DashboardDefinition, PanelDefinition } from '../dashboards/definition.js';
import { dashboardPicture } from './picture.js';
import type { Curve, Run } from './run.js';

const panel = (title: string, more: Partial<PanelDefinition> = {}): PanelDefinition => {
  return { title, description: '', unit: 'short', queries: [], ...more };
};

const dashboard = (panels: readonly PanelDefinition[]): DashboardDefinition => {
  return { uid: 'shop', title: 'The shop', description: '', variables: [], rows: [{ title: 'Traffic', panels }] };
};

function picture(panels: readonly PanelDefinition[], curves: Readonly<Record<string, readonly Curve[]>>): string {
  const run: Omit<Run, 'dashboard' | 'curves'> = {
    caption: ['Drawn, not photographed.'],
    seconds: 60,
    marks: [{ second: 30, label: 'SIGKILL' }],
  };
  return dashboardPicture({ ...run, dashboard: dashboard(panels), curves: new Map(Object.entries(curves)) });
}

/** The text elements, in order. */
const words = (svg: string): string[] => [...svg.matchAll(/<text[^>]*>([^<]*)/g)].map(([, content]) => content!);

const paths = (svg: string, look: string): string[] =>
  [...svg.matchAll(new RegExp(`<path d="([^"]*)" class="s\\d ${look}"`, 'g'))].map(([, d]) => d!);

/** How far down a panel the points of a path are. */
const heights = (d: string): number[] => [...d.matchAll(/[ML][\d.]+ ([\d.]+)/g)].map(([, y]) => Number(y));

it('says what it is, and has title, unit, marks and legend of each panel', () => {
  const panels = [panel('Calls', { unit: 'reqps' }), panel('Latency', { unit: 's' }), panel('Retries')];
  const svg = picture(panels, {
    Calls: [{ name: 'Find', values: [60, 60, 61] }],
    Latency: [{ name: 'p99', values: [0.01, 0.02, 0.05] }],
  });
  const all = words(svg);
  expect(all.slice(0, 3)).toEqual(['The shop', 'Drawn, not photographed.', 'Traffic']);
  expect(all).toEqual(expect.arrayContaining(['Calls', 'req/s', 'Find', 'Latency', 'ms', 'p99', '50', '30 s']));
  expect(all.filter((each) => each === 'SIGKILL')).toHaveLength(3);
  expect(all.filter((each) => each === 'No data in this run')).toHaveLength(1);
  expect(svg).toContain('prefers-color-scheme:dark');
});

it('leaves a gap where there is no value, and leaves out the middle of level stretches', () => {
  const [d] = paths(picture([panel('Calls')], { Calls: [{ name: 'a', values: [5, 5, 5, 5, NaN, 0, 5] }] }), 'curve');
  expect(d!.match(/M/g)).toHaveLength(2);
  expect(heights(d!)).toEqual([44, 44, 150, 44]);
});

it('a stacked panel draws each curve on top of the ones before it', () => {
  const curves = [
    { name: 'ready', values: [3, 2] },
    { name: 'connecting', values: [NaN, 1] },
  ];
  const svg = picture([panel('Backends', { stacked: true })], { Backends: curves });
  const [ready, both] = paths(svg, 'curve').map(heights);
  expect(both).toEqual([ready![0], ready![0]]);
  const [, upper] = paths(svg, 'fill').map(heights);
  expect(upper).toEqual([...both!, ...ready!.toReversed()]);
});

it('draws a threshold that the axis reaches', () => {
  const withThreshold = [panel('Burn', { threshold: 14.4 })];
  expect(picture(withThreshold, { Burn: [{ name: 'shop', values: [0, 20] }] })).toContain('class="limit"');
  expect(picture(withThreshold, { Burn: [{ name: 'shop', values: [0, 2] }] })).not.toContain('class="limit"');
});

it('only names the curves that are always 0, unless all are', () => {
  const curves = (...values: number[][]): Curve[] => values.map((each, i) => ({ name: `state ${i}`, values: each }));
  const svg = picture([panel('Backends')], { Backends: curves([0, 0], [0, 1], [NaN, 0]) });
  expect(paths(svg, 'curve')).toHaveLength(1);
  expect(words(svg)).toEqual(expect.arrayContaining(['state 1', 'always 0: state 0, state 2']));
  const quiet = picture([panel('Backends')], { Backends: curves([0, 0], [0, 0]) });
  expect(paths(quiet, 'curve')).toHaveLength(2);
  expect(words(quiet)).toEqual(expect.arrayContaining(['state 0', 'state 1']));
});

it('shortens a name that is wider than its panel in its middle, and escapes it', () => {
  const panels = ['a', 'b', 'c'].map((title) => panel(title));
  const names = words(picture(panels, { a: [{ name: `<&${'x'.repeat(99)}, six hours`, values: [1] }] }));
  const name = names.find((each) => each.startsWith('&lt;&amp;x'))!;
  expect(name).toMatch(/x…x, six hours$/);
  expect(name.length).toBeLessThan(65);
});
