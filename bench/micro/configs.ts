import type { PolicyConfig } from '../../libs/grpc-lb/src/core/options/policy-config.js';

/** Numbers of endpoints. */
export const SIZES = [10, 100, 1000];

export const CONFIGS: Readonly<Record<string, PolicyConfig>> = {
  'least_request, default': { name: 'least_request' },
  'least_request, choiceCount 2': { name: 'least_request', choiceCount: 2 },
  'least_request, all': { name: 'least_request', choiceCount: 1000 },
  adaptive: { name: 'adaptive' },
  peak_ewma: { name: 'peak_ewma' },
  hot_cold: { name: 'hot_cold' },
  round_robin: { name: 'round_robin' },
  random: { name: 'random' },
};
