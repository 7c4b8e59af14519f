import type { Clock } from '../clock.js';
import { coarseTime } from '../load/coarse-time.js';
import { PeakLatency } from '../load/peak-latency.js';
import { RunningMean } from '../load/running-mean.js';
import type { PeakEwmaConfig } from '../options/policy-config.js';
import type { Random } from '../random.js';
import { CandidateStates } from './candidate-states.js';
import type { CallInfo, Candidate, Outcome, Policy } from './policy.js';

/** Finagle's default. */
export const DECAY_TIME_MS = 10_000;
/** After a long silence all costs are close to 0; calls in flight must count even then. */
const LEAST_COST = 1e-6;

/**
 * Peak EWMA (Finagle, Linkerd): the lowest `cost · (inFlight + 1)` wins, where cost is the latency of the endpoint,
 * which jumps to each peak and decays slowly. Finagle gives an endpoint without history one call and waits for its end;
 * a stream would then block all further calls, so this policy assumes the mean latency of all endpoints, as in Linkerd.
 */
export class PeakEwma implements Policy {
  readonly streams = 'fewest';
  readonly #candidates: CandidateStates<EndpointCost>;
  readonly #usual: UsualCost;

  constructor(
    { decayTime = DECAY_TIME_MS }: Omit<PeakEwmaConfig, 'name'>,
    random: Random,
    private readonly clock: Clock,
  ) {
    const usual = new UsualCost(decayTime);
    this.#usual = usual;
    this.#candidates = new CandidateStates(() => new EndpointCost(decayTime, usual), random);
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

  learn(candidate: Candidate, call: CallInfo, { latency, failed, cutShort }: Outcome): void {
    if (call.stream) return;
    const now = this.clock.now();
    // An endpoint that fails at once must not look fast; the load multiplier covers its failures.
    const complete = !failed && !cutShort;
    this.#candidates.of(candidate).record(latency, complete, now);
    if (complete) this.#usual.record(latency, now);
  }
}

/** The cost of one endpoint, computed once per coarse time. */
class EndpointCost {
  readonly #latency: PeakLatency;
  #workedOutAt = NaN;
  #cost = 0;
  /**
   * Whether its last answer was a success: an endpoint that only fails or refuses is not measured, and must not look
   * fast after a while.
   */
  #answering = true;

  constructor(
    decayTime: number,
    private readonly usual: UsualCost,
  ) {
    this.#latency = new PeakLatency(decayTime);
  }

  record(latency: number, complete: boolean, now: number): void {
    // A cancelled or failed call counts only if it is a peak.
    if (complete || (this.usual.known && latency > this.#recent(now))) this.#latency.record(latency, now);
    this.#answering = complete;
    this.#workedOutAt = NaN;
  }

  read(coarseNow: number, failing: boolean): number {
    if (coarseNow !== this.#workedOutAt) {
      this.#workedOutAt = coarseNow;
      this.#cost = Math.max(LEAST_COST, this.#recent(coarseNow));
    }
    return failing || !this.#answering ? Math.max(this.#cost, this.usual.read(coarseNow)) : this.#cost;
  }

  #recent(coarseNow: number): number {
    return (this.#latency.known ? this.#latency : this.usual).read(coarseNow);
  }
}

function loadOf({ inFlight, failureFactor, weight }: Candidate, state: EndpointCost, coarseNow: number): number {
  return ((inFlight + 1) * state.read(coarseNow, failureFactor > 1) * failureFactor) / weight;
}

/** The mean over all endpoints, which ages like the cost of each endpoint. */
class UsualCost {
  readonly #mean = new RunningMean();
  #at = 0;

  constructor(private readonly decayTime: number) {}

  record(latency: number, now: number): void {
    this.#mean.record(latency);
    this.#at = now;
  }

  get known(): boolean {
    return this.#mean.known;
  }

  read(coarseNow: number): number {
    return this.#mean.value * Math.exp(Math.min(0, this.#at - coarseNow) / this.decayTime);
  }
}
