import { status as Status, type Metadata } from '@grpc/grpc-js';
import { type Ledger, Reservation } from '../core/ledger.js';
import type { Connection } from './connection.js';
import { type PickResult, PickResultType, type SubchannelInterface } from './experimental.js';
import type { PooledEndpoint } from './pooled-endpoint.js';

export type CallLedger = Ledger<PooledEndpoint, Connection>;

/** The answer to a pick, which is at the same time the call's place in the ledger: one object and one closure a call. */
export class CompletePick extends Reservation<PooledEndpoint, Connection> implements PickResult {
  readonly pickResultType = PickResultType.COMPLETE;
  readonly subchannel: SubchannelInterface;
  readonly status = null;

  constructor(ledger: CallLedger, endpoint: PooledEndpoint, connection: Connection) {
    super(ledger, endpoint, connection);
    this.subchannel = connection.subchannel;
  }

  /** grpc-js calls this as a method. */
  onCallStarted(): void {
    this.start();
    this.endpoint.started++;
  }

  /** grpc-js takes this off the pick and calls it as its own, so it must know where it belongs. */
  readonly onCallEnded = (code: Status, _details: string, _metadata: Metadata): void => {
    if (code === Status.OK) this.endpoint.succeeded++;
    else this.endpoint.failed++;
    this.end();
  };
}

/** The call waits for the next picker. */
export const QUEUE: PickResult = Object.freeze({
  pickResultType: PickResultType.QUEUE,
  subchannel: null,
  status: null,
  onCallStarted: null,
  onCallEnded: null,
});
