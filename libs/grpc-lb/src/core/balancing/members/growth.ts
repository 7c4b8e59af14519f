import type { Carrier } from './link.js';
import type { Member } from './member.js';

/**
 * Opens a connection for calls that are pending because all connections are full: to the endpoint with the fewest
 * connections among those that may open another (gRFC A105), unless the connections being opened will suffice.
 *
 * @param pending How many calls are, or are about to be.
 */
export function growFor<C extends Carrier>(pending: number, members: readonly Member<C>[]): void {
  let roomToCome = 0;
  let smallest: Member<C> | undefined;
  for (const member of members) {
    roomToCome += member.link.roomToCome;
    if (member.link.canGrow && (!smallest || member.link.size < smallest.link.size)) smallest = member;
  }
  if (roomToCome < pending) smallest?.link.grow();
}
