import type { Cancel, Clock } from '../../clock.js';
import type { EffectiveEjectionOptions } from '../../options/ejection-options.js';
import type { EffectiveSlowStartOptions } from '../../options/slow-start-options.js';
import type { Random } from '../../random.js';
import { FailureRate, UNDECIDED_FACTOR } from './failure-rate.js';
import { Outlier } from './outlier.js';
import type { Peer, Verdict } from './peer.js';
import type { PeerComparison } from './peer-comparison.js';
import { RecentResults, type ResultKind } from './recent-results.js';
import { warmth } from './slow-start.js';

/** A stream may stay open for ever; one that has stayed open for so long is a success, as far as a probe is concerned. */
const STREAM_STANDS_MS = 1000;

export interface PassiveHealthEnvironment {
  readonly clock: Clock;
  readonly random: Random;
  /** The options in force; they may change while it runs. */
  readonly loadBalancing: {
    readonly ejection: EffectiveEjectionOptions;
    readonly slowStart: EffectiveSlowStartOptions;
  };
}

export interface PassiveHealthOwner {
  /** Calls can reach it, for better or worse. */
  readonly connected: boolean;
  /** It may be picked. */
  readonly healthy: boolean;
  /** What its load is multiplied with. A field, because it is read for every endpoint at every pick. */
  failureFactor: number;
  /** Whether it may be picked has changed. */
  ejectionChanged(): void;
  /** Its slow start is over. */
  warmedUp(): void;
}

/**
 * What the calls to one endpoint say of it, and whether it may be picked for that: failures, ejection, slow start. It asks
 * the other endpoints, and tells its owner.
 */
export class PassiveHealth implements Peer {
  readonly outlier: Outlier;
  readonly recent = new RecentResults();
  /** The call that decides whether it is ejected again, while it is under way. */
  #probe: object | undefined;
  readonly #failureRate = new FailureRate();
  /** When its slow start began; undefined if it has none. */
  #coldSince: number | undefined;
  #withdrawing = false;
  #cancelProbe: Cancel | undefined;
  #cancelVerdict: Cancel | undefined;
  #cancelWarmUp: Cancel | undefined;

  constructor(
    private readonly environment: PassiveHealthEnvironment,
    private readonly owner: PassiveHealthOwner,
    private readonly peers: PeerComparison,
  ) {
    this.outlier = new Outlier(environment.random);
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
    return this.owner.healthy;
  }

  get accused(): boolean {
    return this.outlier.accused;
  }

  get verdict(): Verdict | undefined {
    const { state } = this.outlier;
    return state.kind === 'not_ejected' ? undefined : state.verdict;
  }

