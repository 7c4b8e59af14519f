import { expect, test } from 'vitest';
import type { BackendRow, Frame } from '../panel/frame.js';
import type { PhaseSummary } from '../load/tally.js';
import { drawFrame, drawSummary } from './table.js';
import { bar, plain } from './text.js';

const stock: PhaseSummary = {
  phase: 'nest-default',
  policy: 'pick_first',
  calls: 2400,
  errors: 12,
  p50: 1127.4,
  p99: 2054.1,
  endpoints: { a: 2400, b: 0 },
};
const balanced: PhaseSummary = {
  ...stock,
  phase: 'balanced',
  policy: 'least_request',
  errors: 0,
  p50: 9.44,
  p99: null,
};

const row: BackendRow = {
  address: '127.0.0.1:40001',
  share: 0.75,
  calls: 1800,
  inFlight: 3,
  p50: 20.4,
  p99: 48,
  state: 'ready',
  reason: null,
  warmth: 1,
  process: 'running',
  factor: 1,
};

const frame: Frame = {
  phase: { key: 'balanced', title: 'Balanced', policy: 'least_request' },
  phaseNumber: 2,
  phaseCount: 2,
  status: 'running',
  elapsedSeconds: 7.9,
  seconds: 10,
  rate: 240,
  inFlight: 5,
  summary: balanced,
  lastSecond: { calls: 240, errors: 0, p50: 20, p99: 48 },
  recent: { calls: 1200, errors: 0, p50: 20, p99: 48 },
  story: '',
  verdict: null,
  finished: [],
  backends: [
    row,
    {
      ...row,
      address: '127.0.0.1:4',
      share: 0.25,
      state: 'transient_failure',
      process: 'stopped',
      factor: 3,
      p50: null,
    },
  ],
  before: [stock],
};

test('a frame is a table with the history below it', () => {
  expect(drawFrame(frame, plain)).toEqual([
    'Balanced: least_request  phase 2 of 2, 7 s of 10 s',
    'calls 2,400   errors 0   p50 9.4 ms   p99 – ms   in flight 5',
    '',
    'backend          share of the last 5 s  calls  in flight  p50 ms  p99 ms  state',
    '127.0.0.1:40001  █████████▊     75.0 %  1,800          3      20      48  ready',
    '127.0.0.1:4      ███▎           25.0 %  1,800          3       –      48  transient_failure, stopped, 3x slower',
    '',
    'before: pick_first',
    'calls 2,400   errors 12   p50 1,127 ms   p99 2,054 ms',
  ]);
});

test('a backend in slow start is shown with its progress', () => {
  const lines = drawFrame({ ...frame, backends: [{ ...row, warmth: 0.254, share: 0.06 }] }, plain);
  expect(lines.find((line) => line.startsWith(row.address))).toMatch(/ready, starts slowly, 25 % warm$/);
});

test('the summary compares the phases side by side', () => {
  expect(drawSummary([stock, balanced], plain)).toEqual([
    'phase         policy         calls  errors  p50 ms  p99 ms  busiest backend',
    'nest-default  pick_first     2,400      12   1,127   2,054            100 %',
    'balanced      least_request  2,400       0     9.4       –            100 %',
  ]);
});

test('a bar is as long as its share, to an eighth of a column', () => {
  expect(bar(0, 4)).toBe('    ');
  expect(bar(0.5, 4)).toBe('██  ');
  expect(bar(1 / 32, 4)).toBe('▏   ');
  expect(bar(1, 4)).toBe('████');
});
