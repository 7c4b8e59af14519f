import { isDeepStrictEqual } from 'node:util';
import type { Cancel } from '../../core/clock.js';
import { addressToString, type Endpoint } from '../../core/endpoint.js';
import { diffEndpoints } from '../../core/balancing/members/endpoint-diff.js';
import { byPriority, type PriorityMembers } from '../../core/balancing/members/priority-members.js';
import { canBearAll, capacityOf, prioritiesNeeded } from '../../core/balancing/members/priority-shares.js';
import { createSubset, type Subset } from '../../core/subset/subset.js';
import type { EffectiveSubsetOptions } from '../../core/options/subset-options.js';
import type { ConnectionEnvironment } from '../endpoint/connection-environment.js';
import { type EndpointOwner, PooledEndpoint } from '../endpoint/pooled-endpoint.js';
import type { StandbyEndpoint } from '../channel/explain.js';

/** An endpoint that has been connecting for longer is not counted on any more: the next priority is connected. */
const FAILOVER_AFTER_MS = 1000;
/** gRFC A56: a priority that is not needed any more stays connected for so long, should it be needed again. */
const DEACTIVATE_AFTER_MS = 15 * 60_000;

/**
 * The endpoints that a client keeps connected, out of those that discovery names: of the priorities as many as are
 * needed, and of those a subset, if there is one. An update changes only what differs; what stays keeps its connections
 * and counters, and what leaves ends its calls first.
 */
export class EndpointPool {
  /** In the order of priority, then of discovery. */
  #endpoints = new Map<string, PooledEndpoint>();
  readonly #draining = new Map<string, PooledEndpoint>();
  #list: readonly Endpoint[] = [];
  #known: readonly PriorityMembers<Endpoint>[] = [];
  #levels: readonly PriorityMembers<PooledEndpoint>[] = [];
  /** How many priorities are connected, from the best. */
  #active = 1;
  #cancelDeactivation: Cancel | undefined;
  /** The most priorities that were needed since then. */
  #neededSince = 1;
  #cancelFailover: Cancel | undefined;
  /** One for each group of endpoints; they remember what they chose. */
  readonly #subsets = new Map<string, Subset>();
  #subsetOptions: EffectiveSubsetOptions | undefined;
  /** There has been a list before: who joins now, joins later. */
  #adopted = false;

  constructor(
    private readonly environment: ConnectionEnvironment,
    private readonly owner: EndpointOwner,
  ) {}

  get levels(): readonly PriorityMembers<PooledEndpoint>[] {
    return this.#levels;
  }

  get size(): number {
    return this.#endpoints.size;
  }

  get endpoints(): Iterable<PooledEndpoint> {
    return this.#endpoints.values();
  }

