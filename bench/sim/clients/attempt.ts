import { type Counted, type Ledger, Reservation } from '../../../libs/grpc-lb/src/core/balancing/ledger.js';
import type { LoadReport } from '../../../libs/grpc-lb/src/core/policy/load-report.js';
import type { Call } from '../call.js';
import { Job } from '../servers/job.js';
import type { SimEndpoint } from './endpoint.js';

/** Stands for the connection, which the simulation does not have. */
export const WIRE: Counted = { inFlight: 0 };

export interface AttemptOwner {
  /** It has come to the server. */
  attemptArrived(attempt: Attempt): void;
  /** The server has answered; the answer is on its way. */
  attemptAnswered(attempt: Attempt): void;
  /** The answer has come. */
  attemptEnded(attempt: Attempt): void;
}

/** One attempt of a call, from the pick to the answer. */
export class Attempt extends Job {
  readonly reservation: Reservation<SimEndpoint, Counted>;
  failed = false;
  /** The caller has its answer, or does not wait for it any more. */
  over = false;
  report: LoadReport | undefined;
  #at: 'client' | 'server' | 'back' = 'client';

  constructor(
    private readonly owner: AttemptOwner,
    ledger: Ledger<SimEndpoint, Counted>,
    readonly call: Call,
    readonly endpoint: SimEndpoint,
  ) {
    super(call.work, call.io, call.luck);
    this.reservation = new Reservation(ledger, endpoint, WIRE);
    this.reservation.start();
  }

  answered(failed: boolean): void {
    this.failed = failed;
    this.#at = 'back';
    this.owner.attemptAnswered(this);
  }

  override run(): void {
    if (this.#at === 'server') super.run();
    else if (this.#at === 'back') this.owner.attemptEnded(this);
    else {
      this.#at = 'server';
      this.owner.attemptArrived(this);
    }
  }
}
