import type { Cancel, Clock } from '../../clock.js';
import type { EffectiveEjectionOptions } from '../../options/ejection-options.js';
import { clearlyBelow, exceedsChance, likelyShare } from './chance.js';
import { CommonFailures } from './common-failures.js';
import { tallyOthers } from './others.js';
import type { Peer, Tally, Verdict } from './peer.js';
import type { ResultKind } from './recent-results.js';
import { SharedSlowness } from './shared-slowness.js';

/** An endpoint is worse than the others where that comes by chance less often than this. */
const CHANCE = 1e-6;
/** An ejection is withdrawn when what others do since makes its reason as likely as this. */
const DOUBT = 1e-3;
/** An endpoint refuses more calls than the others where that comes by chance less often than this. */
const REFUSAL_CHANCE = 0.01;
/** How the others are now shows in no older results. */
const RECENT_MS = 5000;
/** How often what fades with time is brought up to date. */
const DECAY_INTERVAL_MS = 250;
/** Failures that come together, in one read of a socket, are looked at together. */
const REVIEW_AFTER_MS = 10;

/**
 * The endpoints of one client, each compared with all the others. What happens to all of them is no fault of one: an
 * endpoint is ejected, and its load multiplied, only for failures that exceed those of the others by more than chance.
 */
export class PeerComparison {
  readonly #peers: Peer[] = [];
  readonly #slowness = new SharedSlowness();
  readonly #common = new CommonFailures();
  /** Recent results of all, and how many of them were refused. */
  #results = 0;
  #refused = 0;
  #cursor = 0;
  #cancelDecay: Cancel | undefined;
  #cancelReview: Cancel | undefined;

  constructor(
    private readonly clock: Clock,
    private readonly options: () => EffectiveEjectionOptions,
  ) {}

  join(peer: Peer): void {
    this.#peers.push(peer);
    this.#common.invalidate();
  }

  leave(peer: Peer): void {
    this.forget(peer);
    const at = this.#peers.indexOf(peer);
    if (at >= 0) this.#peers.splice(at, 1);
    if (this.#peers.length > 0) return;
    this.#cancelDecay?.();
    this.#cancelReview?.();
    this.#cancelDecay = this.#cancelReview = undefined;
  }

  /** What is known of its recent results says nothing any more. */
  forget({ recent }: Peer): void {
    this.#results -= recent.size;
    this.#refused -= recent.refused;
    recent.clear();
    this.#common.invalidate();
  }

  /** A call to it has ended. Returns false for what says nothing about it, as most of the others are as slow. */
  record(peer: Peer, kind: ResultKind, now: number): boolean {
    const { size, refused } = peer.recent;
    peer.recent.record(kind, now);
    this.#results += peer.recent.size - size;
    this.#refused += peer.recent.refused - refused;
    if (kind !== 'timed_out') return true;
    const slow = this.#slowness.timedOut(peer, this.#peers, now);
    if (slow === 'begins') for (const each of this.#peers) each.forgetFailures();
    if (slow !== 'own') this.#reviewSoon();
    return slow === 'own';
  }

  /** The share of failures that an endpoint may have without being worse than the others. */
  get allowed(): number {
    return this.#common.allowed;
  }

  /** Its share of failures has changed. */
  refresh(peer: Peer, failed: boolean): void {
    if (failed) {
      this.#common.failed();
      if (this.#common.isDue(this.#peers)) this.#refreshAll();
      if (!peer.ejected) this.#reviewSoon();
    }
    if (peer.refresh() && this.#peers.length > 0)
      this.#cancelDecay ??= this.clock.after(DECAY_INTERVAL_MS, this.#decay);
  }

  /** Whether to eject it: it is worse than the others, and enough of them are left. */
  confirms(peer: Peer, verdict: Verdict): boolean {
    const { maxEjectionPercent } = this.options();
    let connected = 1;
    let ejected = 0;
    let anyHealthy = false;
    for (const other of this.#peers) {
      if (other === peer || !other.connected) continue;
      connected++;
      if (other.ejected) ejected++;
      if (other.healthy) anyHealthy = true;
    }
    return anyHealthy && mayEject(ejected, connected, maxEjectionPercent) && this.#isWorse(peer, verdict);
  }

  /** Whether it refuses more calls than the others: where all do, that is how the service answers. */
  refusesMore({ recent }: Peer): boolean {
    const others = this.#results - recent.size;
    const share = others > 0 ? (this.#refused - recent.refused) / others : 0;
    return exceedsChance(recent.refused, recent.size, share, REFUSAL_CHANCE);
  }

  #isWorse(peer: Peer, { failures, calls, since, inARow }: Verdict): boolean {
    // What the others have done meanwhile, as trouble may just have begun; and lately, as that may be few calls.
    const share = Math.max(this.#likelyOf(peer, since), this.#likelyOf(peer, this.clock.now() - RECENT_MS));
    if (inARow) return exceedsChance(failures, calls, share, CHANCE);
    const window = tallyOthers(this.#peers, peer, this.#cursor, ({ results }) => ({
      calls: results.calls,
      failures: results.calls * (1 - results.rate),
    }));
    const common = Math.max(share, likelyShare(window.failures, window.calls));
    const { successRate } = this.options();
    return (
      clearlyBelow(successRate * (1 - common), 1 - failures / calls, calls) &&
      exceedsChance(failures, calls, common, CHANCE)
    );
  }

  #likelyOf(peer: Peer, since: number): number {
    const { failures, calls } = this.#othersSince(peer, since);
    return likelyShare(failures, calls);
  }

  #othersSince(peer: Peer, since: number): Tally {
    this.#cursor = this.#peers.length > 0 ? (this.#cursor + 1) % this.#peers.length : 0;
    return tallyOthers(this.#peers, peer, this.#cursor, ({ recent }) => recent.since(since));
  }

  #refreshAll(): void {
    this.#common.update(this.#peers, this.clock.now());
    for (const peer of this.#peers) peer.refresh();
  }

  /** Failures are forgotten with time, also of endpoints that get no calls. */
  readonly #decay = (): void => {
    this.#common.update(this.#peers, this.clock.now());
    let fading = false;
    for (const peer of this.#peers) if (peer.refresh()) fading = true;
    this.#cancelDecay = fading ? this.clock.after(DECAY_INTERVAL_MS, this.#decay) : undefined;
  };

  #reviewSoon(): void {
    if (this.#cancelReview || this.#peers.every(({ verdict }) => verdict === undefined)) return;
    this.#cancelReview = this.clock.after(REVIEW_AFTER_MS, this.#review);
  }

  /** Takes back ejections of endpoints that turn out to do no worse than the others: their failures were only the first. */
  readonly #review = (): void => {
    this.#cancelReview = undefined;
    for (const peer of this.#peers) {
      const { verdict } = peer;
      if (!verdict) continue;
      const { failures, calls } = this.#othersSince(peer, verdict.since);
      // A single failure may happen to anybody.
      if (failures >= 2 && !exceedsChance(verdict.failures, verdict.calls, failures / calls, DOUBT)) peer.withdraw();
    }
  };
}

/** Whether one more of `total` endpoints may be ejected: a share of them, at least one (gRFC A50), but never the last. */
export function mayEject(ejected: number, total: number, maxEjectionPercent: number): boolean {
  if (ejected + 1 >= total) return false;
  return maxEjectionPercent > 0 && (ejected === 0 || ((ejected + 1) * 100) / total <= maxEjectionPercent);
}
