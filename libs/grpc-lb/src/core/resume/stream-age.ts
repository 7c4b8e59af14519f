import type { Random } from '../random.js';

/** A stream moves before its maximum age by a tenth of it, at most by this. */
const MAX_LEAD_MS = 10_000;
/** Shorter ages are not anticipated: the server ends the stream, and it resumes. */
const SHORTEST_MS = 1000;

/**
 * Milliseconds after which a stream moves whose server ends it at `maxAge`; undefined if it does not. Random within the
 * lead, because streams that were opened together have the same age.
 */
export function moveBefore(maxAge: number, random: Random): number | undefined {
  if (maxAge < SHORTEST_MS) return undefined;
  const lead = Math.min(maxAge / 10, MAX_LEAD_MS);
  return maxAge - lead * (0.5 + random() / 2);
}
