import type { Carrier } from './link.js';
import type { Member } from './member.js';

/**
 * Opens a connection for calls that wait because all are full: to the endpoint with the fewest of those that may have
 * another (gRFC A105), unless enough is under way already.
 */
export function growFor<C extends Carrier>(pending: number, members: readonly Member<C>[]): void {
  let roomToCome = 0;
  let smallest: Member<C> | undefined;
  for (const member of members) {
    roomToCome += member.link.roomToCome;
    if (member.link.canGrow && (!smallest || member.link.size < smallest.link.size)) smallest = member;
  }
  if (roomToCome <= pending) smallest?.link.grow();
}
