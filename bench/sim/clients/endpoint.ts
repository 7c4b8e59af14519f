import {
  PassiveHealth,
  type PassiveHealthOptions,
  type PassiveHealthOwner,
} from '../../../libs/grpc-lb/src/core/balancing/health/passive-health.js';
import type { PeerComparison } from '../../../libs/grpc-lb/src/core/balancing/health/peer-comparison.js';
import type { Clock } from '../../../libs/grpc-lb/src/core/clock.js';
import type { Counted } from '../../../libs/grpc-lb/src/core/balancing/ledger.js';
import type { Choosable } from '../../../libs/grpc-lb/src/core/picking/choice.js';
import type { Rotatable } from '../../../libs/grpc-lb/src/core/balancing/route/rotation.js';
import type { Random } from '../../../libs/grpc-lb/src/core/random.js';
import type { Server } from '../servers/server.js';

export interface EndpointOwner {
  /** Whether it may be picked has changed. */
  endpointChanged(): void;
  /** All endpoints, to compare this one with. */
  readonly peers: PeerComparison;
}

/** A server as one client sees it. In place of connections there is a wire that is always up; the rest is production. */
export class SimEndpoint implements Choosable, Rotatable, Counted, PassiveHealthOwner {
  inFlight = 0;
  readonly weight = 1;
  failureFactor = 1;
  readonly key: string;
  readonly fitness: PassiveHealth;
  /** Discovery does not name it any more. */
  draining = false;
  readonly connected = true;

  constructor(
    readonly server: Server,
    clock: Clock,
    random: Random,
    options: () => PassiveHealthOptions,
    private readonly owner: EndpointOwner,
  ) {
    this.key = server.key;
    this.fitness = new PassiveHealth(clock, random, options, this, owner.peers);
  }

  get healthy(): boolean {
    return this.fitness.admitted;
  }

  get probing(): boolean {
    return this.fitness.outlier.state.kind === 'probing';
  }

  get wantsProbe(): boolean {
    return this.fitness.wantsProbe;
  }

  get warmth(): number {
    return this.fitness.warmth;
  }

  ejectionChanged(): void {
    this.owner.endpointChanged();
  }

  warmedUp(): void {
    this.owner.endpointChanged();
  }
}
