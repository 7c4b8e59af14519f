/**
 * Whether so many failures of so many calls are more than chance, where each call fails with a chance of `share`. The bound
 * of Chernoff and Hoeffding, `P(X >= failures) <= exp(-calls * KL(failures / calls || share))`, errs on the safe side; for
 * a run of failures it is exactly `share ^ calls`.
 */
export function exceedsChance(failures: number, calls: number, share: number, chance: number): boolean {
  const observed = failures / calls;
  if (calls === 0 || observed <= share) return false;
  if (share <= 0) return true;
  const successes = observed < 1 ? (1 - observed) * Math.log((1 - observed) / (1 - share)) : 0;
  return calls * (observed * Math.log(observed / share) + successes) >= -Math.log(chance);
}

/** Standard deviations of a share that may be due to chance. */
const LIKELY = 2;

/** The highest share of failures that is still likely behind so many failures of so many calls; 0 without failures. */
export function likelyShare(failures: number, calls: number): number {
  if (failures === 0) return 0;
  // One more success: a single failed call does not say that all calls fail.
  const share = failures / (calls + 1);
  return Math.min(1, share + LIKELY * Math.sqrt((share * (1 - share)) / (calls + 1)));
}

/** One-sided, 99 %. */
const Z = 2.326;

/**
 * Whether an observed share is below a limit by more than chance (the score test, as in Wilson's interval). Two failures
 * among the first five calls are nothing special for a service that fails 5 % of all, and there are many first fives.
 */
export function clearlyBelow(limit: number, share: number, calls: number): boolean {
  return share < limit && calls * (limit - share) ** 2 >= Z ** 2 * limit * (1 - limit);
}
