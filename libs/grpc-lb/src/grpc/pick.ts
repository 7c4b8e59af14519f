import { status as Status } from '@grpc/grpc-js';
import type { Clock } from '../core/clock.js';
import { Ledger, type OnRelease, Reservation } from '../core/ledger.js';
import type { Spillover } from '../core/locality/spillover.js';
import type { FailureStatus } from '../core/options/status-names.js';
import type { Connection } from './connection.js';
import { type PickResult, PickResultType, type SubchannelInterface } from './experimental.js';
import type { PooledEndpoint } from './pooled-endpoint.js';

/** All calls of a client: who carries them, which of their results are failures, and where a call failed before. */
export class CallBook extends Ledger<PooledEndpoint, Connection> {
  #failureNames: readonly FailureStatus[] = [];
  #failureCodes: ReadonlySet<number> = new Set();
  /** By the object that grpc-js hands in with every attempt of a call, and drops with it. */
  readonly #failedOn = new WeakMap<object, PooledEndpoint>();

  /** Compares the own zone with the others; undefined where zones do not count. */
  spillover: Spillover | undefined;

  constructor(
    private readonly time: Clock,
    onRelease: OnRelease<PooledEndpoint, Connection>,
  ) {
    super(time, onRelease);
  }

  get now(): number {
    return this.time.now();
  }

  set failureCodes(names: readonly FailureStatus[]) {
    if (names === this.#failureNames) return;
    this.#failureNames = names;
    this.#failureCodes = new Set(names.map((name) => Status[name]));
  }

  isFailure(code: Status): boolean {
    return this.#failureCodes.has(code);
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
    private readonly call: object,
    private readonly isProbe: boolean,
  ) {
    super(book, endpoint, connection);
    this.subchannel = connection.subchannel;
  }

  /** grpc-js calls this as a method. */
  onCallStarted(): void {
    this.start();
    this.endpoint.started++;
    this.connection.callStarted();
    this.book.spillover?.started(this.endpoint.near, this.reservedAt);
  }

  /** grpc-js takes this off the pick and calls it as its own, so it must know where it belongs. */
  readonly onCallEnded = (code: Status): void => {
    if (code === Status.OK) this.endpoint.succeeded++;
    else this.endpoint.failed++;
    this.end();
    if (this.isProbe) this.endpoint.probeInFlight = false;
    // What the caller cancelled says nothing about the endpoint.
    if (code === Status.CANCELLED) return;
    const failed = this.book.isFailure(code);
    this.book.spillover?.ended(this.endpoint.near, this.book.now - this.reservedAt, failed);
    if (failed) this.book.rememberFailure(this.call, this.endpoint);
    // A connection that is gone says nothing about the process that may come back in its place.
    if (this.connection.state !== 'lost') this.endpoint.recordResult(failed, this.isProbe);
  };

  override lapse(): void {
    super.lapse();
    if (this.isProbe) this.endpoint.probeInFlight = false;
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
