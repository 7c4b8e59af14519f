import type { MoveReason } from '../streams/placed-stream.js';
import type { RebalanceRule, StreamPlacementSource } from '../streams/stream-placement.js';
import type { BalancingEnvironment } from './environment.js';
import type { Carrier } from './members/link.js';
import type { Member } from './members/member.js';
import type { Route } from './route/route.js';

/** What the placement of streams reads of a balancer. Streams even out within a zone of a priority. */
export class StreamGroups<C extends Carrier> implements StreamPlacementSource<Member<C>> {
  #route: Route<Member<C>> | undefined;
  #groups: readonly (readonly Member<C>[])[] = [];

  constructor(
    private readonly environment: BalancingEnvironment,
    private readonly router: { readonly route: Route<Member<C>> },
  ) {}

  get clock() {
    return this.environment.clock;
  }

  get random() {
    return this.environment.random;
  }

  get rebalance(): RebalanceRule | undefined {
    return this.environment.loadBalancing.streams.rebalance || undefined;
  }

  get groups(): readonly (readonly Member<C>[])[] {
    const { route } = this.router;
    if (route !== this.#route) {
      this.#route = route;
      const rotations = route.open.flatMap(({ localZone, otherZones }) => [
        localZone,
        ...(otherZones ? [otherZones] : []),
      ]);
      this.#groups = rotations.map(({ pickable }) => pickable);
    }
    return this.#groups;
  }

  leaving({ key }: Member<C>, reason: MoveReason, streams: number): void {
    this.environment.emit({ type: 'streams_leaving', address: key, reason, streams });
  }

  moved(from: Member<C>, to: Member<C>, reason: MoveReason): void {
    this.environment.totals.streamMoved(reason);
    // The streams that leave an endpoint have been reported together.
    if (reason === 'rebalance' || reason === 'key')
      this.environment.emit({ type: 'stream_rebalanced', address: from.key, to: to.key, reason });
  }
}
