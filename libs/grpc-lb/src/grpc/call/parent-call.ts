import { type Deadline, propagate } from '@grpc/grpc-js';

/** The call that a server handles, from which a call inherits its deadline and cancellation. */
export interface ParentCall {
  on(event: 'cancelled', listener: () => void): unknown;
  off(event: 'cancelled', listener: () => void): unknown;
  getDeadline(): Deadline;
  readonly cancelled: boolean;
}

/**
 * The deadline that a call inherits, in milliseconds since the epoch; Infinity for none.
 *
 * @param flags Which parts of the parent apply, as in `propagate` of grpc-js.
 */
export function inheritedDeadline(parent: ParentCall | null, flags: number): number {
  if (!parent || (flags & propagate.DEADLINE) === 0) return Infinity;
  const deadline = parent.getDeadline();
  return deadline instanceof Date ? deadline.getTime() : deadline;
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
  parent.on('cancelled', cancelled);
  return () => parent.off('cancelled', cancelled);
}
