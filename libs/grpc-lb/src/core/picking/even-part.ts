/** How many times its share an endpoint carries at most because others start slowly. */
export const MOST = 1.5;

/**
 * The smallest part of the calls that has to be placed among all endpoints alike, so that no endpoint carries more than
 * `MOST` times its share because others start slowly, however many do. The other calls follow the ramp: what the cold
 * ones are not considered for goes to the warm ones.
 *
 * @param warm The share of all warm endpoints together.
 * @param cold The part of the calls for which the cold ones are considered on the ramp, together; at most `1 - warm`.
 */
export function evenPart(warm: number, cold: number): number {
  const onTheRamp = 1 - cold;
  const most = MOST * warm;
  // `part * warm + (1 - part) * onTheRamp = most`
  return onTheRamp <= most ? 0 : (onTheRamp - most) / (onTheRamp - warm);
}
