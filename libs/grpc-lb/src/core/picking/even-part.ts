/** The maximum load of an endpoint, as a multiple of its share, while others are in slow start. */
export const MOST = 1.5;

/**
 * The smallest part of the calls to place among all endpoints alike, so that no endpoint carries more than `MOST` times
 * its share, however many others are in slow start. The other calls follow the ramp: calls for which no cold endpoint
 * is considered go to the warm ones.
 *
 * @param warm The share of all warm endpoints together.
 * @param cold The part of the calls for which cold endpoints are considered on the ramp; at most `1 - warm`.
 */
export function evenPart(warm: number, cold: number): number {
  const onTheRamp = 1 - cold;
  const most = MOST * warm;
  // `part * warm + (1 - part) * onTheRamp = most`
  return onTheRamp <= most ? 0 : (onTheRamp - most) / (onTheRamp - warm);
}
