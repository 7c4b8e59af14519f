/**
 * What a pick costs: the production policies over living counters, and the whole of what grpc-js calls for each attempt
 * (pick, start, end).
 */
import { Metadata, status } from '@grpc/grpc-js';
import { bench, do_not_optimize } from 'mitata';
import { effectiveLoadBalancing } from '../../libs/grpc-lb/src/core/options/load-balancing.js';
import type { PolicyConfig } from '../../libs/grpc-lb/src/core/options/policy-config.js';
import { type Candidate, UNKNOWN_CALL } from '../../libs/grpc-lb/src/core/policy/policy.js';
import { createPolicy } from '../../libs/grpc-lb/src/core/policy/create-policy.js';
import { PolicySet } from '../../libs/grpc-lb/src/core/policy/policy-set.js';
import { seededRandom } from '../../libs/grpc-lb/src/core/random.js';
import { ClientContext } from '../../libs/grpc-lb/src/grpc/context/client-context.js';
import type { Connection } from '../../libs/grpc-lb/src/grpc/endpoint/connection.js';
import { Statuses } from '../../libs/grpc-lb/src/grpc/call/statuses.js';
import { Attempts } from '../../libs/grpc-lb/src/core/balancing/calls/attempts.js';
import type { Member } from '../../libs/grpc-lb/src/core/balancing/members/member.js';
import { BalancedPicker } from '../../libs/grpc-lb/src/grpc/balancer/picker.js';
import { systemClock } from '../../libs/grpc-lb/src/grpc/context/system-clock.js';
import { PendingCalls } from '../../libs/grpc-lb/src/grpc/call/pending-calls.js';
import { runAndPrint } from './print.js';

const SIZES = [10, 100, 1000];

const configs: Record<string, PolicyConfig> = {
  'least_request, default': { name: 'least_request' },
  'least_request, choiceCount 2': { name: 'least_request', choiceCount: 2 },
  'least_request, all': { name: 'least_request', choiceCount: 1000 },
  adaptive: { name: 'adaptive' },
  peak_ewma: { name: 'peak_ewma' },
  hot_cold: { name: 'hot_cold' },
  round_robin: { name: 'round_robin' },
  random: { name: 'random' },
};

function candidates(count: number): Candidate[] {
  const random = seededRandom(count);
  return Array.from({ length: count }, (_, i) => ({
    key: `host-${i}:1`,
    inFlight: Math.floor(random() * 10),
    weight: 1,
    failureFactor: 1,
  }));
}

for (const size of SIZES) {
  for (const [name, config] of Object.entries(configs)) {
    const policy = createPolicy(config, Math.random, systemClock);
    const list = candidates(size);
    bench(`${size} endpoints: choose, ${name}`, () => do_not_optimize(policy.pick(list, UNKNOWN_CALL)));
  }
}

/** An endpoint with one connection that has room, without a socket. */
function member(): Member<Connection> {
  const connection = {
    inFlight: 0,
    lost: false,
    subchannel: {},
    callStarted: () => {},
    callAnswered: () => {},
  } as unknown as Connection;
  return {
    inFlight: 0,
    weight: 1,
    failureFactor: 1,
    inLocalZone: true,
    passiveHealth: { endProbe: () => false, isProbe: () => false, record: () => {} },
    started: 0,
    succeeded: 0,
    failed: 0,
    link: { withRoom: () => connection },
  } as unknown as Member<Connection>;
}

for (const size of SIZES) {
  for (const [name, config] of Object.entries(configs)) {
    const loadBalancing = effectiveLoadBalancing();
    const context = new ClientContext({ name: 'BENCH', targets: ['static:///bench'], loadBalancing });
    const members = Array.from({ length: size }, member);
    const localZone = { pickable: members, warm: members, cold: [] };
    const priority = {
      priority: 0,
      share: 1,
      total: size,
      healthy: size,
      zoned: false,
      localZone,
      otherZones: undefined,
    };
    const route = {
      priorities: [],
      open: [{ ...priority, crossAtLeast: 0, evenShare: 0 }],
      pickable: members,
      probing: [],
      panic: false,
      healthy: size,
      connected: size,
    };
    const policies = PolicySet.of({ policy: config }, Math.random, systemClock);
    const attempts = new Attempts<Connection>(context, { spillover: undefined }, () => {});
    const source = { route, policies, attempts, random: Math.random, crossShare: () => 0 };
    const picks = { attempts, statuses: new Statuses({}), onReportRejected: () => {} };
    const picker = new BalancedPicker(source, new PendingCalls(context, () => {}), picks);
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
