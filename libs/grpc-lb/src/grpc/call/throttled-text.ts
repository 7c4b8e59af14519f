import type { CallThrottle } from '../../core/call/call-throttle.js';

/** Why a call was refused, and what to do, for the caller and for the operator. */
export function throttledText(client: string, method: string, { counts, rule }: CallThrottle): string {
  const { requests, accepts, window } = counts;
  return (
    `client ${client}: ${method} is throttled, and this call was not sent: backends accepted ${accepts} of ${requests} ` +
    `calls in the last ${window / 1000} s; calls pass again as soon as backends accept them. ` +
    `Find out why they reject calls, or make fewer (throttle.multiplier ${rule.multiplier})`
  );
}
