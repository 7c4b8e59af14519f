import type { Cancel, Clock } from '../../core/clock.js';

/** A clock whose timers run in the async context of a subscriber. */
export class ScopedClock implements Clock {
  constructor(
    private readonly clock: Clock,
    private readonly scope: { runInAsyncScope(action: () => void): void },
  ) {}

  now(): number {
    return this.clock.now();
  }

  after(delayMs: number, callback: () => void): Cancel {
    return this.clock.after(delayMs, () => this.scope.runInAsyncScope(callback));
  }
}
