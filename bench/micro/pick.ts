/**
 * What a pick costs: the production policies over living counters, and the whole of what the channel of grpc-js, with
 * `register()`, calls for each attempt (pick, start, end).
 */
import { Metadata, status } from '@grpc/grpc-js';
import { bench, do_not_optimize } from 'mitata';
import { type Candidate, UNKNOWN_CALL } from '../../libs/grpc-lb/src/core/policy/policy.js';
import { createPolicy } from '../../libs/grpc-lb/src/core/policy/create-policy.js';
import { seededRandom } from '../../libs/grpc-lb/src/core/random.js';
import { Statuses } from '../../libs/grpc-lb/src/grpc/call/statuses.js';
import { BalancedPicker } from '../../libs/grpc-lb/src/grpc/balancer/picker.js';
import { systemClock } from '../../libs/grpc-lb/src/grpc/context/system-clock.js';
import { QueuedPicks } from '../../libs/grpc-lb/src/grpc/balancer/queued-picks.js';
import { balancingOf } from './balancing.js';
import { CONFIGS, SIZES } from './configs.js';
import { runAndPrint } from './print.js';

function candidates(count: number): Candidate[] {
  const random = seededRandom(count);
  return Array.from({ length: count }, (_, i) => ({
    key: `host-${i}:1`,
    inFlight: Math.floor(random() * 10),
    streams: 0,
    weight: 1,
    failureFactor: 1,
  }));
}

for (const size of SIZES) {
  for (const [name, config] of Object.entries(CONFIGS)) {
    const policy = createPolicy(config, Math.random, systemClock);
    const list = candidates(size);
    bench(`${size} endpoints: choose, ${name}`, () => do_not_optimize(policy.pick(list, UNKNOWN_CALL)));
  }
}

for (const size of SIZES) {
  for (const [name, config] of Object.entries(CONFIGS)) {
    const { context, attempts, source } = balancingOf(config, size);
    const picks = { failures: new WeakMap(), attempts, statuses: new Statuses({}), onReportRejected: () => {} };
    const picker = new BalancedPicker(source, new QueuedPicks(context, () => {}), picks);
    const trailers = new Metadata();
    const args = { metadata: new Metadata(), extraPickInfo: {} };
    bench(`${size} endpoints: pick, start and end, ${name}`, () => {
      const pick = picker.pick(args);
      pick.onCallStarted!();
      pick.onCallEnded!(status.OK, '', trailers);
    });
  }
}

await runAndPrint('pick');
