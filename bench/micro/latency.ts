/** What is remembered of each answer: one of these for each endpoint, and a few for the whole client. */
import { bench, do_not_optimize } from 'mitata';
import { FailureRate } from '../../libs/grpc-lb/src/core/balancing/health/failure-rate.js';
import { MethodLatency } from '../../libs/grpc-lb/src/core/load/method-latency.js';
import { PeakLatency } from '../../libs/grpc-lb/src/core/load/peak-latency.js';
import { RecentQuantile } from '../../libs/grpc-lb/src/core/load/recent-quantile.js';
import { RelativeLatency } from '../../libs/grpc-lb/src/core/load/relative-latency.js';
import { ReportedLoad } from '../../libs/grpc-lb/src/core/load/reported-load.js';
import { RunningMean } from '../../libs/grpc-lb/src/core/load/running-mean.js';
import { seededRandom } from '../../libs/grpc-lb/src/core/random.js';
import { runAndPrint } from './print.js';

const random = seededRandom(1);
const values = Float64Array.from({ length: 4096 }, () => 20 * random() + 1);
let turn = 0;
const next = (): number => values[++turn & 4095]!;

const relative = new RelativeLatency();
bench('relative latency: record', () => relative.record(next(), turn));
bench('relative latency: read', () => do_not_optimize(relative.read(turn)));

const peak = new PeakLatency(10_000);
bench('peak EWMA: record', () => peak.record(next(), turn));
bench('peak EWMA: read', () => do_not_optimize(peak.read(turn)));

const methods = new MethodLatency();
const names = Array.from({ length: 16 }, (_, i) => `/orders.v1.Orders/Method${i}`);
bench('latency of a method: record, 16 methods', () => methods.record(names[turn & 15]!, next()));
bench('latency of a method: ratio', () => do_not_optimize(methods.ratio(names[turn & 15]!, next())));

const reported = new ReportedLoad(new RunningMean());
const report = {
  cpuUtilization: 0.5,
  applicationUtilization: 0.4,
  rps: 100,
  eps: 0,
  namedMetrics: { in_flight: 8, event_loop_lag_ms: 1 },
};
bench('reported load: record', () => reported.record(report, 2, ++turn));
bench('reported load: read', () => do_not_optimize(reported.others(turn)));

const quantile = new RecentQuantile(0.84, 100, 10);
bench('quantile of the last hundred: add', () => quantile.add(next()));

const failures = new FailureRate();
bench('failure rate: record and factor', () => {
  failures.record((turn & 15) === 0, ++turn);
  do_not_optimize(failures.factor(turn));
});

await runAndPrint('latency');
