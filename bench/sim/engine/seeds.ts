import { type Random, seededRandom } from '../../../libs/grpc-lb/src/core/random.js';

/**
 * A separate random sequence for each purpose, so that a policy that draws more often than another does not change the
 * conditions of either.
 */
export function randomFor(seed: number, ...purpose: readonly (string | number)[]): Random {
  let hash = 0x811c9dc5 ^ seed; // FNV-1a
  for (const char of purpose.join('/')) hash = Math.imul(hash ^ char.codePointAt(0)!, 0x01000193);
  const random = seededRandom(hash);
  // Neighboring seeds start alike; a few draws later they differ.
  for (let i = 0; i < 8; i++) random();
  return random;
}
