import type { AttemptEnd } from './attempt-end.js';
import type { ThrottleRule, Verdict } from './call-throttle.js';

/** gRPC's status code DEADLINE_EXCEEDED. */
const DEADLINE_EXCEEDED = 4;

/** Says whether the failure of an attempt says nothing about the backends at large. */
export interface Excuses<A> {
  isExcused(attempt: A): boolean;
}

/**
 * What the status of a call says about its backends. An answer such as NOT_FOUND shows that the backend has done its work.
 *
 * @param attempt The one whose status it is; undefined if it was not sent.
 */
export function verdictOnStatus<A>(
  { rejectionCodes }: ThrottleRule,
  attempt: A | undefined,
  { code, timedOut, local }: AttemptEnd,
  excuses: Excuses<A>,
): Verdict {
  if (attempt === undefined || local) return 'unknown';
  if (!timedOut && !rejectionCodes.has(code)) return 'accepted';
  return excuses.isExcused(attempt) ? 'unknown' : 'rejected';
}

/**
 * What it says that a call has reached its deadline. Nothing is known of the backends if none has the call.
 *
 * @param attempts Those that are running, else the last one that failed.
 */
export function verdictOnLateness<A>(
  { rejectionCodes }: ThrottleRule,
  attempts: readonly A[],
  excuses: Excuses<A>,
): Verdict {
  if (!rejectionCodes.has(DEADLINE_EXCEEDED)) return 'unknown';
  return attempts.some((attempt) => !excuses.isExcused(attempt)) ? 'rejected' : 'unknown';
}
