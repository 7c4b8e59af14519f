import { Attempt } from '../../../libs/grpc-lb/src/core/balancing/calls/attempt.js';
import type { LoadReport } from '../../../libs/grpc-lb/src/core/policy/load-report.js';
import type { Attempts } from '../../../libs/grpc-lb/src/core/balancing/calls/attempts.js';
import type { Member } from '../../../libs/grpc-lb/src/core/balancing/members/member.js';
import type { CallInfo, Policy } from '../../../libs/grpc-lb/src/core/policy/policy.js';
import type { Server } from '../servers/server.js';
import type { Wire } from './wire.js';

/** Production's attempt, on a wire. */
export class PlacedCall extends Attempt<Wire> {
  report: LoadReport | undefined;

  constructor(
    attempts: Attempts<Wire>,
    member: Member<Wire>,
    wire: Wire,
    protected readonly call: CallInfo,
    policy: Policy,
  ) {
    super(attempts, member, wire, policy);
  }

  get server(): Server {
    return this.connection.server;
  }
}
