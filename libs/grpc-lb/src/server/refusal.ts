import type { Ending } from './stream-end.js';

/**
 * Why a server refused a call without starting its handler. `deadline_passed`: the deadline was over. `deadline_hopeless`:
 * less time was left than the method lately takes.
 */
export type RefusalReason = 'deadline_passed' | 'deadline_hopeless';

/** How a call ends that the server refuses. */
export interface Refusal extends Ending {
  readonly reason: RefusalReason;
}
