import { onTestFinished, vi } from 'vitest';

/**
 * From now on timers, dates and `performance.now()` of this process stand still, but for `vi.advanceTimersByTime()`, until
 * the test ends: what must happen before a timer does so on the busiest machine. Sockets go on. Call it when what the
 * test needs is connected, and end what it has started: the closings of the test run in real time.
 */
export function holdTime(): void {
  vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout', 'Date', 'performance'] });
  onTestFinished(() => void vi.useRealTimers());
}
