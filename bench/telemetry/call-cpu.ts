/**
 * CPU time of the client for a unary call with metrics, over the same without; interleaved, on the same backends.
 *
 *   npm run bench metrics -- [--rounds 7] [--calls 20000] [--concurrency 10]
 */
import { compare } from './compare.js';
import { METRICS_HEAD } from './tables.js';

/** How much more a call may cost with metrics. */
const GOAL = 1.08;
const MEASURED = [
  { title: 'with OpenTelemetry, instruments', subject: 'nestjs-grpc-lb with OpenTelemetry metrics' },
  { title: 'with OpenTelemetry, a producer', subject: 'nestjs-grpc-lb with an OpenTelemetry producer' },
  { title: 'with Prometheus', subject: 'nestjs-grpc-lb with Prometheus metrics' },
] as const;

await compare({
  name: 'metrics',
  head: METRICS_HEAD,
  entries: [
    { title: 'nestjs-grpc-lb', subject: 'nestjs-grpc-lb least_request' },
    { title: 'again', subject: 'nestjs-grpc-lb least_request' },
    ...MEASURED,
  ],
  goals: new Map(MEASURED.map(({ title }) => [title, GOAL])),
});
