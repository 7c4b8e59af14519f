import type { Candidate } from './policy.js';

/** Maps keys to endpoints. */
export interface Placement {
  /** The first endpoint with room in the order for this hash, a whole number below 2^53. */
  find(candidates: readonly Candidate[], hash: number, room: Room): number;
  /** The share of all keys that each endpoint currently has. */
  shares(candidates: readonly Candidate[], room: Room): number[];
  /** All endpoints that discovery lists, including those that may not be picked now. */
  members?(all: readonly Candidate[]): void;
  /** Called when an endpoint has left. */
  forget?(candidate: Candidate): void;
}

/** The upper bound of all hashes. */
export const HASHES = 2 ** 53;

/** Maximum calls in flight per unit of an endpoint's weight; the product is rounded up. */
export type Room = number;

export function hasRoom({ inFlight, streams, weight }: Candidate, room: Room): boolean {
  // Rounding errors must not add one to a whole number.
  return inFlight + streams < Math.ceil(weight * room - 1e-6);
}

/**
 * Consistent hashing with bounded loads (Mirrokni, Thorup, Zadimoghaddam 2016): at most `c` times the fair share of the
 * calls in flight, including the new one. At least one endpoint always has room, because the bounds add up to more than
 * the number of calls.
 */
export function boundedRoom(candidates: readonly Candidate[], c: number): Room {
  let calls = 1;
  let weights = 0;
  for (const candidate of candidates) {
    calls += candidate.inFlight + candidate.streams;
    weights += candidate.weight;
  }
  return (c * calls) / weights;
}
