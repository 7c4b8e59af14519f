import type { EffectiveLocalityOptions } from '../options/locality-options.js';
import { LatencyStatistics } from './latency-statistics.js';

/** How often the share is worked out anew, and the calls that it takes at least: without news nothing changes. */
const INTERVAL_MS = 1000;
const MIN_CALLS = 10;
/** Calls of each that are remembered at least. The local zone must be judged anew quickly when it gets few calls. */
const LOCAL_CALLS = 10;
const OTHER_CALLS = 30;
/** Calls below which the latency of a zone is not known. */
const KNOWN = 10;
/** While the other zones are not known and the local zone gets worse, so many calls go and find out. */
const EXPLORING_SHARE = 0.2;
/** If all calls fail or hang, a zone counts as ten times slower. */
const FAILURE = Math.log(10);
/** What is seen must exceed chance by two standard errors. */
const SIGMAS = 2;
/** The share moves by the change of the error, against swinging, and by the error itself: fast up, slowly down. */
const BY_CHANGE = 0.1;
const UP = 0.1;
const DOWN = 0.04;
/** From where more than an even part of the calls crosses. */
const DOWN_TO_EVEN = 0.12;
/** However bad it looks. */
const MAX_ERROR = 2;
/** In one interval at most, beyond what spreads the load evenly: only a zone that stays slow without load goes there. */
const BEYOND_EVEN = 0.05;

/**
 * Which share of the calls leaves the local zone. The caller draws for each call where it goes, so calls of
 * both zones are alike, and their latencies compare without bias, whatever the mix of methods. A small share crosses
 * always, as the reference. While the local zone is `spillRatio` times as slow as the others, the share grows, else it
 * shrinks: a controller with a proportional and an integral part, over the logarithm of that ratio. Calls that fail or
 * hang make a zone slow too. A stream that is open counts as one that hangs, in both zones alike, so nothing of it is
 * left in the comparison.
 */
export class Spillover {
  readonly #minShare: number;
  readonly #allowed: number;
  readonly #local = new LatencyStatistics(LOCAL_CALLS);
  readonly #other = new LatencyStatistics(OTHER_CALLS);
  #share: number;
  #evenShare = 1;
  #error = 0;
  /** The best that the local zone was, as `slownessOf`. */
  #best = Infinity;
  #calls = 0;
  #since: number | undefined;

  constructor({ minCrossZoneShare, spillRatio }: Pick<EffectiveLocalityOptions, 'minCrossZoneShare' | 'spillRatio'>) {
    this.#minShare = minCrossZoneShare;
    this.#share = minCrossZoneShare;
    this.#allowed = Math.log(spillRatio);
  }

  /** A call has begun; streams may be counted or not. */
  started(inLocalZone: boolean, now: number): void {
    (inLocalZone ? this.#local : this.#other).start();
    this.#calls++;
    this.#since ??= now;
    if (now - this.#since >= INTERVAL_MS && this.#calls >= MIN_CALLS) this.#adjust(now);
  }

  /** A unary call has ended. `failed`: by the fault of the endpoint; an answer like NOT_FOUND is none. */
  ended(inLocalZone: boolean, latencyMs: number, failed: boolean): void {
    if (!failed) (inLocalZone ? this.#local : this.#other).succeed(latencyMs);
  }

  /**
   * The share of calls for the other zones.
   *
   * @param atLeast What the local zone cannot bear, because too few of its endpoints are healthy.
   * @param evenShare The part of all endpoints, by weight, that is in other zones.
   */
  share(atLeast: number, evenShare: number): number {
    this.#evenShare = evenShare;
    return Math.max(atLeast, this.#share);
  }

  #adjust(now: number): void {
    // Without a reference there is nothing to compare with.
    if (this.#minShare > 0) {
      if (this.#other.started >= KNOWN) this.#steer();
      else this.#explore();
    }
    this.#local.fade();
    this.#other.fade();
    this.#calls = 0;
    this.#since = now;
  }

  #steer(): void {
    const excess = this.#difference() - this.#allowed;
    const doubt = SIGMAS * this.#standardError();
    const error = Math.min(MAX_ERROR, excess > doubt ? excess - doubt : Math.min(0, excess));
    const pace = error > 0 ? UP : this.#share > this.#evenShare ? DOWN_TO_EVEN : DOWN;
    const step = BY_CHANGE * (error - this.#error) + pace * error;
    this.#error = error;
    const limit = Math.max(this.#evenShare, this.#share + BEYOND_EVEN);
    // The last calls in the local zone tell when it has recovered.
    this.#share = Math.min(limit, 1 - this.#minShare, Math.max(this.#minShare, this.#share + step));
  }

  /** A zone that is new to this client, and already overloaded, cannot wait until one call in a hundred has told. */
  #explore(): void {
    const slowness = this.#local.logLatency + FAILURE * this.#local.missing;
    const worse = slowness > this.#best + this.#allowed / 2;
    this.#share = worse ? Math.max(this.#minShare, EXPLORING_SHARE) : this.#minShare;
    this.#best = Math.min(this.#best, slowness);
  }

  /** The logarithm of how many times slower the local zone is. */
  #difference(): number {
    const latency = this.#latenciesKnown ? this.#local.logLatency - this.#other.logLatency : 0;
    return latency + FAILURE * (this.#local.missing - this.#other.missing);
  }

  #standardError(): number {
    const [local, other] = [this.#local, this.#other];
    const latency = this.#latenciesKnown ? local.latencyVariance + other.latencyVariance : 0;
    return Math.sqrt(latency + FAILURE ** 2 * (local.missingVariance + other.missingVariance));
  }

  get #latenciesKnown(): boolean {
    return this.#local.succeeded >= KNOWN / 2 && this.#other.succeeded >= KNOWN / 2;
  }
}
