import type { Peer, Tally } from './peer.js';

/** Results that are enough to compare with: a look at thousands of endpoints ends there. */
const ENOUGH = 400;

/**
 * What calls to the other endpoints have come to, by a tally of each. Those that are ejected or accused themselves do not
 * count: of three endpoints two may be ill. Where all are accused, it is nothing of theirs, and all count.
 */
export function tallyOthers(
  peers: readonly Peer[],
  self: Peer,
  /** Where to begin, so that not always the same are asked where there are many. */
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
