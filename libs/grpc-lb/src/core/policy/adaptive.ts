import type { Clock } from '../clock.js';
import { MethodLatency } from '../load/method-latency.js';
import { coarseTime } from '../load/coarse-time.js';
import { Distances, ShortestLatency } from '../load/distances.js';
import { RelativeLatency } from '../load/relative-latency.js';
import { ReportedDuration } from '../load/reported-duration.js';
import { ReportedLag } from '../load/reported-lag.js';
import { ReportedLoad } from '../load/reported-load.js';
import { RunningMean } from '../load/running-mean.js';
import type { Random } from '../random.js';
import type { LoadReport } from './load-report.js';
import { CandidateStates } from './candidate-states.js';
import type { CallInfo, Candidate, Outcome, Policy } from './policy.js';

/** The weight of latency relative to calls in flight; 1 and 2 are both 1 % worse on average. */
const LATENCY_EXPONENT = 1.5;
/**
 * Latencies that differ by a few percent count as equal: otherwise sequential calls would all go to the endpoint that
 * seems slightly faster. Costs nothing at p99 in the simulator.
 */
const STEP = Math.log(1.15);
/**
 * The weight of other clients' calls, and of event loop lag, relative to one own call, at an endpoint whose value
 * equals the mean. All reported load together weighs at most one own call; a higher weight amplifies overload.
 */
const OTHERS_WEIGHT = 0.3;
const LAG_WEIGHT = 0.3;
const MAX_REPORTED = 1;
/**
 * Where endpoints have few calls in flight they may have few slots, so that each call of another client can mean waiting
 * for a whole call. So those calls, and their limit, weigh up to twice as much: 1.5 times at a mean of this many.
 */
const FEW_CALLS = 4;
/** Lower lags are noise. */
const LEAST_LAG_MS = 1;
/**
 * The latency that is assumed of an endpoint that is new, or back, while others are known: otherwise it looks like the
 * best one to all clients at the same time, before the first of them has its answer. It fades like any other latency.
 */
const NEWCOMER_LATENCY = 1.5;

/**
 * This project's own policy: the lowest `(n + t + 1) · l^1.5 · f / w` wins, where `n` is the number of own calls in
 * flight, `t` the reported load (calls of other clients and event loop lag, both in units of the mean), `l` the latency
 * in units of the mean and without what distance explains, `f` the load multiplier for failures and `w` the weight.
 * Calls in flight alone do not distinguish a slow backend from a busy one when each client has few calls; latency alone
 * reacts late. Measurements and rejected alternatives: docs/decisions/027-adaptive-rule.md, 030-lag-of-the-moment.md,
 * 054-distance.md, 074-few-slots.md and 077-confirmed-slowness.md.
 */
export class Adaptive implements Policy {
  readonly streams = 'fewest';
  readonly #methods = new MethodLatency();
  readonly #distances = new Distances();
  readonly #durations = new ReportedDuration();
  readonly #ofAll = { others: new RunningMean(), lag: new RunningMean() };
  /** The mean busyness by own calls, sampled when a call ends. */
  readonly #usualBusyness = new RunningMean();
  readonly #candidates: CandidateStates<EndpointLoad>;
  /** The endpoints of the first list: none of them is new when it connects. */
  #founders: WeakSet<Candidate> | undefined;

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
    if (report) state.reported(report, candidate.inFlight + candidate.streams, now);
    // The load multiplier covers failures; the duration of a stream says nothing.
    if (!call.stream && !failed) {
      const latency = this.#comparable(candidate, state, measured, cutShort, now);
      const ratio = this.#methods.ratio(call.method, latency);
      if (cutShort) state.latency.recordAtLeast(ratio, now);
      else {
        state.latency.record(ratio, now, report && this.#durations.confirmation(report, ratio));
        this.#methods.record(call.method, latency);
      }
    }
    state.changed();
  }

  members(all: readonly Candidate[]): void {
    if (all.length > 0) this.#founders ??= new WeakSet(all);
  }

  ready(candidate: Candidate): void {
    if (this.#founders?.delete(candidate) !== false || !this.#usualBusyness.known) return;
    const state = this.#candidates.of(candidate);
    state.latency.assume(NEWCOMER_LATENCY, this.clock.now());
    state.changed();
  }

  /** What a call took, without the parts that distance and concurrent calls explain. */
  #comparable(candidate: Candidate, state: EndpointLoad, measured: number, cutShort: boolean, now: number): number {
    // A call that was cut short takes less than the way.
    if (!cutShort) {
      this.#distances.record(measured, now);
      state.shortest.record(measured, now);
    }
    return Math.max(0, measured - this.#distances.excuse(state.shortest)) / this.#crowding(candidate);
  }

  /**
   * The part of a latency that concurrent calls explain. A slow endpoint gets few calls and would look better than it
   * is; a fast one would look worse. Uses the square root, because only part of the latency is queueing.
   */
  #crowding({ inFlight, weight }: Candidate): number {
    const busyness = (inFlight + 1) / weight;
    this.#usualBusyness.record(busyness);
    return Math.sqrt(busyness / this.#usualBusyness.value);
  }
}

/** The state of one endpoint beside its calls in flight. */
class EndpointLoad {
  readonly latency = new RelativeLatency();
  readonly shortest = new ShortestLatency();
  readonly #calls: ReportedLoad;
  readonly #lag: ReportedLag;
  /** The coarse time for which the two fields below were computed. */
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
    const few = 1 + FEW_CALLS / (FEW_CALLS + others.value);
    const calls = few * OTHERS_WEIGHT * (this.#calls.others(coarseNow) / (others.value + 1));
    const waiting = LAG_WEIGHT * (this.#lag.read(coarseNow) / (lag.value + LEAST_LAG_MS));
    this.#extra = Math.min(few * MAX_REPORTED, calls + Math.min(MAX_REPORTED, waiting));
  }
}

function loadOf({ inFlight, failureFactor, weight }: Candidate, state: EndpointLoad, coarseNow: number): number {
  return (state.load(inFlight, coarseNow) * failureFactor) / weight;
}
