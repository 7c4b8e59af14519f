import type { Peer, Tally } from './peer.js';

/** Results that suffice for a comparison; with thousands of endpoints the loop ends there. */
const ENOUGH = 400;

/**
 * Sums up the calls to the other endpoints, given a tally for each. Endpoints that are ejected or accused themselves do
 * not count: two of three endpoints may be unhealthy. If all are accused, the cause is a common one, and all count.
 */
export function tallyOthers(
  peers: readonly Peer[],
  self: Peer,
  /** Where the loop starts, so that with many endpoints it does not always ask the same ones. */
  start: number,
  tally: (peer: Peer) => Tally,
): Tally {
  const sound = { calls: 0, failures: 0 };
  const accused = { calls: 0, failures: 0 };
  for (let i = 0; i < peers.length && sound.calls + accused.calls < ENOUGH; i++) {
    const peer = peers[(start + i) % peers.length]!;
    if (peer === self || peer.ejected || !peer.connected) continue;
    const sum = peer.accused ? accused : sound;
    const { calls, failures } = tally(peer);
    sum.calls += calls;
    sum.failures += failures;
  }
  return sound.calls > 0 ? sound : accused;
}
