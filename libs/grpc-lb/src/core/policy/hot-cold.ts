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
/** Prequal's pool of probes: so many endpoints are compared for a call. */
export const POOL_SIZE = 16;
/** What "recent" means for the distribution of calls in flight, and how often its quantile is worked out. */
const RECENT_SIZE = 128;
const RECENT_EVERY = 32;
/** Behind every cold endpoint. */
const HOT = 1e12;
/** How much a measurement moves the calls in flight at which an endpoint is measured, and how fast that fades. */
const BUSYNESS_STEP = 0.1;
const BUSYNESS_FADE_MS = 5000;

/**
 * Hot-cold lexicographic (Prequal, NSDI 2024): an endpoint is hot when it has more calls in flight, of all clients, than
 * 84 % of what was seen lately. The fastest of those that are cold wins; when all are hot, the one with the fewest calls.
 * Prequal asks by probes; here the calls themselves bring the answers, in their trailers.
 */
export class HotCold implements Policy {
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
    // As Prequal's probes go to endpoints at random, not to those that get the calls: else what is hot would creep upwards.
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
    if (report) state.reported.record(report, candidate.inFlight, now);
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

  /** One order for both: each hot endpoint stands behind each cold one. */
  #loadOf(candidate: Candidate, state: EndpointTemperature, coarseNow: number): number {
    const busyness = state.busyness(candidate, coarseNow) * candidate.failureFactor;
    if (busyness > this.#recent.value) return HOT * busyness;
    return state.expectedLatency(busyness, coarseNow);
  }
}

/** What is known of one endpoint beside its own calls in flight. */
class EndpointTemperature {
  readonly latency = new RelativeLatency();
  readonly reported: ReportedLoad;
  /** How busy it was when its latency was measured. */
  #measuredAt: { readonly busyness: number; readonly time: number } | undefined;
  /** The two below, as of the last coarse time that was asked for. */
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

  /** Calls in flight there, one more for the next, over what its weight says it can take. */
  busyness({ inFlight, weight }: Candidate, coarseNow: number): number {
    if (coarseNow !== this.#workedOutAt) this.#workOut(coarseNow);
    return (inFlight + this.#others + 1) / weight;
  }

  /**
   * Prequal's latency is that which was observed with about as many calls in flight as now. Without, the endpoint that
   * seems the fastest would go on to look so while calls pile up on it, until the first of them come back late.
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

  /** How busy it is when it is measured; without recent measurements as busy as all. */
  #usualBusyness(now: number): number {
    const { known, value } = this.ofAll.busyness;
    const all = known ? value : 1;
    if (!this.#measuredAt) return all;
    const { busyness, time } = this.#measuredAt;
    return all + (busyness - all) * Math.exp(Math.min(0, time - now) / BUSYNESS_FADE_MS);
  }
}
