import { effectiveLoadBalancing } from '../../libs/grpc-lb/src/core/options/load-balancing.js';
import type { PolicyConfig } from '../../libs/grpc-lb/src/core/options/policy-config.js';
import { PolicySet } from '../../libs/grpc-lb/src/core/policy/policy-set.js';
import { Degradation } from '../../libs/grpc-lb/src/core/balancing/health/degradation.js';
import { Attempts } from '../../libs/grpc-lb/src/core/balancing/calls/attempts.js';
import type { PickerSource } from '../../libs/grpc-lb/src/core/balancing/calls/picker.js';
import type { Member } from '../../libs/grpc-lb/src/core/balancing/members/member.js';
import { ClientContext } from '../../libs/grpc-lb/src/grpc/context/client-context.js';
import { systemClock } from '../../libs/grpc-lb/src/grpc/context/system-clock.js';
import type { Connection } from '../../libs/grpc-lb/src/grpc/endpoint/connection.js';

/** What a picker needs, for endpoints with one connection each. */
export interface BenchBalancing {
  readonly context: ClientContext;
  readonly attempts: Attempts<Connection>;
  readonly source: PickerSource<Connection>;
}

/** @param subchannel Of each connection, which has room and no socket. */
export function balancingOf(config: PolicyConfig, size: number, subchannel: object = {}): BenchBalancing {
  const loadBalancing = effectiveLoadBalancing();
  const context = new ClientContext({ name: 'BENCH', targets: ['static:///bench'], loadBalancing });
  const members = Array.from({ length: size }, () => member(subchannel));
  const localZone = { pickable: members, warm: members, cold: [] };
  const priority = {
    priority: 0,
    share: 1,
    total: size,
    healthy: size,
    degraded: 0,
    zoned: false,
    localZone,
    otherZones: undefined,
  };
  const route = {
    priorities: [],
    degraded: [],
    open: [{ ...priority, crossAtLeast: 0, evenShare: 0 }],
    pickable: members,
    probing: [],
    panic: false,
    healthy: size,
    connected: size,
  };
  const policies = PolicySet.of({ policy: config }, Math.random, systemClock);
  const attempts = new Attempts<Connection>(context, { spillover: undefined }, () => {}, { of: () => undefined });
  return { context, attempts, source: { route, policies, random: Math.random, crossShare: () => 0, attempts } };
}

function member(subchannel: object): Member<Connection> {
  const connection = {
    inFlight: 0,
    lost: false,
    subchannel,
    callStarted: () => {},
    takesStream: () => true,
    callAnswered: () => {},
  } as unknown as Connection;
  return {
    key: 'host:1',
    inFlight: 0,
    streams: 0,
    weight: 1,
    failureFactor: 1,
    inLocalZone: true,
    degradation: new Degradation(systemClock, () => {}),
    passiveHealth: { endProbe: () => false, isProbe: () => false, record: () => {} },
    started: 0,
    succeeded: 0,
    failed: 0,
    link: { withRoom: () => connection },
  } as unknown as Member<Connection>;
}
