import type { Clock } from '../../core/clock.js';
import { OwnStall } from '../../core/own-stall.js';

const byClock = new WeakMap<Clock, OwnStall>();

/** Returns one instance per clock: a process has one event loop, whatever the number of its clients. */
export function ownStallOf(clock: Clock): OwnStall {
  let ownStall = byClock.get(clock);
  if (!ownStall) byClock.set(clock, (ownStall = new OwnStall(clock)));
  return ownStall;
}