  get results(): { readonly calls: number; readonly rate: number } {
    return this.outlier.results(this.#clock.now(), this.#options.ejection);
  }

  /** Left out, or waiting for the call that decides. */
  get ejected(): boolean {
    return this.outlier.state.kind !== 'not_ejected';
  }

  /** Its time as ejected is over: one call decides whether it is ejected again. */
  get probing(): boolean {
    return this.outlier.state.kind === 'probing';
  }

  /** Its ejection is over, and it waits for the call that decides. */
  get wantsProbe(): boolean {
    return this.probing && this.#probe === undefined;
  }

  /** The part of its full share that it gets while it starts slowly, else 1. */
  get warmth(): number {
    if (this.#coldSince === undefined) return 1;
    return warmth(this.#clock.now() - this.#coldSince, this.#options.slowStart);
  }

  /** Its recent share of failures. */
  get failureRate(): number {
    return this.#failureRate.rate(this.#clock.now());
  }

  /** The share of its last calls that it refused. */
  get refusalRate(): number {
    return this.recent.size === 0 ? 0 : this.recent.refused / this.recent.size;
  }

  /** A call made at `since` has ended; it may be the last straw, or the probe. */
  record(kind: ResultKind, since: number, wasProbe: boolean): void {
    const counts = since >= this.outlier.countsSince;
    const itsOwn = !counts || this.peers.record(this, kind, this.#clock.now());
    const failed = itsOwn && (kind === 'failed' || kind === 'timed_out');
    if (counts && itsOwn) this.#failureRate.record(failed, this.#clock.now());
    if (wasProbe) this.#onProbe(failed);
    else if (itsOwn) this.#judge(failed, since);
    this.peers.refresh(this, failed);
  }

  /** Works out its load factor, which fades with time; true if it is more than 1. */
  refresh(): boolean {
    const factor = this.#failureRate.factor(this.#clock.now(), this.peers.allowed);
    const undecided = this.outlier.undecided(this.#options.ejection);
    this.owner.failureFactor = undecided ? Math.min(UNDECIDED_FACTOR, factor) : factor;
    return factor > 1;
  }

  forgetFailures(): void {
    this.#failureRate.reset();
    this.refresh();
  }

  beginProbe(call: object): void {
    this.#probe = call;
  }

  isProbe(call: object): boolean {
    return call === this.#probe;
  }

  /** The probe is a stream, and has begun: its verdict need not wait for its end. */
  probeStreams(call: object): void {
    this.#cancelVerdict = this.#clock.after(STREAM_STANDS_MS, () => {
      if (this.endProbe(call)) this.#onProbe(false);
    });
  }

  /** A call is over. Returns whether it was the probe. */
  endProbe(call: object): boolean {
    if (!this.isProbe(call)) return false;
    this.#forgetProbe();
    return true;
  }

  eject(verdict: Verdict): void {
    this.#forgetProbe();
    const now = this.#clock.now();
    const until = this.outlier.eject(verdict, now, this.#options.ejection);
    this.#cancelProbe?.();
    this.#cancelProbe = this.#clock.after(until - now, () => {
      this.outlier.probe();
      this.owner.ejectionChanged();
    });
    this.owner.ejectionChanged();
  }

  endEjection(): void {
    const wasEjected = this.ejected;
    this.reset();
    if (wasEjected) this.owner.ejectionChanged();
  }

  /** It is not ejected any more, and as warm as it was before. */
  withdraw(): void {
    this.outlier.withdraw(this.#clock.now());
    this.#withdrawing = true;
    this.reset();
    this.owner.ejectionChanged();
    this.#withdrawing = false;
  }

  /** Nothing is held against it any more; for an owner that is about to look anyway. */
  reset(): void {
    this.#cancelProbe?.();
    this.#forgetProbe();
    this.outlier.reset(this.#clock.now());
    this.peers.forget(this);
    this.forgetFailures();
  }

  /** It has left: the others are not compared with it any more. */
  leave(): void {
    this.peers.leave(this);
  }

  /** It is back before its last call has ended. */
  rejoin(): void {
    this.peers.join(this);
  }

  /** It gets its share by and by from now on. */
  startSlowly(): void {
    const { enabled, window } = this.#options.slowStart;
    if (!enabled || this.#withdrawing) return;
    this.#coldSince = this.#clock.now();
    this.#cancelWarmUp?.();
    this.#cancelWarmUp = this.#clock.after(window, () => {
      this.#coldSince = undefined;
      this.owner.warmedUp();
    });
  }

  close(): void {
    this.peers.leave(this);
    this.#cancelProbe?.();
    this.#forgetProbe();
    this.#cancelWarmUp?.();
  }

  #forgetProbe(): void {
    this.#probe = undefined;
    this.#cancelVerdict?.();
  }

  #judge(failed: boolean, since: number): void {
    const verdict = this.outlier.record(failed, since, this.#clock.now(), this.#options.ejection);
    if (verdict && this.peers.confirms(this, verdict)) this.eject(verdict);
  }

  #onProbe(failed: boolean): void {
    if (this.outlier.state.kind !== 'probing') return;
    if (failed) this.eject(this.outlier.state.verdict);
    else this.endEjection();
  }
}
