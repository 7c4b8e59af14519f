/** How the endpoints of a priority are. */
export interface PriorityHealth {
  /** All that discovery names, or of them the subset in use. */
  readonly total: number;
  readonly healthy: number;
}

/**
 * How many calls a group of endpoints can bear, as a share of its full load: with a factor of 2, all of it while at
 * least half of them are healthy (Envoy's overprovisioning factor, there 1.4).
 */
export function capacityOf({ total, healthy }: PriorityHealth, overprovisioningFactor: number): number {
  return total === 0 ? 0 : Math.min(1, (overprovisioningFactor * healthy) / total);
}

/** Sums of thirds and fifths may miss 1 by a hair. */
const HAIR = 1e-9;

/** Whether groups with these capacities can bear all calls together. */
export function canBearAll(capacities: readonly number[]): boolean {
  return sumOf(capacities) > 1 - HAIR;
}

/**
 * The share of calls for each priority: the first gets what it can bear, the next what is left over, as in Envoy. Where
 * all together cannot bear everything, they share it in proportion. All zero when none is healthy.
 */
export function priorityShares(capacities: readonly number[]): number[] {
  let left = 1;
  const shares = capacities.map((capacity) => {
    const share = Math.min(left, capacity);
    left = left - share < HAIR ? 0 : left - share;
    return share;
  });
  const total = sumOf(shares);
  return total === 0 ? shares : shares.map((share) => share / total);
}

/** How many priorities, from the first, are needed to bear all calls; all of them if even that is not enough. */
export function prioritiesNeeded(capacities: readonly number[]): number {
  const index = capacities.findIndex((_, i) => canBearAll(capacities.slice(0, i + 1)));
  return index < 0 ? capacities.length : index + 1;
}

function sumOf(numbers: readonly number[]): number {
  return numbers.reduce((sum, number) => sum + number, 0);
}
