/**
 * CPU time of the client for a unary call with traces, over the same without: an application with OpenTelemetry's SDK, in
 * which this package starts no spans. Interleaved, on the same backends.
 *
 *   npm run bench traces -- [--rounds 7] [--calls 20000] [--concurrency 10]
 */
import { compare } from './compare.js';

/** How much more a call may cost with traces of which 1 % are sampled. */
const GOAL = 1.15;
const SAMPLED = 'traces, 1 % sampled';

await compare({
  name: 'traces',
  head: ['client', 'CPU µs', 'over the same without', 'goal', 'µs, wall'],
  entries: [
    { title: 'with the SDK, no traces', subject: 'nestjs-grpc-lb with an SDK, no traces' },
    { title: 'again', subject: 'nestjs-grpc-lb with an SDK, no traces' },
    { title: 'without an SDK', subject: 'nestjs-grpc-lb least_request' },
    { title: SAMPLED, subject: 'nestjs-grpc-lb with traces, 1 % sampled' },
    { title: 'traces, all sampled', subject: 'nestjs-grpc-lb with traces, all sampled' },
  ],
  goals: new Map([[SAMPLED, GOAL]]),
});
