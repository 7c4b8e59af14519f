import { Attempt } from '../../../libs/grpc-lb/src/core/balancing/calls/attempt.js';
import type { Attempts } from '../../../libs/grpc-lb/src/core/balancing/calls/attempts.js';
import type { Member } from '../../../libs/grpc-lb/src/core/balancing/members/member.js';
import type { CallInfo, Policy } from '../../../libs/grpc-lb/src/core/policy/policy.js';
import type { StreamWire } from './stream-wire.js';

/** Production's attempt, of a stream on a wire. */
export class PlacedStreamCall extends Attempt<StreamWire> {
  readonly report = undefined;

  constructor(
    attempts: Attempts<StreamWire>,
    member: Member<StreamWire>,
    wire: StreamWire,
    protected readonly call: CallInfo,
    policy: Policy,
  ) {
    super(attempts, member, wire, policy);
  }

  open(now: number): this {
    this.begin();
    this.connection.server.opened(now);
    return this;
  }

  close(how: 'refused' | 'failed'): void {
    this.connection.server.open--;
    this.finish(how, how === 'failed' ? 'unknown' : 'caller');
  }
}
