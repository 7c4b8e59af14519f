import type { HedgePolicyOptions } from '../../../libs/grpc-lb/src/core/options/hedge-options.js';

/** Milliseconds, or a quantile such as `p95`. */
export type HedgeDelay = NonNullable<HedgePolicyOptions['delay']>;

/** Everything that determines a run except the subject. Processes get it as JSON. */
export interface RunSpec {
  readonly scenario: string;
  readonly seed: number;
  /** Share of what all backends together can do. */
  readonly load: number;
  readonly clients: number;
  /** Milliseconds at full speed, in the mean. */
  readonly work: number;
  /** Seconds that do not count, and seconds that do. */
  readonly warmUp: number;
  readonly seconds: number;
  /** Milliseconds from the intended start of a call. */
  readonly deadline: number;
  /** Of subjects that hedge; the default of the package if undefined. */
  readonly hedgeDelay?: HedgeDelay | undefined;
}
