/** A source of numbers in [0, 1), such as `Math.random`. Always a parameter, so that a test can script it. */
export type Random = () => number;

/** A uniformly random whole number in [0, n). */
export function randomBelow(random: Random, n: number): number {
  return Math.floor(random() * n);
}

/** `value` spread evenly over ± `share` of itself, so that clients do not act in step. */
export function jittered(random: Random, value: number, share: number): number {
  return value * (1 - share + 2 * share * random());
}

/**
 * A repeatable sequence for tests, benchmarks and the simulator (mulberry32 by Tommy Ettinger, public domain). Not for
 * production, and not for cryptographic use.
 */
export function seededRandom(seed: number): Random {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
}
