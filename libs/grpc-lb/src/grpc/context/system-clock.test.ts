import { expect, onTestFinished, test, vi } from 'vitest';
import { systemClock } from './system-clock.js';

test('a delay that is too long for a timer, as a server may ask for by its pushback, is not a short one', () => {
  vi.useFakeTimers();
  onTestFinished(() => void vi.useRealTimers());
  const due = vi.fn<() => void>();
  const cancel = systemClock.after(1e12, due);
  vi.advanceTimersByTime(86_400_000);
  expect(due).not.toHaveBeenCalled();
  cancel();
  expect(vi.getTimerCount()).toBe(0);
});
