import { isPanic } from './panic.js';
import type { PriorityMembers } from '../members/priority-members.js';
import { canBearAll, capacityOf, priorityShares } from '../members/priority-shares.js';
import type { EffectiveHealthOptions } from '../../options/health-options.js';
import { type Census, censusOf, type Rotatable, type Rotation, rotationOf } from './rotation.js';

/** An endpoint as a route sees it. */
export interface Routable extends Rotatable {
  readonly weight: number;
}

/** The healthy endpoints of a priority, or its degraded ones. */
export interface PriorityRoute<E> {
  readonly priority: number;
  /** The share of all calls that goes to these endpoints. */
  readonly share: number;
  readonly total: number;
  readonly healthy: number;
  readonly degraded: number;
  /** Whether it has endpoints both in the local zone and in others. */
  readonly zoned: boolean;
  /**
   * The local zone; all endpoints if zones are ignored, or if only the local or only the other zones have pickable
   * endpoints.
   */
  readonly localZone: Rotation<E>;
  /** The other zones. */
  readonly otherZones: Rotation<E> | undefined;
  /** The share of its calls that must go to other zones, because too few endpoints in the local zone are healthy. */
  readonly crossAtLeast: number;
  /** The share that would go to other zones if zones were ignored. */
  readonly evenShare: number;
}

/** Where calls may go; recomputed whenever an endpoint changes. The lists are immutable. */
export interface Route<E> {
  /** With their healthy endpoints; the share of the degraded ones is not included. */
  readonly priorities: readonly PriorityRoute<E>[];
  /** The degraded endpoints of priorities that have any. */
  readonly degraded: readonly PriorityRoute<E>[];
  /** Those with a share, best first. */
  readonly open: readonly PriorityRoute<E>[];
  /** All endpoints that may be picked. */
  readonly pickable: readonly E[];
  /** Endpoints whose ejection time is over, and that wait for their probe. */
  readonly probing: readonly E[];
  readonly panic: boolean;
  readonly healthy: number;
  readonly connected: number;
}

export const NO_ROUTE: Route<never> = {
  priorities: [],
  degraded: [],
  open: [],
  pickable: [],
  probing: [],
  panic: false,
  healthy: 0,
  connected: 0,
};

interface PriorityCensus<E> {
  readonly priority: number;
  readonly localZone: Census<E>;
  readonly otherZones: Census<E>;
  readonly total: number;
  readonly healthy: number;
  readonly degraded: number;
  readonly connected: number;
}

export function routeOf<E extends Routable>(
  priorities: readonly PriorityMembers<E>[],
  { panicThreshold, overprovisioningFactor }: Pick<EffectiveHealthOptions, 'panicThreshold' | 'overprovisioningFactor'>,
): Route<E> {
  const all = priorities.map(censusOfPriority);
  // As in Envoy: degraded endpoints take what the healthy ones of all priorities cannot carry.
  const degraded = all.flatMap((each) => (each.degraded > 0 ? [degradedOf(each)] : []));
  const capacities = [...all, ...degraded].map((each) => capacityOf(each, overprovisioningFactor));
  // As in Envoy: unhealthy endpoints get no calls while the priorities together can carry all calls.
  const mayPanic = all.length === 1 || !canBearAll(capacities);
  const panicking = new Set(
    all
      .filter((each) => mayPanic && isPanic(each.healthy + each.degraded, each.connected, panicThreshold))
      .map(({ priority }) => priority),
  );
  const shares = priorityShares(
    [...all, ...degraded].map(({ priority, total, connected }, i) => {
      if (!panicking.has(priority)) return capacities[i]!;
      // All connected endpoints are used alike.
      return i < all.length ? capacityOf({ total, healthy: connected }, overprovisioningFactor) : 0;
    }),
  );
  const routed = [...all, ...degraded].map((census, i): PriorityRoute<E> => {
    const { priority, total, healthy, otherZones } = census;
    const zones = zonesOf(census, panicking.has(priority), overprovisioningFactor);
    return {
      priority,
      share: shares[i]!,
      total,
      healthy,
      degraded: census.degraded,
      zoned: otherZones.total > 0,
      ...zones,
    };
  });
  const open = routed.filter(({ share }) => share > 0);
  const rotations = open.flatMap(({ localZone, otherZones }) => (otherZones ? [localZone, otherZones] : [localZone]));
  return {
    priorities: routed.slice(0, all.length),
    degraded: routed.slice(all.length),
    open,
    pickable: rotations.length === 1 ? rotations[0]!.pickable : rotations.flatMap(({ pickable }) => pickable),
    // Includes priorities without other calls: only a probe can bring their endpoints back.
    probing: all.flatMap(({ localZone, otherZones }) => [...localZone.probing, ...otherZones.probing]),
    panic: panicking.size > 0,
    healthy: sumOf(all.map(({ healthy }) => healthy)),
    connected: sumOf(all.map(({ connected }) => connected)),
  };
}

