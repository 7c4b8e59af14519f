import { Spillover } from '../../core/locality/spillover.js';
import type { EffectiveLocalityOptions } from '../../core/options/locality-options.js';
import { chancesOf, type EndpointChance } from '../../core/picking/chances.js';
import { type PriorityRoute, NO_ROUTE, type Route, routeOf } from '../../core/balancing/route/route.js';
import type { Policy } from '../../core/policy/policy.js';
import type { PrioritySnapshot } from '../../core/snapshot.js';
import type { ClientContext } from '../context/client-context.js';
import type { EndpointPool } from './endpoint-pool.js';
import type { CallBook } from '../call/pick.js';
import type { PooledEndpoint } from '../endpoint/pooled-endpoint.js';

/** Where the calls of a client may go as things stand: to which priorities and zones, and to whom there. */
export class Routing {
  traffic: Route<PooledEndpoint> = NO_ROUTE;
  #localityOptions: EffectiveLocalityOptions | undefined;
  #toldOfPanic = false;
  /** The failover that was told last; that all calls go to the first priority is where it begins. */
  #toldOf = '0 10';

  constructor(
    private readonly context: ClientContext,
    private readonly pool: EndpointPool,
    private readonly book: CallBook,
  ) {}

  /** Works it out anew: an endpoint or an option has changed. */
  update(): void {
    this.#watchZones();
    this.traffic = routeOf(this.pool.levels, this.context.loadBalancing.health);
    const { open } = this.traffic;
    this.#tellOfPanic(this.traffic);
    if (open.length > 0) this.#tellOfFailover(open[0]!);
  }

  /** The part of a priority's calls that goes to other zones: a zone that is overloaded shows in the latency of its calls. */
  readonly crossShare = ({ crossAtLeast, evenShare }: PriorityRoute<PooledEndpoint>): number =>
    this.book.spillover?.share(crossAtLeast, evenShare) ?? crossAtLeast;

  priorities(): PrioritySnapshot[] {
    return this.traffic.priorities.map((level) => ({
      priority: level.priority,
      share: level.share,
      endpoints: level.total,
      healthy: level.healthy,
      crossZoneShare: level.zoned ? (level.otherZones ? this.crossShare(level) : level.crossAtLeast) : null,
    }));
  }

  explain(policy: Policy): EndpointChance[] {
    return chancesOf(this.traffic, policy, this.crossShare);
  }

  /** A panic ends when enough endpoints are ready, not when the last one is lost or the client is closed. */
  #tellOfPanic({ panic, healthy, connected }: Route<PooledEndpoint>): void {
    if (panic === this.#toldOfPanic || (!panic && healthy === 0)) return;
    this.#toldOfPanic = panic;
    this.context.emit({ type: 'panic', on: panic, healthy, connected });
  }

  /** In steps of a tenth: while endpoints come and go one by one, each is not news. */
  #tellOfFailover({ priority, share }: PriorityRoute<PooledEndpoint>): void {
    const key = `${priority} ${Math.round(share * 10)}`;
    if (key === this.#toldOf) return;
    this.#toldOf = key;
    this.context.emit({ type: 'failover', priority, share });
  }

  /** Where zones do not count, no latency needs to be measured. */
  #watchZones(): void {
    const { zone, loadBalancing } = this.context;
    if (loadBalancing.locality === this.#localityOptions) return;
    this.#localityOptions = loadBalancing.locality;
    this.book.spillover = zone === undefined ? undefined : new Spillover(loadBalancing.locality);
  }
}
