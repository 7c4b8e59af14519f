/** The endpoints of one locality within one priority. */
export interface WeighedLocality {
  /** Share of the calls relative to the other localities; undefined if the control plane sets none. */
  readonly weight: number | undefined;
  /** Of the usable endpoints. */
  readonly weights: readonly number[];
  /** The number of its endpoints, including unusable ones. */
  readonly size: number;
}

const MAX_WEIGHT = 2 ** 32 - 1;

/**
 * The weights of all endpoints of one priority, locality by locality, such that each locality gets its share of the
 * calls and divides it among its endpoints by their own weights; so a locality gets no more by having more endpoints
 * (gRFC A113; the product of both weights, as in gRPC before, gives a locality its share once for each endpoint).
 *
 * Envoy: "if localities have no weights, their endpoints count by their own alone". If some have a weight, those
 * without one get no calls (gRFC A27), and are left out of the answer.
 *
 * @param factor Envoy's overprovisioning factor. A locality that has lost more endpoints than it can spare gets less:
 * "effective weight = weight × min(1, factor × usable / all)".
 */
export function endpointWeights(
  localities: readonly WeighedLocality[],
  factor: number,
): (readonly number[] | undefined)[] {
  if (localities.every(({ weight }) => weight === undefined)) return localities.map(({ weights }) => weights);
  const isUsed = ({ weight }: WeighedLocality): boolean => weight !== undefined && weight > 0;
  const used = localities.filter(isUsed);
  // A single locality gets all calls: its endpoints keep the weights that the operator knows.
  if (used.length === 1) return localities.map((each) => (isUsed(each) ? each.weights : undefined));
  const shares = used.flatMap(({ weight, weights, size }) => {
    const sum = weights.reduce((total, each) => total + each, 0);
    const effective = weight! * Math.min(1, (factor * weights.length) / size);
    return weights.map((each) => (effective * each) / sum);
  });
  const whole = toWholeNumbers(shares);
  let taken = 0;
  return localities.map((each) => (isUsed(each) ? whole.slice(taken, (taken += each.weights.length)) : undefined));
}

/**
 * The smallest whole numbers in the same proportion if small ones exist, otherwise the best approximation in 32 bits.
 */
function toWholeNumbers(shares: readonly number[]): number[] {
  const smallest = shares.reduce((min, share) => Math.min(min, share), Infinity);
  const largest = shares.reduce((max, share) => Math.max(max, share), 0);
  for (let multiple = 1; multiple <= 100; multiple++) {
    const scale = multiple / smallest;
    if (largest * scale <= MAX_WEIGHT && shares.every((share) => isWhole(share * scale)))
      return shares.map((share) => Math.round(share * scale));
  }
  return shares.map((share) => Math.max(1, Math.round((share / largest) * MAX_WEIGHT)));
}

function isWhole(value: number): boolean {
  return Math.abs(value - Math.round(value)) < 1e-5;
}
