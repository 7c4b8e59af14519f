import { isPanic } from './panic.js';
import { canBearAll, capacityOf, levelShares } from '../members/priority-shares.js';
import type { EffectiveHealthOptions } from '../../options/health-options.js';
import { type Census, censusOf, type Rotatable, type Rotation, rotationOf } from './rotation.js';

/** An endpoint, as far as the ways of calls depend on it. */
export interface Routable extends Rotatable {
  readonly weight: number;
}

/** The endpoints of one priority that are kept connected. */
export interface PooledLevel<E> {
  readonly priority: number;
  readonly own: readonly E[];
  /** In other zones; empty where zones do not count. */
  readonly others: readonly E[];
}

export interface LevelTraffic<E> {
  readonly priority: number;
  /** The part of the calls that goes to this priority. */
  readonly share: number;
  readonly known: number;
  readonly well: number;
  /** Whether some of its endpoints are in the client's own zone, and some elsewhere. */
  readonly zoned: boolean;
  /** The own zone; all of them where zones do not count, and where one side has nobody that may be picked. */
  readonly near: Rotation<E>;
  /** The other zones. */
  readonly far: Rotation<E> | undefined;
  /** The part of its calls that must go to other zones, because too few in the own one are well. */
  readonly crossAtLeast: number;
  /** The part that would go there if zones did not count. */
  readonly evenShare: number;
}

/** Where calls may go, worked out anew whenever an endpoint changes. The lists never change afterwards. */
export interface Traffic<E> {
  readonly levels: readonly LevelTraffic<E>[];
  /** Those with a share. */
  readonly open: readonly LevelTraffic<E>[];
  /** All that may be picked. */
  readonly pickable: readonly E[];
  /** Ejected, and waiting for the call that decides. */
  readonly probing: readonly E[];
  readonly panic: boolean;
  readonly well: number;
  readonly connected: number;
}

export const NO_TRAFFIC: Traffic<never> = {
  levels: [],
  open: [],
  pickable: [],
  probing: [],
  panic: false,
  well: 0,
  connected: 0,
};

interface LevelCensus<E> {
  readonly priority: number;
  readonly own: Census<E>;
  readonly others: Census<E>;
  readonly known: number;
  readonly well: number;
  readonly connected: number;
}

export function trafficOf<E extends Routable>(
  levels: readonly PooledLevel<E>[],
  { panicThreshold, overprovisioningFactor }: Pick<EffectiveHealthOptions, 'panicThreshold' | 'overprovisioningFactor'>,
): Traffic<E> {
  const all = levels.map(levelCensus);
  const capacities = all.map((level) => capacityOf(level, overprovisioningFactor));
  // As in Envoy: while the priorities together can bear all calls, those that are ill are left alone.
  const mayPanic = all.length === 1 || !canBearAll(capacities);
  const panics = all.map(({ well, connected }) => mayPanic && isPanic(well, connected, panicThreshold));
  const shares = levelShares(
    all.map(({ known, connected }, i) =>
      panics[i] ? capacityOf({ known, well: connected }, overprovisioningFactor) : capacities[i]!,
    ),
  );
  const routed = all.map((level, i): LevelTraffic<E> => ({
    priority: level.priority,
    share: shares[i]!,
    known: level.known,
    well: level.well,
    zoned: level.others.known > 0,
    ...sidesOf(level, panics[i]!, overprovisioningFactor),
  }));
  const open = routed.filter(({ share }) => share > 0);
  const rotations = open.flatMap(({ near, far }) => (far ? [near, far] : [near]));
  return {
    levels: routed,
    open,
    pickable: rotations.length === 1 ? rotations[0]!.pickable : rotations.flatMap(({ pickable }) => pickable),
    // Also of a priority that gets no other calls: only a probe can bring it back.
    probing: all.flatMap(({ own, others }) => [...own.probing, ...others.probing]),
    panic: panics.includes(true),
    well: sumOf(all.map(({ well }) => well)),
    connected: sumOf(all.map(({ connected }) => connected)),
  };
}

function levelCensus<E extends Routable>({ priority, own: near, others: far }: PooledLevel<E>): LevelCensus<E> {
  const [own, others] = withoutSuspects(censusOf(near), censusOf(far));
  return {
    priority,
    own,
    others,
    known: own.known + others.known,
    well: own.well.length + others.well.length,
    connected: own.connected.length + others.connected.length,
  };
}

/**
 * Panic is for signals that may be wrong, and silence is none: it does not bring back those that are silent while another
 * answers. When all are silent it may be this client that is cut off, and all are used.
 */
function withoutSuspects<E>(own: Census<E>, others: Census<E>): [Census<E>, Census<E>] {
  if (own.answering.length + others.answering.length === 0) return [own, others];
  return [
    { ...own, connected: own.answering },
    { ...others, connected: others.answering },
  ];
}

type Sides<E> = Pick<LevelTraffic<E>, 'near' | 'far' | 'crossAtLeast' | 'evenShare'>;

function sidesOf<E extends Routable>(
  { own, others }: LevelCensus<E>,
  panic: boolean,
  overprovisioningFactor: number,
): Sides<E> {
  const near = rotationOf(own, panic);
  if (others.known === 0) return { near, far: undefined, crossAtLeast: 0, evenShare: 0 };
  const far = rotationOf(others, panic);
  if (near.pickable.length === 0) return { near: far, far: undefined, crossAtLeast: 1, evenShare: 1 };
  if (far.pickable.length === 0) return { near, far: undefined, crossAtLeast: 0, evenShare: 0 };
  const [here, there] = [weightOf(near.pickable), weightOf(far.pickable)];
  const evenShare = there / (here + there);
  // In panic nobody knows who is well, here or there: the load is spread over all, as in Envoy.
  if (panic) return { near, far, crossAtLeast: evenShare, evenShare };
  const crossAtLeast = 1 - capacityOf({ known: own.known, well: own.well.length }, overprovisioningFactor);
  return { near, far, crossAtLeast, evenShare };
}

function weightOf(endpoints: readonly Routable[]): number {
  return sumOf(endpoints.map(({ weight }) => weight));
}

function sumOf(numbers: readonly number[]): number {
  return numbers.reduce((sum, number) => sum + number, 0);
}
