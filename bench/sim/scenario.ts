import type { LoadBalancingOptions } from '../../libs/grpc-lb/src/core/options/load-balancing.js';
import type { CallModel } from './clients/call-model.js';
import type { Subject } from './subjects.js';
import type { Subset } from './dispatch/subsets.js';
import type { Places } from './places.js';
import type { Workload } from './workload.js';
import type { World } from './world.js';

/** A situation to compare policies in. */
export interface Scenario {
  /** The name for `--scenarios`. */
  readonly name: string;
  readonly title: string;
  /** Two sentences: what it is, and what it shows. */
  readonly explains: string;
  readonly servers: number;
  /**
   * Calls that a server works on at a time; `event-loop` for a Node backend whose handlers wait for others, `turns` for
   * one whose handlers block its event loop.
   */
  readonly slots: number | 'event-loop' | 'turns';
  readonly workload: Workload;
  /** The capacity that loads refer to: the work that all servers can do, in slots at full speed. */
  readonly capacity: number;
  /** Shares of the capacity. Default 0.7 and 0.85. */
  readonly loads?: readonly number[];
  /** Default 1, 10 and 100. */
  readonly clients?: readonly number[];
  /** Only calls made within this time count, in milliseconds. Default: all. */
  readonly window?: readonly [from: number, to: number];
  /** Options that differ from the defaults of the package, apart from the policy. */
  readonly balancing?: LoadBalancingOptions;
  /** Default: each call is one attempt, and its caller waits for as long as it takes. */
  readonly calls?: CallModel;
  readonly subset?: Subset;
  /** Compared with the policies of the package. */
  readonly alsoCompared?: readonly Subject[];
  /** Where clients and servers are. Default: all at the same distance. */
  readonly places?: Places;
  /** Compared in place of the policies of the package. */
  readonly subjects?: readonly Subject[];
  /** What happens to the servers. */
  readonly script?: (world: World) => void;
  /** The second at which the cause of the failures ends, so that what follows is a recovery. */
  readonly triggerEnds?: number;
  /** Measured by the share of calls that fail: callers give up, so latencies are meaningless. */
  readonly byFailures?: boolean;
  /** Measured by how evenly the backends are used: what that costs in latency is small, and accepted. */
  readonly byShares?: boolean;
  /**
   * Also drawn over time: the latency, the failures, the attempts for a call, or the share of the calls at the servers
   * from this index on.
   */
  readonly timeline?: 'latency' | 'failures' | 'attempts' | { readonly shareFrom: number };
  /** The methods are told apart, as they differ in what becomes of them. */
  readonly byMethod?: boolean;
}

export const DEFAULT_LOADS: readonly number[] = [0.7, 0.85];
export const DEFAULT_CLIENTS: readonly number[] = [1, 10, 100];
