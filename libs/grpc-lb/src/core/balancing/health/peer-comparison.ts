import type { Cancel, Clock } from '../../clock.js';
import type { EffectiveEjectionOptions } from '../../options/ejection-options.js';
import { type EjectionObstacle, Totals } from '../../totals.js';
import { clearlyBelow, exceedsChance, likelyShare } from './chance.js';
import { CommonFailures } from './common-failures.js';
import { tallyOthers } from './others.js';
import type { Peer, Tally, Verdict } from './peer.js';
import type { ResultKind } from './recent-results.js';
import { SharedSlowness } from './shared-slowness.js';

/** An endpoint is worse than the others if chance explains the difference with less than this probability. */
const CHANCE = 1e-6;
/** An ejection is withdrawn if later results of the others make its reason at least this likely. */
const DOUBT = 1e-3;
/** An endpoint refuses more calls than the others if chance explains the difference with less than this probability. */
const REFUSAL_CHANCE = 0.01;
/** Older results do not show the current state of the other endpoints. */
const RECENT_MS = 5000;
/** How often values that fade with time are updated. */
const DECAY_INTERVAL_MS = 250;
/** Failures that arrive together, in one read of a socket, are reviewed together. */
const REVIEW_AFTER_MS = 10;

/**
 * Compares each endpoint of a client with all the others. A failure that all of them share is not the fault of one: an
 * endpoint is ejected, and its load multiplied, only for failures that exceed those of the others by more than chance.
 */
export class PeerComparison {
  #members: Peer[] = [];
  /** Peers that have left and are still in the array. */
  readonly #left = new Set<Peer>();
  readonly #slowness = new SharedSlowness();
  readonly #common = new CommonFailures();
  /** Recent results of all endpoints, and how many of them are refusals. */
  #results = 0;
  #refused = 0;
  #cursor = 0;
  #cancelDecay: Cancel | undefined;
  #cancelReview: Cancel | undefined;

  constructor(
    private readonly clock: Clock,
    private readonly options: () => EffectiveEjectionOptions,
    /** Counts ejections. */
    readonly totals = new Totals(),
  ) {}

  /** Removes those that have left in one pass, since there may be thousands. */
  get #peers(): readonly Peer[] {
    if (this.#left.size > 0) {
      this.#members = this.#members.filter((peer) => !this.#left.has(peer));
      this.#left.clear();
    }
    return this.#members;
  }

  join(peer: Peer): void {
    if (this.#left.has(peer)) this.#members = [...this.#peers];
    this.#members.push(peer);
    this.#common.invalidate();
  }

  leave(peer: Peer): void {
    this.forget(peer);
    this.#left.add(peer);
    if (this.#members.length > this.#left.size) return;
    this.#cancelDecay?.();
    this.#cancelReview?.();
    this.#cancelDecay = this.#cancelReview = undefined;
  }

  /** Discards its recent results, because they are out of date. */
  forget({ recent }: Peer): void {
    this.#results -= recent.size;
    this.#refused -= recent.refused;
    recent.clear();
    this.#common.invalidate();
  }

  /**
   * Records the end of a call. Returns false if the result says nothing about the endpoint, because most others are as
   * slow.
   */
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

  /** The failure rate that an endpoint may have without being worse than the others. */
  get allowed(): number {
    return this.#common.allowed;
  }

  /** Whether an outage that all endpoints shared has just ended, or is about to. */
  returning(now: number): boolean {
    return this.#common.returning(now);
  }

  /** Whether some of them do not fail any more, and the others probably return soon. */
  ending(now: number): boolean {
    return this.#common.ending(now);
  }

  /** Whether at least two endpoints have recent results, so that one can be worse than another. */
  get comparable(): boolean {
    return this.#common.comparable;
  }

  /** Called when its failure rate has changed. */
  refresh(peer: Peer, failed: boolean, now: number): void {
    if (failed) {
      this.#common.failed();
      if (this.#common.isDue(this.#peers)) this.#refreshAll(now);
      if (!peer.ejected) this.#reviewSoon();
    }
    if (peer.refresh(now) && this.#peers.length > 0)
      this.#cancelDecay ??= this.clock.after(DECAY_INTERVAL_MS, this.#decay);
  }

  /** Why not to eject the endpoint; undefined if it is worse than the others, and enough of them are left. */
  obstacleTo(peer: Peer, verdict: Verdict): EjectionObstacle | undefined {
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
    if (!anyHealthy) return 'last_healthy';
    if (!mayEject(ejected, connected, maxEjectionPercent)) return 'max_ejection_overflow';
    return this.#isWorse(peer, verdict) ? undefined : 'not_worse_than_others';
  }

  /** Whether it refuses more calls than the others. If all refuse as many, the service answers that way. */
  refusesMore({ recent }: Peer): boolean {
    const others = this.#results - recent.size;
    const share = others > 0 ? (this.#refused - recent.refused) / others : 0;
    return exceedsChance(recent.refused, recent.size, share, REFUSAL_CHANCE);
  }

  #isWorse(peer: Peer, { failures, calls, since, inARow }: Verdict): boolean {
    // Results of the others since the first failure, as an outage may have just begun, and recent ones, as the former
    // may be few.
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

  /** Returns whether a failure rate is left that fades. */
  #refreshAll(now: number): boolean {
    this.#common.update(this.#peers, now);
    let fading = false;
    for (const peer of this.#peers) if (peer.refresh(now)) fading = true;
    return fading;
  }

  /** Failures fade with time, for endpoints without calls too. */
  readonly #decay = (): void => {
    const fading = this.#refreshAll(this.clock.now());
    this.#cancelDecay = fading ? this.clock.after(DECAY_INTERVAL_MS, this.#decay) : undefined;
  };

  #reviewSoon(): void {
    if (this.#cancelReview || this.#peers.every(({ verdict }) => verdict === undefined)) return;
    this.#cancelReview = this.clock.after(REVIEW_AFTER_MS, this.#review);
  }

  /** Withdraws ejections of endpoints that turn out to be no worse than the others: they only failed first. */
  readonly #review = (): void => {
    this.#cancelReview = undefined;
    for (const peer of this.#peers) {
      const { verdict } = peer;
      if (!verdict) continue;
      const { failures, calls } = this.#othersSince(peer, verdict.since);
      // A single failure is not enough evidence.
      if (failures >= 2 && !exceedsChance(verdict.failures, verdict.calls, failures / calls, DOUBT)) peer.withdraw();
    }
  };
}

/**
 * Whether one more of `total` endpoints may be ejected: a share of them, at least one (gRFC A50), but never the last.
 */
export function mayEject(ejected: number, total: number, maxEjectionPercent: number): boolean {
  if (ejected + 1 >= total) return false;
  return maxEjectionPercent > 0 && (ejected === 0 || ((ejected + 1) * 100) / total <= maxEjectionPercent);
}
