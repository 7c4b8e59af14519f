import type { Visits } from '../../core/balancing/calls/visits.js';
import type { CallPlan } from '../../core/call/call-plan.js';
import type { Connection } from '../endpoint/connection.js';
import type { StreamSlot } from './stream-slot.js';
import type { WireAttempt } from './wire-attempt.js';

/** Where a call has been, and where its next attempt may go. */
export function visitsOf(
  attempts: readonly WireAttempt[],
  { placing, onlyElsewhere }: Pick<CallPlan<WireAttempt>, 'placing' | 'onlyElsewhere'>,
  slot: StreamSlot | undefined,
  hashKey: string | undefined,
): Visits<Connection> {
  const transparently = placing === 'transparent' ? 'untried_or_new_connection' : undefined;
  return {
    all: attempts,
    tried: attempts.map(({ endpoint }) => endpoint),
    only: onlyElsewhere ? 'untried' : transparently,
    // A key decides where a stream is; it moves only when its key does.
    leaving: hashKey === undefined ? slot?.leaving : undefined,
    to: slot?.to,
  };
}
