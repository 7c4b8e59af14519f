import type { Peer } from './peer.js';

/** Endpoints whose calls time out within this time of each other do so for the same reason. */
const TOGETHER_MS = 2000;
/** After most have timed out, timeouts say nothing of single ones for so long: some work off their queues sooner. */
const LASTS_MS = 10_000;

/**
 * Whether calls time out everywhere: too many for all, or a dependency that all share. An endpoint is slow then, and not
 * broken, and to leave it out would only put its calls on others that are as slow.
 */
export class SharedSlowness {
  readonly #timedOutAt = new WeakMap<Peer, number>();
  #until = -Infinity;

  /** A call to `self` has timed out. Returns whether that is no fault of its own; `begins` if it was one until now. */
  timedOut(self: Peer, peers: readonly Peer[], now: number): 'own' | 'begins' | 'shared' {
    this.#timedOutAt.set(self, now);
    const before = now < this.#until;
    // Once in a while is enough: there may be thousands of both.
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
