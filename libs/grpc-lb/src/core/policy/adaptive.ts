import type { Clock } from '../clock.js';
import { MethodLatency } from '../load/method-latency.js';
import { coarseTime } from '../load/coarse-time.js';
import { RelativeLatency } from '../load/relative-latency.js';
import { ReportedLag } from '../load/reported-lag.js';
import { ReportedLoad } from '../load/reported-load.js';
import { RunningMean } from '../load/running-mean.js';
import type { Random } from '../random.js';
import type { LoadReport } from './load-report.js';
import { CandidateStates } from './candidate-states.js';
import type { CallInfo, Candidate, Outcome, Policy } from './policy.js';

/** How strongly latency counts against calls in flight; 1 and 2 are both 1 % worse on average. */
const LATENCY_EXPONENT = 1.5;
/**
 * Latencies that differ by a few percent are the same: else calls that come one after the other would all go to the
 * endpoint that seems the fastest by a hair. Costs nothing at p99 in the simulator.
 */
const STEP = Math.log(1.15);
/**
 * What the other clients' calls, and what waits for the event loop, weigh against one own call where an endpoint has as
 * much of it as the mean. All that an endpoint reports weighs no more than one own call, or it amplifies overload.
 */
const OTHERS_WEIGHT = 0.3;
const LAG_WEIGHT = 0.3;
const MAX_REPORTED = 1;
/** Lags of less than this are no lag. */
const LEAST_LAG_MS = 1;

/**
 * The project's own: the lowest `(n + t + 1) · l^1.5 · f / w` wins, where `n` are the own calls in flight, `t` what the
 * backend reports of the others' and of the lag of its event loop, both in units of the mean, `l` its latency in units of
 * the mean, `f` the factor for failures and `w` its weight. Calls in flight alone do not tell a slow backend from a busy
 * one where each client has few; latency alone lags behind. What was measured, and what was tried besides:
 * docs/decisions/027-adaptive-rule.md and 030-lag-of-the-moment.md.
 */
export class Adaptive implements Policy {
  readonly #methods = new MethodLatency();
  readonly #ofAll = { others: new RunningMean(), lag: new RunningMean() };
  /** How busy endpoints are with own calls when one of these ends. */
  readonly #usualBusyness = new RunningMean();
  readonly #candidates: CandidateStates<EndpointLoad>;

  constructor(
    random: Random,
    private readonly clock: Clock,
  ) {
    this.#candidates = new CandidateStates(() => new EndpointLoad(this.#ofAll), random);
  }

  pick(candidates: readonly Candidate[]): number {
    const { sample, states } = this.#candidates.forList(candidates);
    const { indexes, loads, size } = sample;
    const coarseNow = coarseTime(this.clock);
    sample.renew();
    for (let k = 0; k < size; k++) {
      const i = indexes[k]!;
      loads[k] = loadOf(candidates[i]!, states[i]!, coarseNow);
    }
    return sample.lowest();
  }

  chances(candidates: readonly Candidate[]): number[] {
    const coarseNow = coarseTime(this.clock);
    return this.#candidates.chances(candidates, (candidate, state) => loadOf(candidate, state, coarseNow));
  }

  learn(candidate: Candidate, call: CallInfo, { latency: measured, failed, cutShort, report }: Outcome): void {
    const now = this.clock.now();
    const state = this.#candidates.of(candidate);
    if (report) state.reported(report, candidate.inFlight, now);
    // What fails is the business of the failure factor; what a stream takes says nothing.
    if (!call.stream && !failed) {
      const latency = measured / this.#crowding(candidate);
      const ratio = this.#methods.ratio(call.method, latency);
      if (cutShort) state.latency.recordAtLeast(ratio, now);
      else {
        state.latency.record(ratio, now);
        this.#methods.record(call.method, latency);
      }
    }
    state.changed();
  }

  /**
   * How much of a latency is due to the calls that were beside it. A slow endpoint is given few, and would look better
   * than it is, as a fast one would look worse. The square root: part of what a call waits for is no line.
   */
  #crowding({ inFlight, weight }: Candidate): number {
    const busyness = (inFlight + 1) / weight;
    this.#usualBusyness.record(busyness);
    return Math.sqrt(busyness / this.#usualBusyness.value);
  }
}

/** What is known of one endpoint beside its calls in flight. */
class EndpointLoad {
  readonly latency = new RelativeLatency();
  readonly #calls: ReportedLoad;
  readonly #lag: ReportedLag;
  /** The two below, as of the last coarse time that was asked for. */
  #workedOutAt = NaN;
  #slowness = 1;
  #extra = 0;

  constructor(private readonly ofAll: { readonly others: RunningMean; readonly lag: RunningMean }) {
    this.#calls = new ReportedLoad(ofAll.others);
    this.#lag = new ReportedLag(ofAll.lag);
  }

  reported(report: LoadReport, own: number, now: number): void {
    this.#calls.record(report, own, now);
    this.#lag.record(report, now);
  }

  changed(): void {
    this.#workedOutAt = NaN;
  }

  load(inFlight: number, coarseNow: number): number {
    if (coarseNow !== this.#workedOutAt) this.#workOut(coarseNow);
    return (inFlight + this.#extra + 1) * this.#slowness;
  }

  #workOut(coarseNow: number): void {
    this.#workedOutAt = coarseNow;
    const slowness = LATENCY_EXPONENT * Math.log(this.latency.read(coarseNow));
    this.#slowness = Math.exp(STEP * Math.round(slowness / STEP));
    const { others, lag } = this.ofAll;
    const calls = OTHERS_WEIGHT * (this.#calls.others(coarseNow) / (others.value + 1));
    const waiting = LAG_WEIGHT * (this.#lag.read(coarseNow) / (lag.value + LEAST_LAG_MS));
    this.#extra = Math.min(MAX_REPORTED, calls + waiting);
  }
}

function loadOf({ inFlight, failureFactor, weight }: Candidate, state: EndpointLoad, coarseNow: number): number {
  return (state.load(inFlight, coarseNow) * failureFactor) / weight;
}
