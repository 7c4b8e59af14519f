import { utilizationOf } from '../../policy/utilization.js';
import { USUAL_RANK } from '../../call/call-counts.js';
import { CRITICALITY_LEVELS } from '../../call/criticality.js';
import { reportedFailures } from '../../load/reported-failures.js';
import type { LoadReport } from '../../policy/load-report.js';
import type { CallInfo, Outcome, Policy } from '../../policy/policy.js';
import type { ResultKind } from '../health/recent-results.js';
import { Reservation } from './ledger.js';
import type { Carrier } from '../members/link.js';
import type { Member } from '../members/member.js';
import type { Attempts } from './attempts.js';

/** An endpoint that has answered a call with OK within this time, or has become ready, serves. */
const SERVES_MS = 5000;

/**
 * What ended an attempt. `caller`: this side, for a reason of its own, which says nothing about the endpoint; `unknown`
 * may be either side.
 */
export type EndedBy = 'peer' | 'caller' | 'deadline' | 'unknown';

/** One attempt of a call, from the pick to its end, and what the balancer learns from the end. */
export abstract class Attempt<C extends Carrier> extends Reservation<Member<C>, C> {
  constructor(
    private readonly attempts: Attempts<C>,
    member: Member<C>,
    carrier: C,
    private readonly policy: Policy,
  ) {
    super(attempts, member, carrier);
  }

  protected abstract get call(): CallInfo;

  /** Whether its place follows a rule that moves to even out the streams would break. */
  get keyed(): boolean {
    return this.policy.streams === undefined;
  }

  /** The endpoint to which the key of its call belongs now; undefined if it has none. */
  get home(): Member<C> | undefined {
    return this.attempts.homes.of(this.policy, this.call, this.endpoint);
  }

  /** When the peer refused it before it ran, by the clock; undefined if it did not. */
  refusedAt: number | undefined;

  /** The load report of the backend. It is parsed only if the policy reads it. */
  abstract get report(): LoadReport | undefined;

  /**
   * Whether its failure says nothing about the backends at large: its endpoint fails more than the others, or this
   * process was stalled.
   */
  get excused(): boolean {
    const { attempts, endpoint } = this;
    return endpoint.failsMore || attempts.wasStalled(this.reservedAt, attempts.now);
  }

  /** Called when the attempt is sent. */
  begin(): void {
    this.start();
    this.endpoint.started++;
    this.connection.callStarted();
    this.attempts.spillover?.started(this.endpoint.inLocalZone, this.reservedAt);
    const { call } = this;
    if (!call.stream) return;
    const { passiveHealth } = this.endpoint;
    if (passiveHealth.isProbe(this)) passiveHealth.probeStreams(this);
    this.attempts.streams.began(this, call);
  }

  /**
   * Called when the attempt has ended.
   *
   * @param ran Whether the peer has processed it, as opposed to refusing its stream.
   */
  finish(kind: ResultKind, by: EndedBy, ran = true): void {
    const { endpoint, connection, attempts } = this;
    const { now } = attempts;
    if (kind === 'ok') {
      endpoint.succeeded++;
      endpoint.servedAt = now;
    } else endpoint.failed++;
    if (kind === 'ok' && endpoint.shedAttempts !== undefined) endpoint.answeredAfterShedding();
    this.end();
    if (this.call.stream) attempts.streams.ended(this, this.call, kind !== 'ok' && by !== 'caller');
    const wasProbe = endpoint.passiveHealth.endProbe(this);
    const failed = kind === 'failed' || kind === 'timed_out';
    if (by === 'peer') {
      connection.callAnswered(ran);
      endpoint.superseded = 0;
    }
    // A lost connection says nothing about the process that may replace the old one.
    if (connection.lost) return;
    const stalled = attempts.wasStalled(this.reservedAt, now);
    // A call that the caller cancelled says nothing about the endpoint, except that it would have taken longer.
    if (by !== 'caller' && !(stalled && by === 'deadline')) this.#judge(kind, wasProbe, now);
    else if (wasProbe) endpoint.probeLapsed();
    // If this process read the answer late, the delay is not the endpoint's latency.
    if (stalled) return;
    if (by !== 'caller') this.#compareZones(failed, now);
    if (this.policy.learn) this.#teach(failed, kind === 'refused', now);
  }

  /**
   * Called when the endpoint has shed it, because it has too much to do. That is no failure: without it the next one
   * would have too much to do.
   *
   * @param rank The criticality of the call as an index; undefined if it states none.
   */
  shed(rank: number = USUAL_RANK): void {
    this.endpoint.shed(CRITICALITY_LEVELS[rank]!);
    this.finish('refused', 'peer');
  }

  /**
   * Called when the peer has refused it before it ran, on a connection that stays open. An endpoint that serves other
   * calls is full, and would be missed by the others if it were ejected; one that serves none fails.
   */
  turnedAway(): void {
    const { endpoint, attempts } = this;
    const isFull = attempts.now - endpoint.servedAt <= SERVES_MS && !endpoint.passiveHealth.isProbe(this);
    this.finish(isFull ? 'refused' : 'failed', 'peer', false);
  }

  /**
   * Called when it is cancelled because another attempt of the call was faster. Its server may work on, so it counts for
   * as long again as it has taken, and twice as long with each that follows before the endpoint answers: otherwise
   * hedging would empty the count of a slow endpoint, and attract calls to it.
   */
  supersede(): void {
    const { endpoint, attempts } = this;
    this.finish('refused', 'caller');
    if (!this.connection.lost)
      attempts.superseded.hold(endpoint, (attempts.now - this.reservedAt) * 2 ** endpoint.superseded++);
  }

  override lapse(): void {
    super.lapse();
    if (this.endpoint.passiveHealth.endProbe(this)) this.endpoint.probeLapsed();
  }

  #judge(kind: ResultKind, wasProbe: boolean, now: number): void {
    const { endpoint, attempts } = this;
    const latency = now - this.reservedAt;
    // Only what has failed is worth the reading of its report.
    const reported = kind === 'failed' ? reportedFailures(this.report) : 0;
    endpoint.passiveHealth.record(kind, this.reservedAt, now, wasProbe, reported);
    if (kind === 'ok') attempts.refusals.succeeded(this.call, latency);
    else if (kind === 'refused' && endpoint.refusesMore) attempts.refusals.refused(endpoint, this.call, latency);
  }

  /** Ignores streams and calls that the caller cancelled: their duration says nothing about the zone. */
  #compareZones(failed: boolean, now: number): void {
    const { spillover } = this.attempts;
    if (!spillover || this.call.stream) return;
    spillover.ended(this.endpoint.inLocalZone, now - this.reservedAt, failed);
    const report = spillover.readsReports ? this.report : undefined;
    if (report) spillover.reported(this.endpoint.inLocalZone, utilizationOf(report, []));
  }

  #teach(failed: boolean, cutShort: boolean, now: number): void {
    const latency = now - this.reservedAt;
    this.policy.learn!(this.endpoint, this.call, new Ending(latency, failed, cutShort, this));
  }
}

class Ending implements Outcome {
  constructor(
    readonly latency: number,
    readonly failed: boolean,
    readonly cutShort: boolean,
    private readonly attempt: { readonly report: LoadReport | undefined },
  ) {}

  get report(): LoadReport | undefined {
    return this.attempt.report;
  }
}
