// An example of a variant, and an interesting peer: least request as gRPC (A48) and Envoy sample it, with replacement,
// so that one of two endpoints is compared with itself half of the time.
import { type Candidate, type Policy } from '../../../libs/grpc-lb/src/core/policy/policy.js';
import { type Random, randomBelow } from '../../../libs/grpc-lb/src/core/random.js';

export default function withReplacement(random: Random): Policy {
  return {
    pick(candidates: readonly Candidate[]): number {
      const one = randomBelow(random, candidates.length);
      const other = randomBelow(random, candidates.length);
      return candidates[other]!.inFlight < candidates[one]!.inFlight ? other : one;
    },
    chances: () => [], // The simulation does not ask for chances.
  };
}
