import type { Cancel } from '../../clock.js';
import { addressToString, type Endpoint } from '../../endpoint.js';
import { GroupSubsets } from './group-subsets.js';
import type { Carrier } from './link.js';
import { LinkTurns } from './link-turns.js';
import { Member, type MemberOwner } from './member.js';
import { byAddress, byPriority, type PriorityMembers } from './priority-members.js';
import { canBearAll, capacityOf, prioritiesNeeded } from './priority-shares.js';

/** An endpoint that discovery lists, whose priority is not connected until it is needed. */
export interface StandbyEndpoint {
  readonly address: string;
  readonly priority: number;
}

/** The next priority is connected if an endpoint has been connecting for longer than this. */
const FAILOVER_AFTER_MS = 1000;
/** gRFC A56: a priority that is no longer needed stays connected for this long, in case it is needed again. */
const DEACTIVATE_AFTER_MS = 15 * 60_000;
/**
 * The endpoints that a client keeps connected, out of those that discovery lists: as many priorities as are needed, and
 * the subset of each if one is configured. An update changes only what differs: endpoints that stay keep their
 * connections and counters, and endpoints that leave finish their calls first.
 */
export class Members<C extends Carrier> {
  /** In the order of priority, then of discovery. */
  #used = new Map<string, Member<C>>();
  readonly #draining = new Map<string, Member<C>>();
  readonly #links: LinkTurns;
  /** What discovery lists, by address. */
  #listed: ReadonlyMap<string, Endpoint> = new Map();
  /** All priorities of that list, connected or not. */
  #named: readonly PriorityMembers<Endpoint>[] = [];
  #priorities: readonly PriorityMembers<Member<C>>[] = [];
  /** How many priorities are connected, from the best. */
  #active = 1;
  #cancelDeactivation: Cancel | undefined;
  /** The most priorities that were needed since the deactivation timer started. */
  #neededSince = 1;
  #cancelFailover: Cancel | undefined;
  readonly #subsets: GroupSubsets;
  /** Addresses that an operator has taken out of use. */
  readonly #heldOut = new Set<string>();
  /** Whether there has been a list before: endpoints that join now start slowly. */
  #adopted = false;

  constructor(
    private readonly owner: MemberOwner<C>,
    /** Called when the members must be selected again. */
    private readonly onDue: () => void,
    /** Called when more links may be opened and drained by `settle`. */
    onSettle: () => void,
  ) {
    this.#subsets = new GroupSubsets(owner.environment.random);
    this.#links = new LinkTurns(owner.environment, onSettle);
  }

  get priorities(): readonly PriorityMembers<Member<C>>[] {
    return this.#priorities;
  }

  get size(): number {
    return this.#used.size;
  }

  get used(): Iterable<Member<C>> {
    return this.#used.values();
  }

