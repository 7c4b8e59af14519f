/** What a policy sees of an endpoint: living numbers, read at the moment of the pick. */
export interface Candidate {
  /** Calls picked and not ended. */
  readonly inFlight: number;
  /** From 1; relative to the others. */
  readonly weight: number;
  /** What its load is multiplied with because calls to it failed lately; 1 when all is well. */
  readonly failureFactor: number;
}

/**
 * Chooses among endpoints that may be picked. Algorithm, load and membership are three things: a policy owns the
 * first, reads the second and is told the third. The list is never empty, and an array once handed in never changes,
 * so that a policy may keep what it has worked out about it.
 */
export interface Policy {
  /** The index of the endpoint for the next call. */
  pick(candidates: readonly Candidate[]): number;
  /** For people: the chance of each candidate to get the next call, as things stand. They add up to 1. */
  chances(candidates: readonly Candidate[]): number[];
}
