import type { EffectiveLocalityOptions } from '../options/locality-options.js';
import { LatencyStatistics } from './latency-statistics.js';
import { ReportedUtilization } from './reported-utilization.js';

/** How often the share is recomputed, and the minimum number of calls for that: without new calls nothing changes. */
const INTERVAL_MS = 1000;
const MIN_CALLS = 10;
/**
 * Minimum number of remembered calls: few for the local zone, so that it is reassessed quickly when it gets few calls.
 */
const LOCAL_CALLS = 10;
const OTHER_CALLS = 30;
/** With fewer calls the latency of a zone is unknown. */
const KNOWN = 10;
/** The share of calls that explores the other zones while they are unknown and the local zone gets worse. */
const EXPLORING_SHARE = 0.2;
/** A zone in which all calls fail or hang counts as ten times slower. */
const FAILURE = Math.log(10);
/** A difference must exceed chance by two standard errors. */
const SIGMAS = 2;
/** The share follows the change of the error, to dampen oscillation, and the error itself: fast up, slowly down. */
const BY_CHANGE = 0.1;
const UP = 0.1;
const DOWN = 0.04;
/** The pace down while more than an even share of the calls crosses. */
const DOWN_TO_EVEN = 0.12;
/** Bounds the error, however slow the zone looks. */
const MAX_ERROR = 2;
/** A backend may report more than 1, or nonsense. */
const MAX_UTILIZATION = 2;
/** Bounds the logarithm of an idle zone. */
const LEAST_UTILIZATION = 0.01;
/** The maximum increase per interval beyond an even spread: only a zone that stays slow without load goes further. */
const BEYOND_EVEN = 0.05;

/**
 * Decides which share of the calls leaves the local zone. The caller chooses a zone for each call at random, so calls
 * of both zones are alike, and their latencies compare without bias, whatever the mix of methods. A small share always
 * crosses, as the reference. While the local zone is more than `spillRatio` times as slow as the others, the share
 * grows, otherwise it shrinks: a controller with a proportional and an integral part, over the logarithm of that ratio.
 * Calls that fail or hang make a zone slow too. With `spillUtilization` the share also grows while the endpoints of the
 * local zone report that they are busier than the others, by more than that: before their calls take longer. An open
 * stream counts as a call that hangs, in both zones alike, so it cancels out in the comparison.
 */
export class Spillover {
  readonly #minShare: number;
  readonly #allowed: number;
  readonly #allowedUtilization: number | false;
  readonly #local = new LatencyStatistics(LOCAL_CALLS);
  readonly #other = new LatencyStatistics(OTHER_CALLS);
  readonly #localUtilization = new ReportedUtilization(LOCAL_CALLS);
  readonly #otherUtilization = new ReportedUtilization(OTHER_CALLS);
  #share: number;
  #evenShare = 1;
  #error = 0;
  /** The lowest slowness of the local zone so far. */
  #best = Infinity;
  #calls = 0;
  #since: number | undefined;

  constructor({
    minCrossZoneShare,
    spillRatio,
    spillUtilization,
  }: Pick<EffectiveLocalityOptions, 'minCrossZoneShare' | 'spillRatio' | 'spillUtilization'>) {
    this.#minShare = minCrossZoneShare;
    this.#share = minCrossZoneShare;
    this.#allowed = Math.log(spillRatio);
    this.#allowedUtilization = spillUtilization;
  }

  /** Called when a call has started; streams may be counted or not. */
  started(inLocalZone: boolean, now: number): void {
    (inLocalZone ? this.#local : this.#other).start();
    this.#calls++;
    this.#since ??= now;
    if (now - this.#since >= INTERVAL_MS && this.#calls >= MIN_CALLS) this.#adjust(now);
  }

  /**
   * Called when a unary call has ended. `failed`: the endpoint is at fault; an answer like NOT_FOUND is not a failure.
   */
  ended(inLocalZone: boolean, latencyMs: number, failed: boolean): void {
    if (!failed) (inLocalZone ? this.#local : this.#other).succeed(latencyMs);
    if (this.readsReports) (inLocalZone ? this.#localUtilization : this.#otherUtilization).callEnded();
  }

  /** Whether `reported` is of use. */
  get readsReports(): boolean {
    return this.#allowedUtilization !== false;
  }

  /**
   * Called after `ended` with what the endpoint reports: 1 for as much as it can do; 0 if its report has other metrics
   * alone, as fields that are not set have in protobuf.
   */
  reported(inLocalZone: boolean, utilization: number): void {
    if (utilization > 0)
      (inLocalZone ? this.#localUtilization : this.#otherUtilization).record(Math.min(utilization, MAX_UTILIZATION));
  }

  /**
   * The share of calls for the other zones.
   *
   * @param atLeast The share that the local zone cannot carry, because too few of its endpoints are healthy.
   * @param evenShare The share of all endpoints, by weight, that is in other zones.
   */
  share(atLeast: number, evenShare: number): number {
    this.#evenShare = evenShare;
    return Math.max(atLeast, this.#share);
  }

  #adjust(now: number): void {
    // Without a reference the zones cannot be compared.
    if (this.#minShare > 0) {
      if (this.#other.started >= KNOWN) this.#steer();
      else this.#explore();
    }
    this.#local.fade();
    this.#other.fade();
    this.#localUtilization.fade();
    this.#otherUtilization.fade();
    this.#calls = 0;
    this.#since = now;
  }

  #steer(): void {
    const error = Math.min(MAX_ERROR, Math.max(this.#slowness(), this.#busyness()));
    const pace = error > 0 ? UP : this.#share > this.#evenShare ? DOWN_TO_EVEN : DOWN;
    const step = BY_CHANGE * (error - this.#error) + pace * error;
    this.#error = error;
    const limit = Math.max(this.#evenShare, this.#share + BEYOND_EVEN);
    // A few calls stay in the local zone, to show when it has recovered.
    this.#share = Math.min(limit, 1 - this.#minShare, Math.max(this.#minShare, this.#share + step));
  }

  /** By how much the local zone is too slow, as a logarithm; zero or less if it is not. */
  #slowness(): number {
    const excess = this.#difference() - this.#allowed;
    const doubt = SIGMAS * this.#standardError();
    return excess > doubt ? excess - doubt : Math.min(0, excess);
  }

  /** By how much the local zone is too busy, as a logarithm; `-Infinity` if reports do not count or are missing. */
  #busyness(): number {
    const [local, other] = [this.#localUtilization, this.#otherUtilization];
    if (this.#allowedUtilization === false || local.reports < KNOWN || other.reports < KNOWN) return -Infinity;
    return Math.log(Math.max(local.mean, LEAST_UTILIZATION) / (other.mean + this.#allowedUtilization));
  }

  /**
   * Handles a zone that is new to this client and already overloaded: one call in a hundred would take too long to
   * tell.
   */
  #explore(): void {
    const slowness = this.#local.logLatency + FAILURE * this.#local.missing;
    const worse = slowness > this.#best + this.#allowed / 2;
    this.#share = worse ? Math.max(this.#minShare, EXPLORING_SHARE) : this.#minShare;
    this.#best = Math.min(this.#best, slowness);
  }

  /** The logarithm of the factor by which the local zone is slower. */
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
