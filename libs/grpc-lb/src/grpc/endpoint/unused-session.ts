import type { Clock } from '../../core/clock.js';
import { outside } from '../context/outside.js';
import type { PeerConnection } from '../experimental.js';

/** How long the session of a connection without calls may take to close. */
const CLOSES_WITHIN_MS = 10_000;

/**
 * Ends the session of a connection that gets no more calls, if it does not end by itself after its last one. Node 20
 * hears neither the end of the socket nor `close()` after the peer has broken a rule of HTTP/2: such a session would
 * keep its socket and its memory, and so would each one that follows it.
 */
export function endUnused(peer: PeerConnection, isUnused: () => boolean, clock: Clock): void {
  if (peer.destroyed) return;
  const check = (): void => {
    if (isUnused()) peer.destroy();
    else cancel = clock.after(CLOSES_WITHIN_MS, check);
  };
  let cancel = outside(() => clock.after(CLOSES_WITHIN_MS, check));
  peer.onClosed(() => cancel());
}
