import type { Scenario } from '../scenario.js';
import { coldStart, coldStartPlain, errors, fastFailure, fastFailureReported, scale } from './change.js';
import { distances, far, near, quick, zoneRules, zones } from './distance.js';
import { fullOutage, hedge, outageEnds } from './hedging.js';
import { node, oneSlot, retries, retriesBudget } from './limits.js';
import { hundred, hundredAperture, thousand, thousandAperture, thousandRandom } from './many.js';
import { excess, metastable, retryStorm, shedding } from './overload.js';
import { overload, sharedFailures } from './shared.js';
import { changingSpeeds, few, oneSlow, twoSlow } from './speed.js';
import { bimodal, bursts, equal, heavyTail, methods, streams } from './work.js';

/** In the order of the page. */
export const SCENARIOS: readonly Scenario[] = [
  equal,
  heavyTail,
  bimodal,
  methods,
  streams,
  bursts,
  twoSlow,
  few,
  changingSpeeds,
  oneSlow,
  fastFailure,
  fastFailureReported,
  errors,
  near,
  distances,
  far,
  quick,
  zones,
  zoneRules,
  sharedFailures,
  overload,
  coldStart,
  coldStartPlain,
  scale,
  node,
  oneSlot,
  hundred,
  hundredAperture,
  thousand,
  thousandAperture,
  thousandRandom,
  retries,
  retriesBudget,
  fullOutage,
  outageEnds,
  hedge,
  excess,
  metastable,
  retryStorm,
  shedding,
];

export function scenarioNamed(name: string): Scenario {
  const scenario = SCENARIOS.find((each) => each.name === name);
  if (scenario) return scenario;
  throw new RangeError(`There is no scenario ${name}; use ${SCENARIOS.map((each) => each.name).join(', ')}.`);
}
