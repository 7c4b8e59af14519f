import type { Cancel, Clock } from '../clock.js';
import type { EffectiveEjectionOptions } from '../options/ejection-options.js';
import type { EffectiveSlowStartOptions } from '../options/slow-start-options.js';
import type { Random } from '../random.js';
import { FailureRate, UNDECIDED_FACTOR } from './failure-rate.js';
import { Outlier } from './outlier.js';
import { warmth } from './slow-start.js';

/** A stream may stay open for ever; one that has stayed open for so long is a success, as far as a probe is concerned. */
const STREAM_STANDS_MS = 1000;

/** The options in force; they may change while it runs. */
export interface FitnessOptions {
  readonly ejection: EffectiveEjectionOptions;
  readonly slowStart: EffectiveSlowStartOptions;
}

export interface FitnessOwner {
  /** Whether it may be picked has changed. */
  fitnessChanged(): void;
  /** Its slow start is over. */
  warmedUp(): void;
  /** Too many calls to it fail; the owner decides whether it is ejected. */
  outlierFound(reason: string): void;
}

/** What one endpoint has shown of itself, and whether it may be picked for that: failures, ejection, slow start. */
export class Fitness {
  readonly outlier: Outlier;
  /** The call that decides whether it is admitted again, while it is under way. */
  #probe: object | undefined;
  readonly #failureRate = new FailureRate();
  /** When its slow start began; undefined if it has none. */
  #coldSince: number | undefined;
  #cancelProbe: Cancel | undefined;
  #cancelVerdict: Cancel | undefined;
  #cancelWarmUp: Cancel | undefined;

  constructor(
    private readonly clock: Clock,
    random: Random,
    private readonly options: () => FitnessOptions,
    private readonly owner: FitnessOwner,
  ) {
    this.outlier = new Outlier(random);
  }

  get admitted(): boolean {
    return this.outlier.state.kind === 'admitted';
  }

  /** Its ejection is over, and it waits for the call that decides. */
  get wantsProbe(): boolean {
    return this.outlier.state.kind === 'probing' && this.#probe === undefined;
  }

  /** The part of its full share that it gets while it starts slowly, else 1. */
  get warmth(): number {
    if (this.#coldSince === undefined) return 1;
    return warmth(this.clock.now() - this.#coldSince, this.options().slowStart);
  }

  /** Its recent share of failures. */
  get failureRate(): number {
    return this.#failureRate.rate(this.clock.now());
  }

  /** What its load is multiplied with as things stand; it fades with time. */
  get failureFactor(): number {
    const factor = this.#failureRate.factor(this.clock.now());
    return this.outlier.undecided(this.options().ejection) ? Math.min(UNDECIDED_FACTOR, factor) : factor;
  }

  /** A call made at `since` has ended; what that says of the endpoint counts in its factor. */
  remember(failed: boolean, since: number): void {
    if (since >= this.outlier.admittedAt) this.#failureRate.record(failed, this.clock.now());
  }

  /** The same call, made at `since`, may be the last straw, or the probe. */
  judge(failed: boolean, since: number, wasProbe: boolean): void {
    if (wasProbe) {
      this.#onProbe(failed);
      return;
    }
    const reason = this.outlier.record(failed, since, this.clock.now(), this.options().ejection);
    if (reason !== undefined) this.owner.outlierFound(reason);
  }

  beginProbe(call: object): void {
    this.#probe = call;
  }

  isProbe(call: object): boolean {
    return call === this.#probe;
  }

  /** The probe is a stream, and has begun: its verdict need not wait for its end. */
  probeStreams(call: object): void {
    this.#cancelVerdict = this.clock.after(STREAM_STANDS_MS, () => {
      if (this.endProbe(call)) this.#onProbe(false);
    });
  }

  /** A call is over. Returns whether it was the probe. */
  endProbe(call: object): boolean {
    if (!this.isProbe(call)) return false;
    this.#forgetProbe();
    return true;
  }

  eject(reason: string): void {
    this.#forgetProbe();
    const now = this.clock.now();
    const until = this.outlier.eject(reason, now, this.options().ejection);
    this.#cancelProbe?.();
    this.#cancelProbe = this.clock.after(until - now, () => {
      this.outlier.probe();
      this.owner.fitnessChanged();
    });
    this.owner.fitnessChanged();
  }

  readmit(): void {
    const wasAdmitted = this.admitted;
    this.forgive();
    if (!wasAdmitted) this.owner.fitnessChanged();
  }

  /** Nothing is held against it any more; for an owner that is about to look anyway. */
  forgive(): void {
    this.#cancelProbe?.();
    this.#forgetProbe();
    this.#failureRate.reset();
    this.outlier.admit(this.clock.now());
  }

  /** It gets its share by and by from now on. */
  startSlowly(): void {
    const { enabled, window } = this.options().slowStart;
    if (!enabled) return;
    this.#coldSince = this.clock.now();
    this.#cancelWarmUp?.();
    this.#cancelWarmUp = this.clock.after(window, () => {
      this.#coldSince = undefined;
      this.owner.warmedUp();
    });
  }

  close(): void {
    this.#cancelProbe?.();
    this.#forgetProbe();
    this.#cancelWarmUp?.();
  }

  #forgetProbe(): void {
    this.#probe = undefined;
    this.#cancelVerdict?.();
  }

  #onProbe(failed: boolean): void {
    if (this.outlier.state.kind !== 'probing') return;
    if (failed) this.eject(this.outlier.state.reason);
    else this.readmit();
  }
}
