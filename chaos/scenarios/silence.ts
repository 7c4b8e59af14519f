import { all, comesBack, failedAtMost, failedOnlyThere, outWithin } from '../bounds.js';
import type { Pass } from '../scenario.js';

/** For a peer that says nothing any more, while its connections stay. */
export const silencePasses: readonly Pass[] = [
  {
    label: 'without retry',
    bound: 'only calls in flight there or sent before it was noticed; out in < 3 s; comes back',
    judge: all(failedOnlyThere, outWithin(3000), comesBack),
  },
  {
    // A call that waits for a dead peer ends with the connection, and has time for another attempt.
    label: 'with retry, and told to notice sooner (150 ms without data, 250 ms for an answer)',
    retry: true,
    loadBalancing: { pool: { pingAfter: 150, pingTimeout: 250 } },
    channelOptions: { 'grpc.keepalive_time_ms': 150, 'grpc.keepalive_timeout_ms': 250 },
    bound: 'none failed; out in < 3 s; comes back',
    judge: all(failedAtMost(0), outWithin(3000), comesBack),
  },
];
