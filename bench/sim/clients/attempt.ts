import type { Metadata } from '@grpc/grpc-js';
import type { Refusal } from '../../../libs/grpc-lb/src/server/refusal.js';
import type { Call } from '../call.js';
import { Job } from '../servers/job.js';
import type { PlacedCall } from './placed-call.js';

export interface AttemptOwner {
  /** It has reached the server. */
  attemptArrived(attempt: Attempt): void;
  /** The server has answered; the answer is on its way. */
  attemptAnswered(attempt: Attempt): void;
  /** The answer has arrived. */
  attemptEnded(attempt: Attempt): void;
}

/** One attempt of a call on its way: to the server, its work, and back. */
export class Attempt extends Job {
  failed = false;
  /** How the server has shed it; undefined if it has not. */
  refusal: Refusal | undefined;
  /** The caller has its answer, or no longer waits for it. */
  over = false;
  #at: 'client' | 'server' | 'back' = 'client';

  constructor(
    private readonly owner: AttemptOwner,
    readonly call: Call,
    readonly placed: PlacedCall,
    override readonly metadata: Metadata,
    override readonly connection: number,
  ) {
    super(call.work, call.io, call.luck);
  }

  override shed(refusal: Refusal): void {
    this.refusal = refusal;
    this.answered(true);
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
