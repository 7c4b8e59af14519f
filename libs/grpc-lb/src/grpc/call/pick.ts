import { type ChannelOptions, type Metadata, status as Status } from '@grpc/grpc-js';
import type { Clock } from '../../core/clock.js';
import type { ResultKind } from '../../core/balancing/health/recent-results.js';
import { Ledger, type OnRelease, Reservation } from '../../core/balancing/ledger.js';
import type { Spillover } from '../../core/locality/spillover.js';
import { Refusals } from '../../core/load/refusals.js';
import type { OwnStall } from '../../core/own-stall.js';
import type { FailureStatus } from '../../core/options/status-names.js';
import type { Outcome, Policy } from '../../core/policy/policy.js';
import type { LoadReport } from '../../core/policy/load-report.js';
import { isCallersOwn } from '../channel/caller-cancel.js';
import { callOf } from './config-selector.js';
import type { Connection } from '../endpoint/connection.js';
import { type PickResult, PickResultType, type SubchannelInterface } from '../experimental.js';
import { reportIn } from '../endpoint/orca-report.js';
import { ownStallOf } from '../context/own-stall.js';
import type { PooledEndpoint } from '../endpoint/pooled-endpoint.js';

/** All calls of a client: who carries them, which of their results are failures, and where a call failed before. */
export class CallBook extends Ledger<PooledEndpoint, Connection> {
  #failureNames: readonly FailureStatus[] = [];
  #failureCodes: ReadonlySet<number> = new Set();
  /** By the object that grpc-js hands in with every attempt of a call, and drops with it. */
  readonly #failedOn = new WeakMap<object, PooledEndpoint>();
  readonly refusals: Refusals<PooledEndpoint>;
  readonly #ownStall: OwnStall;

  constructor(
    clock: Clock,
    onRelease: OnRelease<PooledEndpoint, Connection>,
    /** It has sent a load report that cannot be read. */
    readonly onReportRejected: (endpoint: PooledEndpoint) => void = () => {},
    /** Of the channel. */
    readonly channelOptions: ChannelOptions = {},
  ) {
    super(clock, onRelease);
    this.refusals = new Refusals(clock);
    this.#ownStall = ownStallOf(clock);
  }

  /** Compares the own zone with the others; undefined where zones do not count. */
  spillover: Spillover | undefined;

  set failureCodes(names: readonly FailureStatus[]) {
    if (names === this.#failureNames) return;
    this.#failureNames = names;
    this.#failureCodes = new Set(names.map((name) => Status[name]));
  }

  isFailure(code: Status): boolean {
    return this.#failureCodes.has(code);
  }

  /** Whether a stall of this process explains how long a call has taken that was made then, and ends now. */
  wasStalled(since: number): boolean {
    return this.#ownStall.explains(since);
  }

  override close(): void {
    super.close();
    this.refusals.close();
  }

  /** The endpoint on which the attempt of this call before has failed. */
  failedOn(call: object): PooledEndpoint | undefined {
    return this.#failedOn.get(call);
  }

  rememberFailure(call: object, endpoint: PooledEndpoint): void {
    this.#failedOn.set(call, endpoint);
  }
}

/** The answer to a pick, which is at the same time the call's place in the ledger: one object and one closure a call. */
export class CompletePick extends Reservation<PooledEndpoint, Connection> implements PickResult {
  readonly pickResultType = PickResultType.COMPLETE;
  readonly subchannel: SubchannelInterface;
  readonly status = null;

  constructor(
    private readonly book: CallBook,
    endpoint: PooledEndpoint,
    connection: Connection,
    private readonly token: object,
    private readonly policy: Policy,
  ) {
    super(book, endpoint, connection);
    this.subchannel = connection.subchannel;
  }

  /** grpc-js calls this as a method. */
  onCallStarted(): void {
    this.start();
    this.endpoint.started++;
    this.connection.callStarted();
    this.book.spillover?.started(this.endpoint.inLocalZone, this.reservedAt);
    const { passiveHealth } = this.endpoint;
    if (passiveHealth.isProbe(this) && callOf(this.token).stream) passiveHealth.probeStreams(this);
  }

