import type { LoadBalancingOptions } from '../../../libs/grpc-lb/src/core/options/load-balancing.js';
import type { StreamWorld } from './stream-world.js';

/** How the streams of a run behave. */
export interface StreamBehavior {
  readonly name: string;
  /** Whether they can resume, and so move. */
  readonly resumable: boolean;
  /** Milliseconds after which the server ends a stream, ± 10 %; undefined if it does not. */
  readonly maxAge?: number;
  readonly balancing?: LoadBalancingOptions;
}

/** A change of backends below long streams. */
export interface StreamScenario {
  readonly name: string;
  readonly title: string;
  /** Two sentences: what it is, and what it shows. */
  readonly explains: string;
  readonly servers: number;
  readonly streams: number;
  /** Milliseconds that a stream lasts on average; memoryless, and as many begin as end. */
  readonly lasts: number;
  readonly clients: readonly number[];
  readonly behaviors: readonly StreamBehavior[];
  /** When the change is over; times are measured from here, in milliseconds. */
  readonly from: number;
  /** What happens to the servers. */
  readonly script: (world: StreamWorld) => void;
}

/** Milliseconds for which a scenario is watched after its change. */
export const WATCHED = 1_800_000;
