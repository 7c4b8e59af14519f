import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { readPage, ROOT, tableOf } from './pages.js';

const path = 'docs/operations/production-checklist.md';
const page = readPage(path);
const text = readFileSync(join(ROOT, path), 'utf8');
const items = text.split(/^### /m).slice(1);

test('every item of the production checklist says why, what to do, and how to check it', () => {
  expect(items.length).toBeGreaterThan(15);
  for (const [index, item] of items.entries()) {
    expect(item).toMatch(new RegExp(`^${index + 1}\\. `));
    expect([...item.matchAll(/^\*\*(\w+)\.\*\*/gm)].map(([, part]) => part)).toEqual(['Why', 'Do', 'Check']);
  }
});

test('its introduction counts the items of each part', () => {
  const starts = text
    .split(/^## /m)
    .slice(1)
    .map((part) => Number(/^### (\d+)/m.exec(part)![1]));
  const ranges = starts.map((first, i) => `${first} to ${(starts[i + 1] ?? items.length + 1) - 1}`);
  for (const range of ranges) expect(text.split('\n')[2]).toContain(range);
});

test('the lines that it says to look for are those that the package logs', () => {
  const sources = join(ROOT, 'libs/grpc-lb/src');
  const code = readdirSync(sources, { recursive: true, encoding: 'utf8' })
    .filter((name) => /(?<!\.test)\.ts$/.test(name))
    .map((name) => readFileSync(join(sources, name), 'utf8'))
    .join('\n');
  const lines = tableOf(page, 'Line').rows.map(([line]) => line!.replaceAll('`', ''));
  expect(lines.length).toBeGreaterThan(5);
  for (const part of lines.flatMap((line) => line.split('...'))) expect(code).toContain(part.trim());
});
