import { expect, test } from 'vitest';
import { simOptions } from '../../bench/sim/options.js';
import type { Task } from '../../bench/sim/plan.js';
import { Progress } from '../../bench/sim/progress.js';

const task = (scenario: string, seed: number): Task => ({
  scenario,
  load: 0.7,
  clients: [10],
  seed,
  subjects: [],
  balancing: {},
  stretch: 1,
});
const TASKS = [task('equal', 1), task('few', 1), task('equal', 2)];

function written(isTTY: boolean): string {
  let words = '';
  const progress = new Progress(TASKS, { isTTY, write: (each) => (words += each) });
  for (const each of TASKS) progress.done(each, 1.25);
  progress.end();
  return words;
}

test('names each scenario when all of its tasks are done, with the seconds of all of them', () => {
  expect(written(false)).toBe('few: 1.3 s; 1 of 2 scenarios\nequal: 2.5 s; 2 of 2 scenarios\n');
});

test('counts tasks in one line on a terminal', () => {
  expect(written(true)).toBe('\r1 of 3 \r2 of 3 \r3 of 3 \r');
});

test('results may come from several files', () => {
  expect(simOptions(['--from', 'a.json,b.json']).from).toEqual(['a.json', 'b.json']);
  expect(simOptions([]).from).toBeUndefined();
});
