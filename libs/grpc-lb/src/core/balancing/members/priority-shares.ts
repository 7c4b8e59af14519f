/** How many endpoints of a priority there are, and how many are healthy. */
export interface PriorityHealth {
  /** All endpoints that discovery lists, or those of the subset in use. */
  readonly total: number;
  readonly healthy: number;
}

/**
 * How many calls a group of endpoints can carry, as a fraction of its full load: with a factor of 2, all of them while
 * at least half of the endpoints are healthy (Envoy's overprovisioning factor, there 1.4).
 */
export function capacityOf({ total, healthy }: PriorityHealth, overprovisioningFactor: number): number {
  return total === 0 ? 0 : Math.min(1, (overprovisioningFactor * healthy) / total);
}

/** Tolerance for rounding: sums of thirds and fifths may miss 1 slightly. */
const HAIR = 1e-9;

/** Whether groups with these capacities can carry all calls together. */
export function canBearAll(capacities: readonly number[]): boolean {
  return sumOf(capacities) > 1 - HAIR;
}

/**
 * The share of calls for each priority: the first gets what it can carry, the next gets the rest, as in Envoy. If all
 * together cannot carry everything, the shares are in proportion to the capacities. All zero if no endpoint is healthy.
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

/** How many priorities, from the first, are needed to carry all calls; all of them if even that is not enough. */
export function prioritiesNeeded(capacities: readonly number[]): number {
  const index = capacities.findIndex((_, i) => canBearAll(capacities.slice(0, i + 1)));
  return index < 0 ? capacities.length : index + 1;
}

function sumOf(numbers: readonly number[]): number {
  return numbers.reduce((sum, number) => sum + number, 0);
}
