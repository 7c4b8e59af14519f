import type { Ending } from './stream-end.js';

/** Why a server sheds a call. `event_loop_delay`: its event loop is late. `concurrency`: it works on too many calls. */
export type SheddingReason = 'event_loop_delay' | 'concurrency';

/**
 * Why a server refused a call without starting its handler. `deadline_passed`: the deadline was over. `deadline_hopeless`:
 * less time was left than the method lately takes. The others: it was shed.
 */
export type RefusalReason = 'deadline_passed' | 'deadline_hopeless' | SheddingReason;

/** How a call ends that the server refuses. */
export interface Refusal extends Ending {
  readonly reason: RefusalReason;
}