  /** grpc-js takes this off the pick and calls it as its own, so it must know where it belongs. */
  readonly onCallEnded = (code: Status, details: string, trailers: Metadata): void => {
    if (code === Status.OK) this.endpoint.succeeded++;
    else this.endpoint.failed++;
    this.end();
    const wasProbe = this.endpoint.passiveHealth.endProbe(this);
    const failed = this.book.isFailure(code);
    if (failed) this.book.rememberFailure(this.token, this.endpoint);
    if (isAnswer(code)) this.connection.callAnswered();
    // A connection that is gone says nothing about the process that may come back in its place.
    if (this.connection.state === 'lost') return;
    const ownCancel = isCallersOwn(code, details, this.book.channelOptions);
    const stalled = this.book.wasStalled(this.reservedAt);
    // What the caller cancelled says nothing about the endpoint, but that it would have taken longer.
    if (!ownCancel && !(stalled && code === Status.DEADLINE_EXCEEDED)) this.#judge(kindOf(code, failed), wasProbe);
    else if (wasProbe) this.endpoint.probeLapsed();
    // What this process did not read in time is no latency of the endpoint's.
    if (stalled) return;
    if (!ownCancel) this.#compareZones(failed);
    if (this.policy.learn) this.#teach(code, failed, trailers);
  };

  #judge(kind: ResultKind, wasProbe: boolean): void {
    const { endpoint, book } = this;
    const call = callOf(this.token);
    const latency = book.now - this.reservedAt;
    endpoint.passiveHealth.record(kind, this.reservedAt, wasProbe);
    if (kind === 'ok') book.refusals.succeeded(call, latency);
    else if (kind === 'refused' && endpoint.refusesMore) book.refusals.refused(endpoint, call, latency);
  }

  /** The duration of a stream says nothing, nor does a call that the caller gave up. */
  #compareZones(failed: boolean): void {
    const { spillover } = this.book;
    if (!spillover || callOf(this.token).stream) return;
    spillover.ended(this.endpoint.inLocalZone, this.book.now - this.reservedAt, failed);
  }

  #teach(code: Status, failed: boolean, trailers: Metadata): void {
    const latency = this.book.now - this.reservedAt;
    const ending = new Ending(latency, failed, code !== Status.OK && !failed, trailers, this);
    this.policy.learn!(this.endpoint, callOf(this.token), ending);
  }

  reportRejected(): void {
    this.book.onReportRejected(this.endpoint);
  }

  override lapse(): void {
    super.lapse();
    if (this.endpoint.passiveHealth.endProbe(this)) this.endpoint.probeLapsed();
  }
}

/** Whether a status can only have come from the peer: the others are made by this side as well. */
function isAnswer(code: Status): boolean {
  return code !== Status.CANCELLED && code !== Status.DEADLINE_EXCEEDED && code < Status.RESOURCE_EXHAUSTED;
}

function kindOf(code: Status, failed: boolean): ResultKind {
  if (code === Status.OK) return 'ok';
  if (!failed) return 'refused';
  return code === Status.DEADLINE_EXCEEDED ? 'timed_out' : 'failed';
}

/** How a call has ended. Only a policy that asks for the report pays for reading it. */
class Ending implements Outcome {
  constructor(
    readonly latency: number,
    readonly failed: boolean,
    readonly cutShort: boolean,
    private readonly trailers: Metadata,
    private readonly pick: CompletePick,
  ) {}

  get report(): LoadReport | undefined {
    const report = reportIn(this.trailers);
    if (report === null) this.pick.reportRejected();
    return report ?? undefined;
  }
}

/** The call waits for the next picker. */
export const QUEUE: PickResult = Object.freeze({
  pickResultType: PickResultType.QUEUE,
  subchannel: null,
  status: null,
  onCallStarted: null,
  onCallEnded: null,
});
