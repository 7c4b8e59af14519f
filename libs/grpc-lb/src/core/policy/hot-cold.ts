import type { Clock } from '../clock.js';
import { MethodLatency } from '../load/method-latency.js';
import { coarseTime } from '../load/coarse-time.js';
import { RecentQuantile } from '../load/recent-quantile.js';
import { RelativeLatency } from '../load/relative-latency.js';
import { ReportedLoad } from '../load/reported-load.js';
import { RunningMean } from '../load/running-mean.js';
import type { HotColdConfig } from '../options/policy-config.js';
import type { Random } from '../random.js';
import { CandidateStates } from './candidate-states.js';
import type { CallInfo, Candidate, Outcome, Policy } from './policy.js';

/** Prequal's Q_RIF. */
export const HOT_QUANTILE = 2 ** -0.25;
/** Prequal's probe pool size: the number of endpoints compared for a call. */
export const POOL_SIZE = 16;
/** The number of recent values in the distribution of calls in flight, and how often its quantile is recomputed. */
const RECENT_SIZE = 128;
const RECENT_EVERY = 32;
/** Ranks a hot endpoint after every cold one. */
const HOT = 1e12;
/** How much one measurement moves the busyness at which an endpoint is measured, and how fast that fades. */
const BUSYNESS_STEP = 0.1;
const BUSYNESS_FADE_MS = 5000;

/**
 * Hot-cold lexicographic (Prequal, NSDI 2024): an endpoint is hot if it has more calls in flight, of all clients, than
 * 84 % of recent observations. The fastest cold endpoint wins; if all are hot, the one with the fewest calls wins.
 * Prequal sends probes; here the trailers of the calls themselves carry the reports.
 */
export class HotCold implements Policy {
  readonly streams = 'fewest';
  readonly #methods = new MethodLatency();
  readonly #ofAll = { others: new RunningMean(), busyness: new RunningMean() };
  readonly #candidates: CandidateStates<EndpointTemperature>;
  readonly #recent: RecentQuantile;
  #turn = 0;

  constructor(
    { hotQuantile = HOT_QUANTILE }: Omit<HotColdConfig, 'name'>,
    random: Random,
    private readonly clock: Clock,
  ) {
    this.#candidates = new CandidateStates(() => new EndpointTemperature(this.#ofAll), random, POOL_SIZE, POOL_SIZE);
    this.#recent = new RecentQuantile(hotQuantile, RECENT_SIZE, RECENT_EVERY);
  }

  pick(candidates: readonly Candidate[]): number {
    const { sample, states } = this.#candidates.forList(candidates);
    const { indexes, loads, size } = sample;
    const coarseNow = coarseTime(this.clock);
    sample.renew();
    for (let k = 0; k < size; k++) {
      const i = indexes[k]!;
      loads[k] = this.#loadOf(candidates[i]!, states[i]!, coarseNow);
    }
    // Sample at random, like Prequal's probes, not the endpoints that get the calls: otherwise the quantile would creep
    // upwards.
    const sampled = indexes[this.#turn++ % size]!;
    this.#recent.add(states[sampled]!.busyness(candidates[sampled]!, coarseNow));
    return sample.lowest();
  }

  chances(candidates: readonly Candidate[]): number[] {
    const coarseNow = coarseTime(this.clock);
    return this.#candidates.chances(candidates, (candidate, state) => this.#loadOf(candidate, state, coarseNow));
  }

  learn(candidate: Candidate, call: CallInfo, { latency, failed, cutShort, report }: Outcome): void {
    const now = this.clock.now();
    const state = this.#candidates.of(candidate);
    if (report) state.reported.record(report, candidate.inFlight + candidate.streams, now);
    if (!call.stream && !failed) {
      const ratio = this.#methods.ratio(call.method, latency);
      if (cutShort) state.latency.recordAtLeast(ratio, now);
      else {
        state.latency.record(ratio, now);
        state.measured(candidate, now);
        this.#methods.record(call.method, latency);
      }
    }
    state.changed();
  }

  /** One order for both: every hot endpoint ranks after every cold one. */
  #loadOf(candidate: Candidate, state: EndpointTemperature, coarseNow: number): number {
    const busyness = state.busyness(candidate, coarseNow) * candidate.failureFactor;
    if (busyness > this.#recent.value) return HOT * busyness;
    return state.expectedLatency(busyness, coarseNow);
  }
}

/** The state of one endpoint beside its own calls in flight. */
class EndpointTemperature {
  readonly latency = new RelativeLatency();
  readonly reported: ReportedLoad;
  /** The busyness at which its latency was measured. */
  #measuredAt: { readonly busyness: number; readonly time: number } | undefined;
  /** The coarse time for which the two fields below were computed. */
  #workedOutAt = NaN;
  #perBusyness = 1;
  #others = 0;

  constructor(private readonly ofAll: { readonly others: RunningMean; readonly busyness: RunningMean }) {
    this.reported = new ReportedLoad(ofAll.others);
  }

  changed(): void {
    this.#workedOutAt = NaN;
  }

  measured(candidate: Candidate, now: number): void {
    const busyness = this.busyness(candidate, now);
    this.ofAll.busyness.record(busyness);
    const usual = this.#usualBusyness(now);
    this.#measuredAt = { busyness: usual + BUSYNESS_STEP * (busyness - usual), time: now };
  }

  /** Calls in flight, plus the next one, divided by the weight. */
  busyness({ inFlight, weight }: Candidate, coarseNow: number): number {
    if (coarseNow !== this.#workedOutAt) this.#workOut(coarseNow);
    return (inFlight + this.#others + 1) / weight;
  }

  /**
   * Prequal's latency is the latency observed at about the current number of calls in flight. Otherwise the endpoint
   * that seems fastest would continue to seem so while calls pile up on it, until the first of them end late.
   */
  expectedLatency(busyness: number, coarseNow: number): number {
    if (coarseNow !== this.#workedOutAt) this.#workOut(coarseNow);
    return this.#perBusyness * busyness;
  }

  #workOut(coarseNow: number): void {
    this.#workedOutAt = coarseNow;
    this.#perBusyness = this.latency.read(coarseNow) / this.#usualBusyness(coarseNow);
    this.#others = this.reported.others(coarseNow);
  }

  /** The busyness at which it is measured; without recent measurements, the mean of all endpoints. */
  #usualBusyness(now: number): number {
    const { known, value } = this.ofAll.busyness;
    const all = known ? value : 1;
    if (!this.#measuredAt) return all;
    const { busyness, time } = this.#measuredAt;
    return all + (busyness - all) * Math.exp(Math.min(0, time - now) / BUSYNESS_FADE_MS);
  }
}
