/**
 * Whether chance does not explain this many failures in this many calls, if each call fails with probability `share`.
 * The bound of Chernoff and Hoeffding, `P(X >= failures) <= exp(-calls * KL(failures / calls || share))`, errs on the
 * safe side; for a run of failures it is exactly `share ^ calls`.
 */
export function exceedsChance(failures: number, calls: number, share: number, chance: number): boolean {
  const observed = failures / calls;
  if (calls === 0 || observed <= share) return false;
  if (share <= 0) return true;
  const successes = observed < 1 ? (1 - observed) * Math.log((1 - observed) / (1 - share)) : 0;
  return calls * (observed * Math.log(observed / share) + successes) >= -Math.log(chance);
}

/** Standard deviations of a share that chance explains. */
const LIKELY = 2;

/** The highest failure rate that still likely explains this many failures in this many calls; 0 without failures. */
export function likelyShare(failures: number, calls: number): number {
  if (failures === 0) return 0;
  // Add one success: a single failed call does not show that all calls fail.
  const share = failures / (calls + 1);
  return Math.min(1, share + LIKELY * Math.sqrt((share * (1 - share)) / (calls + 1)));
}

/** One-sided, 99 %. */
const Z = 2.326;

/**
 * Whether an observed share is below a limit by more than chance (the score test, as in Wilson's interval). Two
 * failures among the first five calls are common for a service that fails 5 % of all calls, because there are many
 * first fives.
 */
export function clearlyBelow(limit: number, share: number, calls: number): boolean {
  return share < limit && calls * (limit - share) ** 2 >= Z ** 2 * limit * (1 - limit);
}
