import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import { Budget } from './budget.js';

beforeEach(() => {
  vi.useFakeTimers({ toFake: ['performance'] });
});
afterEach(() => {
  vi.useRealTimers();
});

test('a step gets its time in proportion to the total', () => {
  expect(new Budget(4500).step(1000)).toBe(1000);
  expect(new Budget(9000).step(1000)).toBe(2000);
  expect(new Budget(900).step(1000)).toBe(200);
});

test('all steps together stay within the total', () => {
  const budget = new Budget(1000);
  vi.advanceTimersByTime(900);
  expect(budget.step(4500)).toBe(100);
  expect(budget.spent).toBe(false);
  vi.advanceTimersByTime(51);
  expect(budget.spent).toBe(true);
  vi.advanceTimersByTime(100);
  expect(budget.step(4500)).toBe(1);
});
