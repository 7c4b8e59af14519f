import { boolean, type Check, fields, integer, number } from './validation.js';

/** How an endpoint that joins later, or comes back, is given its share by and by. */
export interface SlowStartOptions {
  /** False turns slow start off. Default true. */
  readonly enabled?: boolean;
  /** Milliseconds until an endpoint has its full share, 100 to 3600000. Default 10000. */
  readonly window?: number;
  /**
   * The share grows as `(time / window) ^ (1 / aggression)`, as in Envoy: 1 is a straight line, less starts lower. From
   * 0.1 to 10. Default 0.5.
   */
  readonly aggression?: number;
  /** The share to begin with, 0.01 to 1 of the full one. Default 0.05. */
  readonly minShare?: number;
}

export type EffectiveSlowStartOptions = Required<SlowStartOptions>;

export const slowStartCheck: Check = fields({
  enabled: boolean,
  window: integer({ min: 100, max: 3_600_000, unit: 'milliseconds' }),
  aggression: number({ min: 0.1, max: 10 }),
  minShare: number({ min: 0.01, max: 1 }),
});

export function effectiveSlowStart(options: SlowStartOptions = {}): EffectiveSlowStartOptions {
  return {
    enabled: options.enabled ?? true,
    window: options.window ?? 10_000,
    aggression: options.aggression ?? 0.5,
    minShare: options.minShare ?? 0.05,
  };
}
