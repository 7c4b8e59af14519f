import type { Random } from '../../../libs/grpc-lb/src/core/random.js';

/** Durations in milliseconds. */
export interface Distribution {
  readonly mean: number;
  draw(random: Random): number;
}

/** Constant. */
export function constant(value: number): Distribution {
  return { mean: value, draw: () => value };
}

/** Memoryless: most are short, and there is no typical one. */
export function exponential(mean: number): Distribution {
  return { mean, draw: (random) => -mean * Math.log(1 - random()) };
}

/** The usual shape of response times; at sigma 1.5 one in a hundred takes at least ten times the mean. */
export function lognormal(mean: number, sigma: number): Distribution {
  const mu = Math.log(mean) - (sigma * sigma) / 2;
  return { mean, draw: (random) => Math.exp(mu + sigma * normal(random)) };
}

/** `long` with the probability `share`, otherwise `short`. */
export function either(share: number, long: Distribution, short: Distribution): Distribution {
  return {
    mean: share * long.mean + (1 - share) * short.mean,
    draw: (random) => (random() < share ? long : short).draw(random),
  };
}

/** Box and Muller. */
function normal(random: Random): number {
  return Math.sqrt(-2 * Math.log(1 - random())) * Math.cos(2 * Math.PI * random());
}
