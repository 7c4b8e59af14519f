import type { Candidate } from './policy.js';

/** Which endpoint a key belongs to. */
export interface Placement {
  /** The first endpoint with room in the order that belongs to this key's hash, a whole number below 2^53. */
  find(candidates: readonly Candidate[], hash: number, room: Room): number;
  /** The share of all keys that each endpoint has, as things stand. */
  shares(candidates: readonly Candidate[], room: Room): number[];
  /** All endpoints that discovery names, those that may not be picked now too. */
  members?(all: readonly Candidate[]): void;
  /** An endpoint has left. */
  forget?(candidate: Candidate): void;
}

/** All hashes are below this. */
export const HASHES = 2 ** 53;

/** How many calls each endpoint may have in flight: so many for each unit of its weight, rounded up. */
export type Room = number;

export function hasRoom({ inFlight, weight }: Candidate, room: Room): boolean {
  // What is lost in computing with fractions must not make one more of a whole number.
  return inFlight < Math.ceil(weight * room - 1e-6);
}

/**
 * Consistent hashing with bounded loads (Mirrokni, Thorup, Zadimoghaddam 2016): at most `c` times the fair share of the
 * calls in flight, with the one that comes. There is always somebody with room, as the bounds add up to more than that.
 */
export function boundedRoom(candidates: readonly Candidate[], c: number): Room {
  let calls = 1;
  let weights = 0;
  for (const candidate of candidates) {
    calls += candidate.inFlight;
    weights += candidate.weight;
  }
  return (c * calls) / weights;
}
