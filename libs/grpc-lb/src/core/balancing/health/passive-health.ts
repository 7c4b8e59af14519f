import type { Cancel, Clock } from '../../clock.js';
import type { EffectiveEjectionOptions } from '../../options/ejection-options.js';
import type { EffectiveSlowStartOptions } from '../../options/slow-start-options.js';
import { newsOf } from '../../load/reported-failures.js';
import type { LoadReport } from '../../policy/load-report.js';
import { jittered, type Random } from '../../random.js';
import type { EjectionMethod } from '../../totals.js';
import { FailureRate, UNDECIDED_FACTOR } from './failure-rate.js';
import { Outlier } from './outlier.js';
import type { Peer, Verdict } from './peer.js';
import type { PeerComparison } from './peer-comparison.js';
import { RecentResults, type ResultKind } from './recent-results.js';
import { SlowStart } from './slow-start.js';

/** A stream may stay open forever; a probe that is a stream succeeds once it has stayed open for this long. */
const STREAM_STANDS_MS = 1000;

/** How long the answer of an endpoint may take that is asked whether it still fails. */
const ANSWER_MS = 1000;
/** An endpoint that still fails is asked again after `baseEjectionTime`, more or less. */
const ASK_JITTER = 0.3;
/** The failures of others count for so many times `baseEjectionTime`; then one of the clients has to try again. */
const FRESH = 1.6;

/** The longest slow start after an outage of all, as a part of the time since the first endpoint is back. */
const AFTER_OUTAGE = 0.25;

/** How the reason of an ejection by an operator begins. */
export const EJECTED_BY_HAND = 'ejected by hand';

/** Why an endpoint is ready that has not recovered. */
export const EJECTION_WITHDRAWN = 'ejection withdrawn, because the others fail too';

export interface PassiveHealthEnvironment {
  readonly clock: Clock;
  readonly random: Random;
  /** The options in force; they may change at run time. */
  readonly loadBalancing: {
    readonly ejection: EffectiveEjectionOptions;
    readonly slowStart: EffectiveSlowStartOptions;
  };
}

export interface PassiveHealthOwner {
  /** Whether calls can reach the endpoint, healthy or not. */
  readonly connected: boolean;
  /** Whether the endpoint may be picked, if need be. */
  readonly serves: boolean;
  /** Load multiplier for recent failures. A field, because each pick reads it for every endpoint. */
  failureFactor: number;
  /** Called when the endpoint is ejected or its ejection ends. */
  ejectionChanged(): void;
  /**
   * Asks the endpoint for a load report.
   *
   * @param told Called once, later, unless it is cancelled; with undefined if there is no report.
   */
  askReport(told: (report: LoadReport | undefined) => void): Cancel;
  /** Called when its slow start is over. */
  warmedUp(): void;
}

/**
 * What the results of one endpoint say about it, and whether it may be picked: failures, ejection, slow start. It
 * compares itself with the other endpoints, and notifies its owner.
 */
export class PassiveHealth implements Peer {
  readonly outlier: Outlier;
  readonly recent = new RecentResults();
  /** The call in flight that decides whether the endpoint is ejected again. */
  #probe: object | undefined;
  readonly #failureRate = new FailureRate();
  readonly #slowStart: SlowStart;
  /** When its last ejection began, from which it returns. */
  #ejectedAt = -Infinity;
  /** Why its ejection ends early; undefined at any other time. */
  #withdrawn: string | undefined;
  /** Whether it is among those that are compared. */
  #compared = true;
  #cancelProbe: Cancel | undefined;
  #cancelVerdict: Cancel | undefined;
  /** Why an operator has ejected it; undefined if none has. */
  #setAside: string | undefined;
  #cancelSetAside: Cancel | undefined;

  constructor(
    private readonly environment: PassiveHealthEnvironment,
    private readonly owner: PassiveHealthOwner,
    private readonly peers: PeerComparison,
  ) {
    this.outlier = new Outlier(environment.random);
    this.#slowStart = new SlowStart(environment.clock);
    peers.join(this);
  }

