// An example of a variant, and a peer worth a look: least request as gRPC (A48) and Envoy draw it, with replacement, so
// that one of two endpoints is compared with itself half of the time.
// npm run sim -- --policies p2c,bench/sim/variants/with-replacement.ts --scenarios few,two_slow
import { type Candidate, type Policy } from '../../../libs/grpc-lb/src/core/policy/policy.js';
import { type Random, randomBelow } from '../../../libs/grpc-lb/src/core/random.js';

export default function withReplacement(random: Random): Policy {
  return {
    pick(candidates: readonly Candidate[]): number {
      const one = randomBelow(random, candidates.length);
      const other = randomBelow(random, candidates.length);
      return candidates[other]!.inFlight < candidates[one]!.inFlight ? other : one;
    },
    chances: () => [], // Nobody asks in a simulation.
  };
}
