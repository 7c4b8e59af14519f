import { expect, test } from 'vitest';
import { FakeClock } from '../../../../test/support/time/fake-clock.js';
import { WorkBudget } from './work-budget.js';

test('work is done at once until the burst is used up, and takes a bounded share of the time from then on', () => {
  const clock = new FakeClock();
  const budget = new WorkBudget(clock, { burst: 100, perMs: 2 });
  expect(budget.wait).toBe(0);
  budget.take(60);
  budget.take(60);
  expect(budget.wait).toBe(10);
  clock.advance(10);
  expect(budget.wait).toBe(0);
  budget.take(50);
  expect(budget.wait).toBe(25);
});

test('rest gives back the burst, and no more', () => {
  const clock = new FakeClock();
  const budget = new WorkBudget(clock, { burst: 100, perMs: 2 });
  budget.take(100);
  clock.advance(1_000_000);
  budget.take(101);
  expect(budget.wait).toBe(0.5);
});
