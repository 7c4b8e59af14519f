import { type Distribution, exponential } from '../engine/distributions.js';
import type { Method } from '../workload.js';

/** Ten backends that each work on eight calls at a time. */
export const TEN = { servers: 10, slots: 8, capacity: 80 } as const;

/** One method, with one answer. */
export function unary(work: Distribution): readonly Method[] {
  return [{ name: 'Find', share: 1, work }];
}

/** Work for scenarios that are about something else: 20 ms on average, memoryless. */
export const USUAL = unary(exponential(20));

export const SECOND = 1000;