/** The same priority, with its degraded endpoints in place of the healthy ones. */
function degradedOf<E>(census: PriorityCensus<E>): PriorityCensus<E> {
  const { localZone, otherZones, degraded } = census;
  return {
    ...census,
    localZone: { ...localZone, healthy: localZone.degraded },
    otherZones: { ...otherZones, healthy: otherZones.degraded },
    healthy: degraded,
  };
}

function censusOfPriority<E extends Routable>(members: PriorityMembers<E>): PriorityCensus<E> {
  const [localZone, otherZones] = withoutSuspects(censusOf(members.localZone), censusOf(members.otherZones));
  return {
    priority: members.priority,
    localZone,
    otherZones,
    total: localZone.total + otherZones.total,
    healthy: localZone.healthy.length + otherZones.healthy.length,
    degraded: localZone.degraded.length + otherZones.degraded.length,
    connected: localZone.connected.length + otherZones.connected.length,
  };
}

/**
 * Panic distrusts health signals, but silence is certain: panic does not use silent endpoints while another answers. If
 * all are silent, this client may be the one that is cut off, and all are used.
 */
function withoutSuspects<E>(localZone: Census<E>, otherZones: Census<E>): [Census<E>, Census<E>] {
  if (localZone.answering.length + otherZones.answering.length === 0) return [localZone, otherZones];
  return [
    { ...localZone, connected: localZone.answering },
    { ...otherZones, connected: otherZones.answering },
  ];
}

type Zones<E> = Pick<PriorityRoute<E>, 'localZone' | 'otherZones' | 'crossAtLeast' | 'evenShare'>;

function zonesOf<E extends Routable>(
  census: PriorityCensus<E>,
  panic: boolean,
  overprovisioningFactor: number,
): Zones<E> {
  const localZone = rotationOf(census.localZone, panic);
  const onlyLocal = { localZone, otherZones: undefined, crossAtLeast: 0, evenShare: 0 };
  if (census.otherZones.total === 0) return onlyLocal;
  const otherZones = rotationOf(census.otherZones, panic);
  if (localZone.pickable.length === 0)
    return { localZone: otherZones, otherZones: undefined, crossAtLeast: 1, evenShare: 1 };
  if (otherZones.pickable.length === 0) return onlyLocal;
  const [here, there] = [weightOf(localZone.pickable), weightOf(otherZones.pickable)];
  const evenShare = there / (here + there);
  // Panic distrusts health in all zones: the load is spread over all endpoints, as in Envoy.
  if (panic) return { localZone, otherZones, crossAtLeast: evenShare, evenShare };
  const { total, healthy } = census.localZone;
  const crossAtLeast = 1 - capacityOf({ total, healthy: healthy.length }, overprovisioningFactor);
  return { localZone, otherZones, crossAtLeast, evenShare };
}

function weightOf(endpoints: readonly Routable[]): number {
  return sumOf(endpoints.map(({ weight }) => weight));
}

function sumOf(numbers: readonly number[]): number {
  return numbers.reduce((sum, number) => sum + number, 0);
}
