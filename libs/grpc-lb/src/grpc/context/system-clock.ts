import type { Clock } from '../../core/clock.js';
import { outside } from './outside.js';

/** The longest delay of a timer of Node.js; with more it fires at once. */
const LONGEST_MS = 2 ** 31 - 1;

/** Real time: monotonic, with timers that do not keep the process alive. */
export const systemClock: Clock = {
  now: () => performance.now(),
  after(delayMs, callback) {
    const timer = outside(() => setTimeout(callback, Math.min(delayMs, LONGEST_MS))).unref();
    return () => clearTimeout(timer);
  },
};
