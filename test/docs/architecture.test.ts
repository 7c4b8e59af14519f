import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { ROOT } from './pages.js';

const page = readFileSync(join(ROOT, 'docs/reference/architecture.md'), 'utf8');

interface Hop {
  readonly file: string;
  /** As in `Picker.pick`, or a function. */
  readonly name: string;
}

/** The hops of a table under a heading or after a line, up to the next heading. */
function hopsAfter(text: string): Hop[] {
  const start = page.indexOf(text);
  expect(start).toBeGreaterThan(0);
  const end = page.indexOf('\n## ', start);
  const rows = page.slice(start, end).matchAll(/^\| \d+ +\| `([^`]+)` +\| [^|`]*`([^`]+)`/gm);
  return [...rows].map(([, file = '', name = '']) => ({ file, name }));
}

const call = hopsAfter('## The walk of a call');
const list = hopsAfter('The walk of a list');
const back = call.findIndex(({ name }) => name === 'Statuses.kindOf');

test('a call takes 20 hops at most, and a list 16', () => {
  expect(call.length).toBeGreaterThan(10);
  expect(call.length).toBeLessThanOrEqual(20);
  expect(list.length).toBeGreaterThan(10);
  expect(list.length).toBeLessThanOrEqual(16);
});

test('no class is visited twice on one path', () => {
  for (const way of [call.slice(0, back), call.slice(back), list]) {
    const classes = way.map(({ name }) => name.split('.')[0]);
    expect(new Set(classes).size).toBe(classes.length);
  }
});

describe('every hop exists', () => {
  test.each([...call, ...list])('$file: $name', ({ file, name }) => {
    const path = join(ROOT, 'libs/grpc-lb/src', file);
    expect(existsSync(path)).toBe(true);
    const source = readFileSync(path, 'utf8');
    for (const part of name.split('.')) expect(source).toContain(part);
  });
});