  /** Includes draining members. */
  get all(): Member<C>[] {
    return [...this.#used.values(), ...this.#draining.values()];
  }

  /** The endpoints of priorities that are not connected, because better ones can carry all calls. */
  get standbys(): StandbyEndpoint[] {
    return this.#named
      .slice(this.#active)
      .flatMap(({ priority, localZone, otherZones }) =>
        [...localZone, ...otherZones].map(({ address }) => ({ address: addressToString(address), priority })),
      );
  }

  isDraining(member: Member<C>): boolean {
    return this.#draining.get(member.key) === member;
  }

  /** Takes over a new, complete list from discovery. */
  adopt(list: readonly Endpoint[]): void {
    const before = this.#listed;
    this.#listed = byAddress(list);
    // An address that returns later is another process.
    for (const address of this.#heldOut) if (!this.#listed.has(address)) this.#heldOut.delete(address);
    this.rearrange();
    this.#adopted = true;
    const added = countMissing(this.#listed, before);
    const removed = countMissing(before, this.#listed);
    if (added + removed === 0) return;
    this.#environment.emit({ type: 'discovery_updated', added, removed, total: this.#listed.size });
  }

  /** Selects the endpoints in use again, after the list, the zone or the subset has changed. */
  rearrange(): void {
    const { zone, loadBalancing } = this.#environment;
    const offered = [...this.#listed].flatMap(([address, each]) => (this.#heldOut.has(address) ? [] : [each]));
    this.#named = byPriority(offered, zone, this.#subsets.chooser(loadBalancing.subset));
    // Of a longer list that comes later, the best priorities are connected first again.
    const active = Math.min(this.#active, Math.max(1, this.#named.length));
    this.#active = Math.max(active, this.#prioritiesInUse());
    this.#arrange();
  }

  /** The member in use at an address. */
  at(address: string): Member<C> | undefined {
    return this.#used.get(address);
  }

  /** Addresses that are listed, but held out of use. */
  get heldOut(): readonly string[] {
    return [...this.#heldOut];
  }

  /** Takes a listed endpoint out of use, or puts it back in. Select the members again afterwards. */
  holdOut(address: string, out: boolean): boolean {
    if (out === this.#heldOut.has(address) || !this.#listed.has(address)) return false;
    if (out) this.#heldOut.add(address);
    else this.#heldOut.delete(address);
    return true;
  }

  /** Healthy members stay in use until better ones can carry the calls, wherever the new list places them. */
  #prioritiesInUse(): number {
    if (this.#named.length <= 1) return 1;
    const healthy = this.#named.map(({ localZone, otherZones }) => {
      const endpoints = [...localZone, ...otherZones].map(({ address }) => this.#used.get(addressToString(address)));
      return { total: endpoints.length, healthy: endpoints.filter((endpoint) => endpoint?.healthy).length };
    });
    const { overprovisioningFactor } = this.#environment.loadBalancing.health;
    const needed = prioritiesNeeded(healthy.map((each) => capacityOf(each, overprovisioningFactor)));
    return healthy.slice(0, needed).findLastIndex((each) => each.healthy > 0) + 1;
  }

  /** Connects the next priority if the connected ones cannot carry all calls; returns whether it did. */
  activateIfNeeded(): boolean {
    if (this.#named.length <= 1) return false;
    const now = this.#environment.clock.now();
    const mayBecomeHealthy = ({ state, since }: Member<C>): boolean =>
      state === 'connecting' && now < since + FAILOVER_AFTER_MS;
    const isHopeful = (endpoint: Member<C>): boolean => endpoint.healthy || mayBecomeHealthy(endpoint);
    const more = this.#active < this.#named.length;
    if (more && !canBearAll(this.#capacities(isHopeful))) {
      this.#active++;
      this.#arrange();
      return true;
    }
    const capacities = this.#capacities(({ healthy }) => healthy);
    // Endpoints that are connecting may stay that way without any event, so check again by timer.
    if (more && !canBearAll(capacities)) this.#lookAgain();
    this.#watchDeactivation(prioritiesNeeded(capacities));
    return false;
  }

  #capacities(counts: (endpoint: Member<C>) => boolean): number[] {
    const factor = this.#environment.loadBalancing.health.overprovisioningFactor;
    return this.#priorities.map(({ localZone, otherZones }) => {
      const healthy = localZone.filter(counts).length + otherZones.filter(counts).length;
      return capacityOf({ total: localZone.length + otherZones.length, healthy }, factor);
    });
  }

  #lookAgain(): void {
    this.#cancelFailover ??= this.#environment.clock.after(FAILOVER_AFTER_MS, () => {
      this.#cancelFailover = undefined;
      this.onDue();
    });
  }

  /** Removes a draining member whose last call has ended; returns false if it is not draining. */
  remove(member: Member<C>): boolean {
    if (!this.isDraining(member)) return false;
    this.#draining.delete(member.key);
    // Otherwise its timers, for an ejection or a slow start, would outlive it.
    member.close();
    return true;
  }

  close(): void {
    this.#cancelDeactivation?.();
    this.#cancelFailover?.();
    this.#links.close();
    for (const endpoint of this.all) endpoint.close();
  }

  get #environment() {
    return this.owner.environment;
  }

  /** Selects the endpoints in use, in order, and drains the others. */
  #arrange(): void {
    const next = new Map<string, Member<C>>();
    const memberFor = (endpoint: Endpoint, inLocalZone: boolean): Member<C> => {
      const key = addressToString(endpoint.address);
      const member = this.#used.get(key) ?? this.#rejoin(key) ?? this.#join(key, endpoint);
      member.describe(endpoint);
      member.inLocalZone = inLocalZone;
      next.set(key, member);
      return member;
    };
    this.#priorities = this.#named.slice(0, this.#active).map(({ priority, localZone, otherZones }) => ({
      priority,
      localZone: localZone.map((endpoint) => memberFor(endpoint, true)),
      otherZones: otherZones.map((endpoint) => memberFor(endpoint, false)),
    }));
    for (const [key, member] of this.#used) if (!next.has(key)) this.#depart(member);
    this.#used = next;
    this.settle();
  }

  /** Opens and drains links: as many as one turn may. */
  settle(): void {
    this.#links.run();
  }

  #depart(member: Member<C>): void {
    this.#draining.set(member.key, member);
    this.#links.add(member);
    member.depart();
  }

  /** Takes back an endpoint that returns while it drains. */
  #rejoin(key: string): Member<C> | undefined {
    const member = this.#draining.get(key);
    if (!member) return undefined;
    this.#draining.delete(key);
    this.#links.add(member);
    member.rejoin();
    return member;
  }

  #join(key: string, endpoint: Endpoint): Member<C> {
    const member = new Member(endpoint, this.owner, this.#adopted);
    this.#environment.emit({ type: 'endpoint_added', address: key });
    this.#links.add(member);
    return member;
  }

  #watchDeactivation(needed: number): void {
    if (this.#cancelDeactivation) this.#neededSince = Math.max(this.#neededSince, needed);
    else this.#neededSince = needed;
    if (this.#neededSince >= this.#active) {
      this.#cancelDeactivation?.();
      this.#cancelDeactivation = undefined;
      return;
    }
    this.#cancelDeactivation ??= this.#environment.clock.after(DEACTIVATE_AFTER_MS, () => {
      this.#cancelDeactivation = undefined;
      this.#active = Math.min(this.#active, this.#neededSince);
      this.onDue();
    });
  }
}

/** How many keys of one map are not in the other. */
function countMissing(keys: ReadonlyMap<string, unknown>, other: ReadonlyMap<string, unknown>): number {
  let missing = 0;
  for (const key of keys.keys()) if (!other.has(key)) missing++;
  return missing;
}
