import { exponential, lognormal } from '../../sim/engine/distributions.js';
import { randomFor } from '../../sim/engine/seeds.js';
import type { RunSpec } from './run-spec.js';
import { capacityOf, scenarioNamed } from './scenario.js';

/** The spread of response times that is usual: one in a hundred takes six times the mean. */
const SIGMA = 1;

/** All calls of a run, the same under every subject. */
export interface Calls {
  readonly count: number;
  /** Intended starts, milliseconds from the start of the run. */
  readonly at: Float64Array;
  /** Milliseconds at full speed. */
  readonly work: Float64Array;
  /** Who makes each of them. */
  readonly client: Uint8Array;
  /** Those before it are the warm-up. */
  readonly firstMeasured: number;
}

/** Calls come at random times (Poisson), whatever became of those before: an open loop. */
export function callsOf(spec: RunSpec): Calls {
  const end = (spec.warmUp + spec.seconds) * 1000;
  const rate = (spec.load * capacityOf(scenarioNamed(spec.scenario), spec.seed)) / spec.work;
  const gaps = exponential(1 / rate);
  const gapRandom = randomFor(spec.seed, 'arrivals');
  const at: number[] = [];
  for (let time = gaps.draw(gapRandom); time < end; time += gaps.draw(gapRandom)) at.push(time);
  const works = lognormal(spec.work, SIGMA);
  const workRandom = randomFor(spec.seed, 'work');
  const clientRandom = randomFor(spec.seed, 'clients');
  const firstMeasured = at.findIndex((time) => time >= spec.warmUp * 1000);
  return {
    count: at.length,
    at: Float64Array.from(at),
    work: Float64Array.from(at, () => works.draw(workRandom)),
    client: Uint8Array.from(at, () => Math.floor(clientRandom() * spec.clients)),
    firstMeasured: firstMeasured === -1 ? at.length : firstMeasured,
  };
}
