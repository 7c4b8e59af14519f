import type { Clock } from '../clock.js';
import type { EventBody } from '../events.js';
import type { EffectiveLoadBalancing } from '../options/load-balancing.js';
import type { OwnStall } from '../own-stall.js';
import type { Random } from '../random.js';

/** What the decisions of a balancer need of the client around them. */
export interface BalancingEnvironment {
  readonly clock: Clock;
  readonly random: Random;
  /** The options in force. They may change; a part that has not changed stays the same object. */
  readonly loadBalancing: EffectiveLoadBalancing;
  /** The client's zone; undefined where zones do not count. */
  readonly zone: string | undefined;
  /** Whether this process itself stood still. */
  readonly ownStall: OwnStall;
  /** An endpoint has its full share at once when its ejection ends. Only the simulator says so. Default false. */
  readonly warmAfterEjection?: boolean;
  emit(event: EventBody): void;
}
