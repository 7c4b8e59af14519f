import type { Clock } from '../clock.js';
import {
  effectiveWeightedRoundRobin,
  type EffectiveWeightedRoundRobin,
  type WeightedRoundRobinConfig,
} from '../options/weighted-round-robin-options.js';
import { type Random, randomBelow } from '../random.js';
import type { LoadReport } from './load-report.js';
import type { CallInfo, Candidate, Outcome, Policy } from './policy.js';
import { ReportedWeight } from './reported-weight.js';
import { byWeight, equalShares } from './shares.js';
import { scaledWeights, Sequence } from './static-stride.js';
import { type Metric, metricNamed } from './utilization.js';
import type { WeightsUpdate } from './weights-update.js';

/** Computed for a list, until its weights are updated. */
interface Schedule {
  /** Undefined for plain round robin. */
  readonly weights: Uint16Array | undefined;
  readonly lookAgainAt: number;
}

/**
 * One endpoint after the other, in proportion to the weights that backends report (gRFC A58) or that discovery lists.
 */
export class WeightedRoundRobin implements Policy {
  readonly #options: EffectiveWeightedRoundRobin;
  readonly #metrics: readonly Metric[];
  readonly #sequence: Sequence;
  readonly #reported = new WeakMap<Candidate, ReportedWeight>();
  /** Several lists may alternate. */
  readonly #schedules = new WeakMap<readonly Candidate[], Schedule>();
  #last: readonly Candidate[] | undefined;
  #lastSchedule: Schedule | undefined;

  constructor(
    config: Omit<WeightedRoundRobinConfig, 'name'>,
    random: Random,
    private readonly clock: Clock,
    private readonly onUpdate: (update: WeightsUpdate) => void = () => {},
  ) {
    this.#options = effectiveWeightedRoundRobin(config);
    this.#metrics = this.#options.metricNamesForComputingUtilization.flatMap((name) => metricNamed(name) ?? []);
    this.#sequence = new Sequence(randomBelow(random, 2 ** 32));
  }

  get reportInterval(): number | undefined {
    return this.#options.enableOobLoadReport ? this.#options.oobReportingPeriod : undefined;
  }

  pick(candidates: readonly Candidate[]): number {
    const { weights } = this.#scheduleOf(candidates);
    return weights ? this.#sequence.byWeight(weights) : this.#sequence.inTurn(candidates.length);
  }

  /** The shares: the next endpoint in turn alone would say little. */
  chances(candidates: readonly Candidate[]): number[] {
    const { weights } = this.#scheduleOf(candidates);
    if (!weights) return candidates.map(() => 1 / candidates.length);
    const total = weights.reduce((sum, weight) => sum + weight, 0);
    return Array.from(weights, (weight) => weight / total);
  }

  /** An endpoint in slow start has not reported for long: by A58 it gets the mean weight of the others. */
  shares(candidates: readonly Candidate[]): number[] {
    return this.#options.weights === 'fixed' ? byWeight(candidates) : equalShares(candidates);
  }

  /**
   * A58: "While `enable_oob_load_report` is set, per-call load reports are never parsed". Reading them would parse
   * them.
   */
  learn(candidate: Candidate, _call: CallInfo, outcome: Outcome): void {
    if (this.#options.enableOobLoadReport || this.#options.weights === 'fixed') return;
    const { report } = outcome;
    if (report) this.#update(candidate, report);
  }

  report(candidate: Candidate, report: LoadReport): void {
    if (this.#options.enableOobLoadReport) this.#update(candidate, report);
  }

  ready(candidate: Candidate): void {
    this.#reported.get(candidate)?.reconnected();
  }

  #update(candidate: Candidate, report: LoadReport): void {
    if (this.#options.weights === 'fixed') return;
    let weight = this.#reported.get(candidate);
    if (!weight) this.#reported.set(candidate, (weight = new ReportedWeight()));
    weight.update(report, this.clock.now(), this.#options, this.#metrics);
  }

  #scheduleOf(candidates: readonly Candidate[]): Schedule {
    const known = candidates === this.#last ? this.#lastSchedule : this.#schedules.get(candidates);
    const now = this.clock.now();
    const schedule = known && now < known.lookAgainAt ? known : this.#lookAt(candidates, now);
    this.#last = candidates;
    return (this.#lastSchedule = schedule);
  }

  #lookAt(candidates: readonly Candidate[], now: number): Schedule {
    const { weights: source, weightUpdatePeriod } = this.#options;
    const schedule =
      source === 'fixed'
        ? { weights: scaledWeights(candidates.map(({ weight }) => weight)), lookAgainAt: Infinity }
        : { weights: this.#reportedWeights(candidates, now), lookAgainAt: now + weightUpdatePeriod };
    this.#schedules.set(candidates, schedule);
    return schedule;
  }

  /**
   * A58: endpoints without a weight are picked "with the average weight"; with fewer than two weights, all are equal.
   */
  #reportedWeights(candidates: readonly Candidate[], now: number): Uint16Array | undefined {
    let total = 0;
    let usable = 0;
    let stale = 0;
    const weights = candidates.map((candidate) => {
      const weight = this.#reported.get(candidate)?.at(now, this.#options);
      if (weight === 'stale') stale++;
      if (typeof weight !== 'number') return undefined;
      total += weight;
      usable++;
      return weight;
    });
    this.onUpdate({
      weights: weights.map((weight) => weight ?? 0),
      notYetUsable: weights.length - usable - stale,
      stale,
      fallback: usable < 2,
    });
    if (usable < 2) return undefined;
    return scaledWeights(weights.map((weight) => weight ?? total / usable));
  }
}
