import type { Clock } from '../../core/clock.js';
import { systemClock } from './system-clock.js';

/**
 * What the cost of some code is measured with: milliseconds that this process has worked. The time in which it waited for
 * a CPU, or was stopped, is no cost. Where time is virtual, it is that time.
 */
export function workTimeOf(clock: Clock): number {
  if (clock !== systemClock) return clock.now();
  const { user, system } = process.cpuUsage();
  return (user + system) / 1000;
}
