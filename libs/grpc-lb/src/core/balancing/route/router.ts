import { Spillover } from '../../locality/spillover.js';
import type { EffectiveLocalityOptions } from '../../options/locality-options.js';
import type { PrioritySnapshot } from '../../snapshot.js';
import type { BalancingEnvironment } from '../environment.js';
import type { PriorityMembers } from '../members/priority-members.js';
import { NO_ROUTE, type PriorityRoute, type Routable, type Route, routeOf } from './route.js';

/** Keeps the route of a client's calls: the priorities and zones that take them now, and their endpoints. */
export class Router<E extends Routable> {
  route: Route<E> = NO_ROUTE;
  /** Compares the local zone with the others; undefined if zones are ignored. */
  spillover: Spillover | undefined;
  #localityOptions: EffectiveLocalityOptions | undefined;
  #toldPanic = false;
  /** The last reported failover. Initially all calls go to the first priority. */
  #toldFailover = '0 10';

  constructor(private readonly environment: BalancingEnvironment) {}

  /** Recomputes the route after an endpoint or an option has changed. */
  update(priorities: readonly PriorityMembers<E>[]): void {
    this.#watchZones();
    this.route = routeOf(priorities, this.environment.loadBalancing.health);
    this.#tellPanic(this.route);
    const [first] = this.route.open;
    if (first) this.#tellFailover(first);
  }

  /**
   * The share of a priority's calls that goes to other zones; it grows with the latency of an overloaded local zone.
   */
  readonly crossShare = ({ crossAtLeast, evenShare }: PriorityRoute<E>): number =>
    this.spillover?.share(crossAtLeast, evenShare) ?? crossAtLeast;

  priorities(): PrioritySnapshot[] {
    const { priorities, degraded } = this.route;
    return priorities.map((each) => ({
      priority: each.priority,
      share: each.share + (degraded.find(({ priority }) => priority === each.priority)?.share ?? 0),
      endpoints: each.total,
      healthy: each.healthy,
      degraded: each.degraded,
      crossZoneShare: each.zoned ? (each.otherZones ? this.crossShare(each) : each.crossAtLeast) : null,
    }));
  }

  /** A panic ends when enough endpoints are ready, not when the last one is lost or the client is closed. */
  #tellPanic({ panic, healthy, connected }: Route<E>): void {
    if (panic === this.#toldPanic || (!panic && healthy === 0)) return;
    this.#toldPanic = panic;
    this.environment.emit({ type: 'panic', on: panic, healthy, connected });
  }

  /** Reports in steps of a tenth, so that endpoints that come and go one by one do not each cause an event. */
  #tellFailover({ priority, share }: PriorityRoute<E>): void {
    const key = `${priority} ${Math.round(share * 10)}`;
    if (key === this.#toldFailover) return;
    this.#toldFailover = key;
    this.environment.totals.failovers++;
    this.environment.emit({ type: 'failover', priority, share });
  }

  /** Latency is measured only if zones count. */
  #watchZones(): void {
    const { zone, loadBalancing } = this.environment;
    if (loadBalancing.locality === this.#localityOptions) return;
    this.#localityOptions = loadBalancing.locality;
    this.spillover = zone === undefined ? undefined : new Spillover(loadBalancing.locality);
  }
}
