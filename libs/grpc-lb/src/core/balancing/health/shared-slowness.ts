import type { Peer } from './peer.js';

/** Timeouts of different endpoints within this time have a common cause. */
const TOGETHER_MS = 2000;
/**
 * After most endpoints have timed out, timeouts say nothing about single ones for this long: some drain their queues
 * sooner than others.
 */
const LASTS_MS = 10_000;

/**
 * Detects that calls time out everywhere, because of overload or of a shared dependency. An endpoint is then slow but
 * not broken, and ejecting it would only move its calls to others that are as slow.
 */
export class SharedSlowness {
  readonly #timedOutAt = new WeakMap<Peer, number>();
  #until = -Infinity;

  /**
   * Records that a call to `self` timed out. Returns `own` if the endpoint is at fault, `begins` when a shared slowness
   * begins, `shared` while it lasts.
   */
  timedOut(self: Peer, peers: readonly Peer[], now: number): 'own' | 'begins' | 'shared' {
    this.#timedOutAt.set(self, now);
    const before = now < this.#until;
    // Check only once in a while: there may be thousands of endpoints and of timeouts.
    if (before && this.#until - now > LASTS_MS * 0.9) return 'shared';
    if (this.#mostTimeOut(self, peers, now)) this.#until = now + LASTS_MS;
    else if (!before) return 'own';
    return before ? 'shared' : 'begins';
  }

  #mostTimeOut(self: Peer, peers: readonly Peer[], now: number): boolean {
    let others = 0;
    let late = 0;
    for (const peer of peers) {
      if (peer === self || peer.ejected || now - peer.recent.lastAt > TOGETHER_MS) continue;
      others++;
      if (now - (this.#timedOutAt.get(peer) ?? -Infinity) <= TOGETHER_MS) late++;
    }
    return late * 2 > others;
  }
}
