import type { Clock } from '../../core/clock.js';
import { outside } from './outside.js';

/** Real time: monotonic, with timers that do not keep the process alive. */
export const systemClock: Clock = {
  now: () => performance.now(),
  after(delayMs, callback) {
    const timer = outside(() => setTimeout(callback, delayMs)).unref();
    return () => clearTimeout(timer);
  },
};