  /** Those that drain included. */
  get all(): PooledEndpoint[] {
    return [...this.#endpoints.values(), ...this.#draining.values()];
  }

  /** Those of the priorities that are not connected, because better ones can bear all calls. */
  get standbys(): StandbyEndpoint[] {
    return this.#known
      .slice(this.#active)
      .flatMap(({ priority, localZone, otherZones }) =>
        [...localZone, ...otherZones].map(({ address }) => ({ address: addressToString(address), priority })),
      );
  }

  isDraining(endpoint: PooledEndpoint): boolean {
    return this.#draining.get(endpoint.key) === endpoint;
  }

  /** A new list of discovery, all of it. */
  adopt(list: readonly Endpoint[]): void {
    const before = new Map(this.#list.map((endpoint) => [addressToString(endpoint.address), endpoint]));
    this.#list = list;
    this.rearrange();
    const { added, removed } = diffEndpoints(before, list);
    const total = before.size + added.length - removed.length;
    this.#adopted = true;
    if (added.length === 0 && removed.length === 0) return;
    this.#context.emit({ type: 'discovery_updated', added: added.length, removed: removed.length, total });
  }

  /** Works out again who is used: the list, the zone or the subset has changed. */
  rearrange(): void {
    const { subset } = this.#context.loadBalancing;
    if (!isDeepStrictEqual(subset, this.#subsetOptions)) this.#subsets.clear();
    this.#subsetOptions = subset;
    this.#known = byPriority(this.#list, this.#context.zone, this.#choose);
    this.#active = Math.max(this.#active, this.#levelsInUse());
    this.#arrange();
  }

  /** Who is well and in use goes on until better ones can bear the calls, wherever the new list puts it. */
  #levelsInUse(): number {
    const healthy = this.#known.map(({ localZone, otherZones }) => {
      const endpoints = [...localZone, ...otherZones].map(({ address }) =>
        this.#endpoints.get(addressToString(address)),
      );
      return { total: endpoints.length, healthy: endpoints.filter((endpoint) => endpoint?.healthy).length };
    });
    const { overprovisioningFactor } = this.#context.loadBalancing.health;
    const needed = prioritiesNeeded(healthy.map((level) => capacityOf(level, overprovisioningFactor)));
    return healthy.slice(0, needed).findLastIndex((level) => level.healthy > 0) + 1;
  }

  /** Connects the next priority if those that are connected cannot bear all calls; true if it did. */
  activateIfNeeded(): boolean {
    if (this.#known.length <= 1) return false;
    const now = this.#context.clock.now();
    const mayYetBeWell = ({ state, since }: PooledEndpoint): boolean =>
      state === 'connecting' && now < since + FAILOVER_AFTER_MS;
    const isHopeful = (endpoint: PooledEndpoint): boolean => endpoint.healthy || mayYetBeWell(endpoint);
    const more = this.#active < this.#known.length;
    if (more && !canBearAll(this.#capacities(isHopeful))) {
      this.#active++;
      this.#arrange();
      return true;
    }
    const capacities = this.#capacities(({ healthy }) => healthy);
    // Those who are counted on may disappoint, and nothing would tell.
    if (more && !canBearAll(capacities)) this.#lookAgain();
    this.#watchDeactivation(prioritiesNeeded(capacities));
    return false;
  }

  #capacities(counts: (endpoint: PooledEndpoint) => boolean): number[] {
    const factor = this.#context.loadBalancing.health.overprovisioningFactor;
    return this.#levels.map(({ localZone, otherZones }) => {
      const healthy = localZone.filter(counts).length + otherZones.filter(counts).length;
      return capacityOf({ total: localZone.length + otherZones.length, healthy }, factor);
    });
  }

  #lookAgain(): void {
    this.#cancelFailover ??= this.#context.clock.after(FAILOVER_AFTER_MS, () => {
      this.#cancelFailover = undefined;
      this.owner.rearrange();
    });
  }

  endpointGone(endpoint: PooledEndpoint): boolean {
    if (!this.isDraining(endpoint)) return false;
    this.#draining.delete(endpoint.key);
    // Its timers, for an ejection or a slow start, would outlive it.
    endpoint.close();
    return true;
  }

  close(): void {
    this.#cancelDeactivation?.();
    this.#cancelFailover?.();
    for (const endpoint of this.all) endpoint.close();
  }

  readonly #choose = (endpoints: readonly Endpoint[], group: string): readonly Endpoint[] => {
    const options = this.#subsetOptions;
    if (options === undefined) return endpoints;
    let subset = this.#subsets.get(group);
    if (!subset) this.#subsets.set(group, (subset = createSubset(options, this.#context.random)));
    return subset.choose(endpoints);
  };

  get #context() {
    return this.environment.context;
  }

  /** The endpoints that are used, in their order; who is not among them drains. */
  #arrange(): void {
    const wanted = this.#known
      .slice(0, this.#active)
      .flatMap(({ localZone, otherZones }) => [...localZone, ...otherZones]);
    const { removed } = diffEndpoints(this.#endpoints, wanted);
    for (const endpoint of removed) {
      this.#endpoints.delete(endpoint.key);
      this.#draining.set(endpoint.key, endpoint);
      endpoint.drain();
    }
    const next = new Map<string, PooledEndpoint>();
    const pooled = (endpoint: Endpoint): PooledEndpoint => {
      const key = addressToString(endpoint.address);
      const one = this.#endpoints.get(key) ?? this.#revive(key) ?? this.#join(key, endpoint);
      one.describe(endpoint);
      next.set(key, one);
      return one;
    };
    this.#levels = this.#known.slice(0, this.#active).map(({ priority, localZone, otherZones }) => ({
      priority,
      localZone: localZone.map(pooled),
      otherZones: otherZones.map(pooled),
    }));
    for (const { localZone, otherZones } of this.#levels) {
      for (const endpoint of localZone) endpoint.inLocalZone = true;
      for (const endpoint of otherZones) endpoint.inLocalZone = false;
    }
    this.#endpoints = next;
  }

  /** It has come back while it drains. */
  #revive(key: string): PooledEndpoint | undefined {
    const returning = this.#draining.get(key);
    if (!returning) return undefined;
    this.#draining.delete(key);
    returning.revive();
    return returning;
  }

  #join(key: string, endpoint: Endpoint): PooledEndpoint {
    const pooled = new PooledEndpoint(endpoint, this.environment, this.owner, this.#adopted);
    this.#context.emit({ type: 'endpoint_added', address: key });
    pooled.connections.configure();
    return pooled;
  }

  #watchDeactivation(needed: number): void {
    if (this.#cancelDeactivation) this.#neededSince = Math.max(this.#neededSince, needed);
    else this.#neededSince = needed;
    if (this.#neededSince >= this.#active) {
      this.#cancelDeactivation?.();
      this.#cancelDeactivation = undefined;
      return;
    }
    this.#cancelDeactivation ??= this.#context.clock.after(DEACTIVATE_AFTER_MS, () => {
      this.#cancelDeactivation = undefined;
      this.#active = this.#neededSince;
      this.owner.rearrange();
    });
  }
}
