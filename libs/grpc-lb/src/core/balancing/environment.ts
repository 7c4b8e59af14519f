import type { Clock } from '../clock.js';
import type { EventBody } from '../events.js';
import type { EffectiveLoadBalancing } from '../options/load-balancing.js';
import type { OwnStall } from '../own-stall.js';
import type { WeightsUpdate } from '../policy/weights-update.js';
import type { Random } from '../random.js';
import type { Totals } from '../totals.js';

/** What a balancer needs from its client. */
export interface BalancingEnvironment {
  readonly clock: Clock;
  /** The time of day for people who read a snapshot, in milliseconds since the epoch; it may go back. */
  epoch(): number;
  readonly random: Random;
  /** The options in force. They may change; a part that has not changed stays the same object. */
  readonly loadBalancing: EffectiveLoadBalancing;
  /** The local zone; undefined if zones are ignored. */
  readonly zone: string | undefined;
  /** Detects stalls of this process. */
  readonly ownStall: OwnStall;
  /** Counts what happens. */
  readonly totals: Totals;
  emit(event: EventBody): void;
  /** Called when `weighted_round_robin` has computed new weights from load reports. */
  weightsUpdated?(update: WeightsUpdate): void;
}
