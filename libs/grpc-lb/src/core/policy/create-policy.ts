import type { Clock } from '../clock.js';
import type { PolicyConfig } from '../options/policy-config.js';
import type { Random } from '../random.js';
import { Adaptive } from './adaptive.js';
import { HotCold } from './hot-cold.js';
import { LeastRequest } from './least-request.js';
import { PeakEwma } from './peak-ewma.js';
import { PickFirst } from './pick-first.js';
import type { Policy } from './policy.js';
import { RingHash } from './ring-hash.js';
import { RoundRobin } from './round-robin.js';
import { WeightedRandom } from './weighted-random.js';
import { WeightedRoundRobin } from './weighted-round-robin.js';
import type { WeightsUpdate } from './weights-update.js';

/** @param onWeights Called when `weighted_round_robin` has computed new weights from reports. */
export function createPolicy(
  config: PolicyConfig,
  random: Random,
  clock: Clock,
  onWeights?: (update: WeightsUpdate) => void,
): Policy {
  switch (config.name) {
    case 'least_request':
      return new LeastRequest(config, random);
    case 'adaptive':
      return new Adaptive(random, clock);
    case 'peak_ewma':
      return new PeakEwma(config, random, clock);
    case 'hot_cold':
      return new HotCold(config, random, clock);
    case 'round_robin':
      return new RoundRobin(random);
    case 'weighted_round_robin':
      return new WeightedRoundRobin(config, random, clock, onWeights);
    case 'ring_hash':
      return new RingHash(config, random);
    case 'random':
      return new WeightedRandom(random);
    case 'pick_first':
      return new PickFirst(config, random);
  }
}
