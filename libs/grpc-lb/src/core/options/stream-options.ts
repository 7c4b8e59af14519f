import { type Check, fields, integer, isObject, number, shown } from './validation.js';

/** When streams that can resume move only to divide them evenly. */
export interface StreamRebalanceOptions {
  /**
   * Milliseconds between two moves of one client, at least; up to a tenth more, so that clients do not act in step. From
   * 100 to 3600000.
   *
   * @default 10000
   */
  readonly interval?: number;
  /**
   * A client with more streams that can move than this moves one of each so many in an interval: with 300, ten times as
   * often as with 30. From 1 to 1000000.
   *
   * @default 30
   */
  readonly streamsPerMove?: number;
  /**
   * A stream moves only from an endpoint that carries more than this above the mean, as a fraction of the mean, 0 to 10.
   *
   * @default 0.1
   */
  readonly threshold?: number;
}

/** Streams that last, such as subscriptions. */
export interface StreamOptions {
  /**
   * Whether, and how fast, streams that can resume move from endpoints that carry more streams than the others. Without
   * it they move only when their endpoint leaves or fails. `true` means the defaults.
   *
   * @default true
   */
  readonly rebalance?: StreamRebalanceOptions | boolean;
}

/** Rebalancing with every default filled in. */
export type EffectiveStreamRebalance = Required<StreamRebalanceOptions>;

/** Stream options with every default filled in. */
export interface EffectiveStreamOptions {
  /** False if streams do not move only to divide them evenly. */
  readonly rebalance: EffectiveStreamRebalance | false;
}

const rebalanceFields = fields({
  interval: integer({ min: 100, max: 3_600_000, unit: 'milliseconds' }),
  streamsPerMove: integer({ min: 1, max: 1_000_000, unit: 'streams' }),
  threshold: number({ min: 0, max: 10 }),
});

const rebalance: Check = (path, value, faults) => {
  if (typeof value === 'boolean') return;
  if (isObject(value)) rebalanceFields(path, value, faults);
  else
    faults.push({
      path,
      message: `is ${shown(value)}; use true, false, or an object with interval, streamsPerMove, threshold`,
    });
};

export const streamCheck: Check = fields({ rebalance });

export function effectiveStreams({ rebalance: options = true }: StreamOptions = {}): EffectiveStreamOptions {
  if (options === false) return { rebalance: false };
  const { interval, streamsPerMove, threshold }: StreamRebalanceOptions = options === true ? {} : options;
  return {
    rebalance: { interval: interval ?? 10_000, streamsPerMove: streamsPerMove ?? 30, threshold: threshold ?? 0.1 },
  };
}
