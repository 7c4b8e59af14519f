import { type CriticalityLevel, isCriticality, lessImportant } from '../../core/call/criticality.js';
import type { HandledCall } from '../../handled-call/handled-call.js';

/**
 * How important a call is: the less important of what its options say and of the call whose handler makes it. Work for a
 * report is no more important because it calls a client whose other calls are.
 */
export function criticalityOf(
  ofOptions: CriticalityLevel | undefined,
  handled: HandledCall | undefined,
): CriticalityLevel | undefined {
  const ofHandled = handled?.criticality;
  return isCriticality(ofHandled) ? lessImportant(ofOptions, ofHandled) : ofOptions;
}
