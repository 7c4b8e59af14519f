import { EventEmitter } from 'node:events';
import { type Deadline, propagate } from '@grpc/grpc-js';
import { follow } from './parent-followers.js';

/** The call that a server handles, from which a call inherits its deadline and cancellation. */
export interface ParentCall {
  on(event: 'cancelled', listener: () => void): unknown;
  off(event: 'cancelled', listener: () => void): unknown;
  getDeadline(): Deadline;
  readonly cancelled: boolean;
}

/** Beside grpc-js's flags: the call inherits from the handler's call, whatever the options of its method say. */
export const INHERIT_ALWAYS = 0x1_0000;

/**
 * What a call inherits from: the parent that its caller names, or the call whose handler makes it.
 *
 * @param inherits Whether the options of its method let it inherit from that.
 */
export function parentOf(
  parent: ParentCall | null,
  handled: ParentCall | undefined,
  flags: number,
  inherits: boolean,
): ParentCall | null {
  if (parent !== null) return parent;
  return handled !== undefined && (inherits || (flags & INHERIT_ALWAYS) !== 0) ? handled : null;
}

/**
 * A call takes about as long to its server and back. With less time left its answer could not come in time, and its
 * handler would often start after the deadline: `grpc-timeout` counts from when the server reads it.
 */
const LEAST_MS = 2;

/**
 * The deadline that a call inherits, in milliseconds since the epoch; Infinity for none. It has passed if so little time
 * is left that the call is not worth sending.
 *
 * @param flags Which parts of the parent apply, as in `propagate` of grpc-js.
 */
export function inheritedDeadline(parent: ParentCall | null, flags: number, now: number): number {
  if (!parent || (flags & propagate.DEADLINE) === 0) return Infinity;
  const deadline = Number(parent.getDeadline());
  return deadline - now > LEAST_MS ? deadline : Math.min(deadline, now);
}

/** Calls back when the parent is cancelled, at once if it is already. Returns a function that stops listening. */
export function onParentCancelled(
  parent: ParentCall | null,
  flags: number,
  cancelled: () => void,
): (() => void) | undefined {
  if (!parent || (flags & propagate.CANCELLATION) === 0) return undefined;
  // It emits no event any more.
  if (parent.cancelled) {
    cancelled();
    return undefined;
  }
  if (parent instanceof EventEmitter) return follow(parent, cancelled);
  parent.on('cancelled', cancelled);
  return () => parent.off('cancelled', cancelled);
}
