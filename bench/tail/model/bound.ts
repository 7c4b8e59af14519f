import type { Calls } from './calls.js';
import type { RunSpec } from './run-spec.js';
import { BACKENDS, scenarioNamed, SLOTS } from './scenario.js';

/**
 * The bound: how long the same calls take in one line for all slots of all backends that do not fail, first come, first
 * served, the fastest free slot first, with no network, no timers and no CPU. Those of the warm-up are left out.
 */
export function centralQueue(spec: RunSpec, calls: Calls): Float64Array {
  const scenario = scenarioNamed(spec.scenario);
  const slowness = scenario.slowness(spec.seed);
  const slotsOf = (backend: number) => Array.from({ length: SLOTS }, () => ({ backend, freeAt: 0 }));
  let slots = Array.from({ length: BACKENDS }, (_, backend) => slotsOf(backend)).flat();
  const latencies = new Float64Array(calls.count - calls.firstMeasured);
  for (let i = 0; i < calls.count; i++) {
    const at = calls.at[i]!;
    if (i === calls.firstMeasured) slots = slots.filter(({ backend }) => !scenario.fails(backend));
    // The line moves when the first slot gets free; of those that are free by then, the fastest is taken.
    const start = Math.max(
      at,
      slots.reduce((earliest, { freeAt }) => Math.min(earliest, freeAt), Infinity),
    );
    const second = Math.floor(start / 1000);
    const speed = (slot: (typeof slots)[number]): number => slowness(slot.backend, second);
    const fastest = slots
      .filter(({ freeAt }) => freeAt <= start)
      .reduce((best, slot) => (speed(slot) < speed(best) ? slot : best));
    fastest.freeAt = start + calls.work[i]! * speed(fastest);
    // A caller waits no longer than the deadline there either.
    if (i >= calls.firstMeasured) latencies[i - calls.firstMeasured] = Math.min(spec.deadline, fastest.freeAt - at);
  }
  return latencies;
}
