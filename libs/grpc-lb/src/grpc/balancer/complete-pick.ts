import type { Metadata, status as Status } from '@grpc/grpc-js';
import { Attempt } from '../../core/balancing/calls/attempt.js';
import type { Attempts } from '../../core/balancing/calls/attempts.js';
import type { Member } from '../../core/balancing/members/member.js';
import { NO_VISITS, type Visits } from '../../core/balancing/calls/visits.js';
import type { LoadReport } from '../../core/policy/load-report.js';
import type { CallInfo, Policy } from '../../core/policy/policy.js';
import type { Connection } from '../endpoint/connection.js';
import { reportIn } from '../endpoint/orca-report.js';
import { type PickResult, PickResultType, type SubchannelInterface } from '../experimental.js';
import type { Statuses } from '../call/statuses.js';
import { isReceiveLimit, isRefused, isShed } from '../call/wire-status.js';
import { callOf } from './config-selector.js';

/** State that the picks of one client share. */
export interface PickContext {
  /** Where the earlier attempts of a call failed, by the object that identifies the call. */
  readonly failures: WeakMap<object, Visits<Connection>>;
  readonly attempts: Attempts<Connection>;
  readonly statuses: Statuses;
  /** Called when an endpoint has sent an unreadable load report. */
  readonly onReportRejected: (address: string) => void;
}

/** The result of a pick, which is also the attempt of the call: one object and one closure per call. */
export class CompletePick extends Attempt<Connection> implements PickResult {
  readonly pickResultType = PickResultType.COMPLETE;
  readonly subchannel: SubchannelInterface;
  readonly status = null;
  #trailers: Metadata | undefined;

  constructor(
    private readonly context: PickContext,
    member: Member<Connection>,
    connection: Connection,
    private readonly token: object,
    policy: Policy,
  ) {
    super(context.attempts, member, connection, policy);
    this.subchannel = connection.subchannel;
  }

  protected get call(): CallInfo {
    return callOf(this.token);
  }

  get report(): LoadReport | undefined {
    const report = reportIn(this.#trailers!);
    if (report === null) this.context.onReportRejected(this.endpoint.key);
    return report ?? undefined;
  }

  /** grpc-js calls this as a method. */
  onCallStarted(): void {
    this.begin();
  }

  /** An arrow function, because grpc-js detaches it from the pick and calls it without `this`. */
  readonly onCallEnded = (code: Status, details: string, trailers: Metadata): void => {
    this.#trailers = trailers;
    const { statuses } = this.context;
    const status = { code, details, metadata: trailers };
    // What this side causes says nothing about the endpoint.
    if (isReceiveLimit(status)) return this.finish('refused', 'caller');
    if (isShed(status)) return this.shed();
    if (isRefused(status)) return this.turnedAway();
    const kind = statuses.kindOf(code);
    if (kind === 'failed' || kind === 'timed_out') this.#rememberFailure();
    this.finish(kind, statuses.endedBy(code, details));
  };

  #rememberFailure(): void {
    const { failures } = this.context;
    const before = failures.get(this.token) ?? NO_VISITS;
    failures.set(this.token, {
      all: [...before.all, this],
      tried: [...before.tried, this.endpoint],
      only: undefined,
    });
  }
}

/** Makes the call wait for the next picker. */
export const QUEUE: PickResult = Object.freeze({
  pickResultType: PickResultType.QUEUE,
  subchannel: null,
  status: null,
  onCallStarted: null,
  onCallEnded: null,
});
