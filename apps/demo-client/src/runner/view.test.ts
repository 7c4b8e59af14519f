import { PassThrough } from 'node:stream';
import { beforeEach, expect, test } from 'vitest';
import type { Frame } from '../panel/frame.js';
import { openView, type View } from './view.js';

const frame = {
  phase: { key: 'balanced', title: 'Balanced', policy: 'least_request' },
  phaseNumber: 1,
  phaseCount: 1,
  status: 'running',
  elapsedSeconds: 2.5,
  seconds: null,
  rate: 240,
  inFlight: 0,
  summary: { phase: 'balanced', policy: 'least_request', calls: 1, errors: 0, p50: 1, p99: 1, endpoints: {} },
  lastSecond: { calls: 1, errors: 0, p50: 1, p99: 1 },
  recent: { calls: 5, errors: 0, p50: 1, p99: 1 },
  story: '',
  verdict: null,
  finished: [],
  backends: [],
  before: [],
} satisfies Frame;

let written: string[];

function view(terminal: Partial<NodeJS.WriteStream>): View {
  const stream = new PassThrough();
  stream.on('data', (chunk: Buffer) => written.push(chunk.toString()));
  return openView(Object.assign(stream, terminal) as unknown as NodeJS.WriteStream);
}

beforeEach(() => {
  written = [];
});

test('on a terminal each frame is one write over the last one, which never clears what it fills', () => {
  const screen = view({ isTTY: true, columns: 80, rows: 24 });
  screen.frame(frame);
  screen.frame(frame);
  expect(written).toHaveLength(2);
  // Seven lines up: the frame has six, and a line end.
  expect(written[1]).toContain('\x1b[6A\r');
  expect(written[1]).not.toContain('\x1b[2J');
});

test('no line is wider than the terminal, and no frame higher', () => {
  view({ isTTY: true, columns: 20, rows: 4 }).frame(frame);
  // oxlint-disable-next-line no-control-regex -- escape sequences take no room
  const lines = (written[0] ?? '').replaceAll(/\x1b\[[?0-9;]*[a-zA-Z]/g, '').split('\n');
  expect(lines.slice(0, -1)).toHaveLength(3);
  expect(Math.max(...lines.map((line) => line.length))).toBe(20);
});

test('the cursor is restored, and later lines go below the table', () => {
  const screen = view({ isTTY: true, columns: 80, rows: 24 });
  screen.frame(frame);
  screen.close();
  screen.line('the end');
  expect(written.slice(1)).toEqual(['\x1b[?25h', 'the end\n']);
});

test('a pipe gets plain lines, at most one every two seconds', () => {
  const log = view({ isTTY: false });
  for (const elapsedSeconds of [0.5, 2, 2.25, 3.9, 4]) log.frame({ ...frame, elapsedSeconds });
  expect(written).toEqual([
    '   2 s  least_request: 1 calls/s, errors 0, p50 1.0 ms, p99 1.0 ms, shares  %\n',
    '   4 s  least_request: 1 calls/s, errors 0, p50 1.0 ms, p99 1.0 ms, shares  %\n',
  ]);
});
