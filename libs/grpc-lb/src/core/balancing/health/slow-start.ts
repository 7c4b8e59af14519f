import type { EffectiveSlowStartOptions } from '../../options/slow-start-options.js';

/**
 * The fraction of its full share that an endpoint gets `age` milliseconds after it joined: `max(minShare, (age /
 * window) ^ (1 / aggression))`, like the weight in Envoy's slow start.
 */
export function warmth(age: number, { enabled, window, aggression, minShare }: EffectiveSlowStartOptions): number {
  if (!enabled || age >= window) return 1;
  return Math.max(minShare, (Math.max(age, 0) / window) ** (1 / aggression));
}
