import type { PolicyConfig } from '../options/policy-config.js';
import type { Random } from '../random.js';
import { LeastRequest } from './least-request.js';
import { PickFirst } from './pick-first.js';
import type { Policy } from './policy.js';
import { RoundRobin } from './round-robin.js';
import { WeightedRandom } from './weighted-random.js';

export function createPolicy(config: PolicyConfig, random: Random): Policy {
  switch (config.name) {
    case 'least_request':
      return new LeastRequest(config, random);
    case 'round_robin':
      return new RoundRobin(random);
    case 'random':
      return new WeightedRandom(random);
    case 'pick_first':
      return new PickFirst(config, random);
  }
}
