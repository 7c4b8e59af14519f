/** How the endpoints of a priority are. */
export interface LevelHealth {
  /** All that discovery names, or of them the subset in use. */
  readonly known: number;
  readonly well: number;
}

/**
 * How many calls a group of endpoints can bear, as a share of its full load: with a factor of 2, all of it while at
 * least half of them are well (Envoy's overprovisioning factor, there 1.4).
 */
export function capacityOf({ known, well }: LevelHealth, overprovisioningFactor: number): number {
  return known === 0 ? 0 : Math.min(1, (overprovisioningFactor * well) / known);
}

/**
 * The share of calls for each priority: the first gets what it can bear, the next what is left over, as in Envoy. Where
 * all together cannot bear everything, they share it in proportion. All zero when none is well.
 */
export function levelShares(capacities: readonly number[]): number[] {
  let left = 1;
  const shares = capacities.map((capacity) => {
    const share = Math.min(left, capacity);
    left -= share;
    return share;
  });
  const total = 1 - left;
  return total === 0 ? shares : shares.map((share) => share / total);
}

/** How many priorities, from the first, are needed to bear all calls; all of them if even that is not enough. */
export function levelsNeeded(capacities: readonly number[]): number {
  let sum = 0;
  for (const [index, capacity] of capacities.entries()) {
    sum += capacity;
    // Sums of thirds and fifths may miss 1 by a hair.
    if (sum > 1 - 1e-9) return index + 1;
  }
  return capacities.length;
}
