import { NO_VISITS, type Visits } from '../../../libs/grpc-lb/src/core/balancing/calls/visits.js';
import type { AttemptEnd } from '../../../libs/grpc-lb/src/core/call/attempt-end.js';
import { CallPlan } from '../../../libs/grpc-lb/src/core/call/call-plan.js';
import type { AttemptKind, PlanEnvironment, PlanOwner } from '../../../libs/grpc-lb/src/core/call/plan-owner.js';
import type { CallPolicy } from '../../../libs/grpc-lb/src/core/call/call-policy.js';
import { CRITICALITY_LEVELS } from '../../../libs/grpc-lb/src/core/call/criticality.js';
import { PUSHBACK_KEY } from '../../../libs/grpc-lb/src/server/shed-status.js';
import type { Call } from '../call.js';
import { Attempt, type AttemptOwner } from './attempt.js';
import { attemptMetadata } from './call-metadata.js';
import { FAILED } from './call-model.js';
import type { PlacedCall } from './placed-call.js';
import type { Wire } from './wire.js';

/** What the calls of one client share. */
export interface CallEnvironment extends PlanEnvironment {
  /** The index of the client. */
  readonly index: number;
  /** Undefined if there is no endpoint that the call may still go to. */
  pick(call: Call, visits: Visits<Wire>): PlacedCall | undefined;
  send(attempt: Attempt): void;
  arrived(attempt: Attempt): void;
  /** The server has answered. */
  answered(attempt: Attempt): void;
  /**
   * @param last Undefined if the call was refused by its own client.
   * @param gaveUp Whether it ended without an answer because it took too long.
   */
  callEnded(call: SimCall, last: Attempt | undefined, failed: boolean, gaveUp: boolean): void;
}

const ONLY: Readonly<Record<AttemptKind, Visits<Wire>['only']>> = {
  first: undefined,
  retry: undefined,
  hedge: 'untried',
  transparent: 'untried_or_new_connection',
};

/** Carries out the plan of one call, which is the one that production makes. */
export class SimCall implements PlanOwner<Attempt>, AttemptOwner {
  readonly startedAt: number;
  readonly #plan: CallPlan<Attempt>;
  #visits: Visits<Wire> = NO_VISITS;
  #last: Attempt | undefined;

  constructor(
    readonly call: Call,
    policy: CallPolicy,
    private readonly deadline: number | undefined,
    private readonly environment: CallEnvironment,
  ) {
    this.startedAt = environment.clock.now();
    this.#plan = new CallPlan(policy, environment, this);
  }

  start(): void {
    this.#plan.start();
    if (this.#plan.done) return;
    if (this.deadline !== undefined) this.environment.clock.after(this.deadline, () => this.#expire());
  }

  get timeLeft(): number {
    return this.deadline === undefined ? Infinity : this.startedAt + this.deadline - this.environment.clock.now();
  }

  place(kind: AttemptKind): void {
    const { call, environment } = this;
    const only = this.#plan.onlyElsewhere ? 'untried' : ONLY[kind];
    const placed = environment.pick(call, { ...this.#visits, only });
    if (!placed) return this.#plan.ended(undefined, { code: FAILED, progress: 'exhausted' });
    call.attempts++;
    placed.begin();
    const { endpoint, connection } = placed;
    this.#visits = {
      all: [...this.#visits.all, { endpoint, connection, refusedAt: undefined }],
      tried: [...this.#visits.tried, endpoint],
      only: undefined,
    };
    const metadata = attemptMetadata(call.method.criticality ?? 'critical', this.#plan.attempts);
    this.#last = new Attempt(this, call, placed, metadata, environment.index);
    environment.send(this.#last);
    this.#plan.placed(this.#last);
  }

  get rank(): number | undefined {
    const { criticality } = this.call.method;
    return criticality && CRITICALITY_LEVELS.indexOf(criticality);
  }

  unplace(): void {
    // Each attempt is placed at once.
  }

  cancel(attempt: Attempt, timedOut: boolean): void {
    if (timedOut) this.#giveUp(attempt);
    else {
      attempt.over = true;
      attempt.placed.supersede();
    }
  }

  committed(): void {
    // Nothing is kept to repeat it.
  }

  throttled(): void {
    this.environment.callEnded(this, undefined, true, false);
  }

  endpointOf({ placed }: Attempt): object {
    return placed.endpoint;
  }

  isExcused({ placed }: Attempt): boolean {
    return placed.excused;
  }

  finish(attempt: Attempt | undefined, end: AttemptEnd): void {
    this.environment.callEnded(this, attempt ?? this.#last!, end.code !== 0, end.timedOut === true);
  }

  attemptArrived(attempt: Attempt): void {
    this.environment.arrived(attempt);
  }

  attemptAnswered(attempt: Attempt): void {
    this.environment.answered(attempt);
  }

  attemptEnded(attempt: Attempt): void {
    if (attempt.over) return;
    attempt.over = true;
    const { failed, refusal, placed } = attempt;
    // As in production: a server that sheds has done nothing wrong.
    if (refusal) placed.shed(this.rank);
    else placed.finish(failed ? 'failed' : 'ok', 'peer');
    this.#plan.ended(attempt, {
      code: failed ? FAILED : 0,
      progress: refusal ? 'shed' : 'processed',
      pushback: refusal && Number(refusal.metadata?.get(PUSHBACK_KEY)[0]),
    });
  }

  #expire(): void {
    if (this.#plan.done) return;
    this.#plan.stop(true);
    for (const attempt of this.#plan.running) this.#giveUp(attempt);
    this.environment.callEnded(this, this.#last!, true, true);
  }

  /** The server still does its work. */
  #giveUp(attempt: Attempt): void {
    attempt.over = true;
    attempt.placed.report = undefined;
    attempt.placed.finish('timed_out', 'deadline');
  }
}
