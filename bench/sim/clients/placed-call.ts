import { Attempt } from '../../../libs/grpc-lb/src/core/balancing/calls/attempt.js';
import type { LoadReport } from '../../../libs/grpc-lb/src/core/policy/load-report.js';
import type { CallInfo } from '../../../libs/grpc-lb/src/core/policy/policy.js';
import type { Call } from '../call.js';
import type { Server } from '../servers/server.js';
import type { Wire } from './wire.js';

/** Production's attempt, on a wire. */
export class PlacedCall extends Attempt<Wire> {
  report: LoadReport | undefined;

  get server(): Server {
    return this.connection.server;
  }

  protected get call(): CallInfo {
    return (this.token as Call).info;
  }
}