  get #clock() {
    return this.environment.clock;
  }

  get #options() {
    return this.environment.loadBalancing;
  }

  get connected(): boolean {
    return this.owner.connected;
  }

  get healthy(): boolean {
    return this.owner.serves;
  }

  get accused(): boolean {
    return this.outlier.accused;
  }

  get verdict(): Verdict | undefined {
    const { state } = this.outlier;
    return state.kind === 'not_ejected' ? undefined : state.verdict;
  }

  /** Why the endpoint is ejected; undefined if it is not. */
  get ejectionReason(): string | undefined {
    if (this.#setAside !== undefined) return this.#setAside;
    const reason = this.verdict?.reason;
    return reason !== undefined && this.probing ? `${reason}; the next call is a probe` : reason;
  }

  get results(): { readonly calls: number; readonly rate: number } {
    return this.outlier.results(this.#clock.now(), this.#options.ejection);
  }

  /** Whether the endpoint is ejected, or waits for its probe. */
  get ejected(): boolean {
    return this.#setAside !== undefined || this.outlier.state.kind !== 'not_ejected';
  }

  /** Whether the ejection time is over, and one call decides whether the endpoint is ejected again. */
  get probing(): boolean {
    return this.#setAside === undefined && this.outlier.state.kind === 'probing';
  }

  /** Whether the ejection time is over and no probe is in flight. */
  get wantsProbe(): boolean {
    return this.probing && this.#probe === undefined;
  }

  /** Progress of its slow start as a fraction of its full share; 1 otherwise. */
  get warmth(): number {
    return this.#slowStart.warmth(this.#options.slowStart);
  }

  /** Its recent failure rate. */
  get failureRate(): number {
    const now = this.#clock.now();
    return this.#failureRate.rate(now, this.peers.ending(now));
  }

  /** The share of its recent calls that it refused. */
  get refusalRate(): number {
    return this.recent.size === 0 ? 0 : this.recent.refused / this.recent.size;
  }

  /**
   * Records the end of a call that was made at `since`; the result may eject the endpoint, or decide its probe.
   *
   * @param reported How many failures in a row its backend reports, of all its clients; 0 if it reports none.
   */
  record(kind: ResultKind, since: number, now: number, wasProbe: boolean, reported = 0): void {
    const counts = since >= this.outlier.countsSince;
    const itsOwn = !counts || this.peers.record(this, kind, now);
    const failed = itsOwn && (kind === 'failed' || kind === 'timed_out');
    if (counts && itsOwn) this.#failureRate.record(failed, now, this.peers.ending(now));
    if (wasProbe) this.#onProbe(failed, reported);
    else if (itsOwn) this.#judge(kind, since, now, reported);
    this.peers.refresh(this, failed, now);
  }

  /** Recomputes its load multiplier, which fades with time; returns whether it is above 1. */
  refresh(now: number): boolean {
    const factor = this.#failureRate.factor(now, this.peers.allowed, this.peers.ending(now));
    const undecided = this.outlier.undecided(this.#options.ejection);
    this.owner.failureFactor = undecided ? Math.min(UNDECIDED_FACTOR, factor) : factor;
    return factor > 1;
  }

  forgetFailures(): void {
    this.#failureRate.reset();
    this.refresh(this.#clock.now());
  }

  beginProbe(call: object): void {
    this.#probe = call;
  }

  isProbe(call: object): boolean {
    return call === this.#probe;
  }

  /** Called when the probe is a stream and has started: its verdict does not wait for its end. */
  probeStreams(call: object): void {
    this.#cancelVerdict = this.#clock.after(STREAM_STANDS_MS, () => {
      if (this.endProbe(call)) this.#onProbe(false, 0);
    });
  }

  /** Called when a call has ended. Returns whether it was the probe. */
  endProbe(call: object): boolean {
    if (!this.isProbe(call)) return false;
    this.#forgetProbe();
    return true;
  }

  eject(verdict: Verdict, method = methodOf(verdict)): void {
    this.peers.totals.ejected(method);
    this.#forgetProbe();
    const now = this.#clock.now();
    this.#ejectedAt = now;
    const until = this.outlier.eject(verdict, now, this.#options.ejection, this.peers.returning(now));
    this.#cancelProbe?.();
    this.#cancelProbe = this.#clock.after(until - now, () => this.#ejectionOver(verdict));
    this.owner.ejectionChanged();
  }

  /** With a hundred clients a hundred probes would fail; if one has shown that the endpoint still fails, that is enough. */
  #ejectionOver(verdict: Verdict): void {
    if (verdict.reported === undefined) return this.#awaitProbe();
    const stopAsking = this.owner.askReport((report) => {
      this.#cancelProbe?.();
      this.#decide(verdict, report);
    });
    const stopWaiting = this.#clock.after(ANSWER_MS, () => {
      stopAsking();
      this.#awaitProbe();
    });
    this.#cancelProbe = () => {
      stopAsking();
      stopWaiting();
    };
  }

  #decide(verdict: Verdict, report: LoadReport | undefined): void {
    const { baseEjectionTime, maxEjectionTime } = this.#options.ejection;
    const news = newsOf(report, verdict.reported!, FRESH * baseEjectionTime);
    if (news === 'serves') return this.endEjection();
    // The calls that fail may be those of a single caller that no other client makes.
    const isLong = this.#clock.now() - this.#ejectedAt >= maxEjectionTime;
    if (news === 'unknown' || isLong) return this.#awaitProbe();
    const again = jittered(this.environment.random, baseEjectionTime, ASK_JITTER);
    this.#cancelProbe = this.#clock.after(again, () => this.#ejectionOver(verdict));
  }

  /** The next call decides. */
  #awaitProbe(): void {
    this.outlier.probe();
    this.owner.ejectionChanged();
  }

  /**
   * Ejects the endpoint for a time, whatever its calls and those of the others show. Its calls do not end that early,
   * and neither does a lost connection; no probe follows.
   */
  setAside(durationMs: number, reason: string): void {
    this.#forgetProbe();
    this.#cancelSetAside?.();
    this.#ejectedAt = this.#clock.now();
    this.#setAside = reason;
    this.#cancelSetAside = this.#clock.after(durationMs, () => this.takeBack());
    this.owner.ejectionChanged();
  }

  /** Ends `setAside`; returns whether the endpoint was set aside. */
  takeBack(): boolean {
    if (this.#setAside === undefined) return false;
    this.#cancelSetAside?.();
    this.#setAside = undefined;
    this.owner.ejectionChanged();
    return true;
  }

  endEjection(): void {
    const wasEjected = this.ejected;
    this.reset();
    if (wasEjected) this.owner.ejectionChanged();
  }

  /** Ends an ejection that was a mistake, without a slow start. */
  withdraw(): void {
    this.outlier.withdraw(this.#clock.now());
    this.peers.totals.ejectionsWithdrawn++;
    this.#withdrawn = EJECTION_WITHDRAWN;
    this.reset();
    this.owner.ejectionChanged();
    this.#withdrawn = undefined;
  }

  /** Why its ejection ends, while the owner is told of it, if not because the endpoint has recovered. */
  get withdrawn(): string | undefined {
    return this.#withdrawn;
  }

  /** Discards all results and ends an ejection without notifying the owner, which updates itself afterwards. */
  reset(): void {
    this.#cancelProbe?.();
    this.#forgetProbe();
    this.outlier.reset(this.#clock.now());
    this.peers.forget(this);
    this.forgetFailures();
  }

  /** Called when the endpoint has left: the others are no longer compared with it. */
  leave(): void {
    if (this.#compared) this.peers.leave(this);
    this.#compared = false;
  }

  /** Called when the endpoint returns before its last call has ended. */
  rejoin(): void {
    this.peers.join(this);
    this.#compared = true;
  }

  /**
   * Starts its slow start. After an ejection this takes no longer than the ejection, or its last repetition: the process
   * was warm, and cools down no faster than it warms up. After an outage of all endpoints it takes no longer than a
   * quarter of the time for which the first one has been back: the others are hardly warmer, and carry its calls.
   *
   * @param sinceOutage Milliseconds since the first endpoint returned from an outage of all.
   */
  startSlowly(afterEjection: boolean, sinceOutage = Infinity): void {
    const { slowStart } = this.#options;
    if (!slowStart.enabled || this.#withdrawn !== undefined) return;
    const atMost = afterEjection ? this.#clock.now() - this.#ejectedAt : sinceOutage * AFTER_OUTAGE;
    this.#slowStart.begin(slowStart, atMost, () => this.owner.warmedUp());
  }

  close(): void {
    this.leave();
    this.#cancelProbe?.();
    this.#cancelSetAside?.();
    this.#forgetProbe();
    this.#slowStart.stop();
  }

  #forgetProbe(): void {
    this.#probe = undefined;
    this.#cancelVerdict?.();
  }

  #judge(kind: ResultKind, since: number, now: number, reported: number): void {
    const { accused } = this.outlier;
    const verdict = this.outlier.record(kind, since, now, this.#options.ejection, reported);
    if (!verdict) return;
    const obstacle = this.peers.obstacleTo(this, verdict);
    if (obstacle === undefined) this.eject(verdict);
    // Each further failure asks again.
    else if (!accused) this.peers.totals.ejectionPrevented(methodOf(verdict), obstacle);
  }

  #onProbe(failed: boolean, reported: number): void {
    if (this.outlier.state.kind !== 'probing') return;
    const { verdict } = this.outlier.state;
    if (!failed) this.endEjection();
    else this.eject(reported > 0 ? { ...verdict, reported } : verdict, 'failed_probe');
  }
}

function methodOf({ inARow }: Verdict): EjectionMethod {
  return inARow ? 'consecutive_failures' : 'success_rate';
}
