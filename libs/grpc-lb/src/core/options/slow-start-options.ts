import { boolean, type Check, fields, integer, number } from './validation.js';

/** Slow start: an endpoint that joins later, or returns, gets a growing part of its share. */
export interface SlowStartOptions {
  /**
   * Whether slow start is on.
   *
   * @default true
   */
  readonly enabled?: boolean;
  /**
   * Milliseconds until an endpoint gets its full share, 100 to 3600000.
   *
   * @default 10000
   */
  readonly window?: number;
  /**
   * The share grows as `(time / window) ^ (1 / aggression)`, as in Envoy: 1 is a straight line, less starts lower. From
   * 0.1 to 10.
   *
   * @default 0.5
   */
  readonly aggression?: number;
  /**
   * Initial fraction of the full share, 0.01 to 1.
   *
   * @default 0.05
   */
  readonly minShare?: number;
}

/** Slow start options with every default filled in. */
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
