import type { CriticalityLevel } from './call/criticality.js';
import type { HandshakeResult } from './connection/handshake-result.js';
import type { AttemptsByCriticality } from './load/shed-attempts.js';
import type { MoveReason } from './streams/placed-stream.js';

/**
 * Why an endpoint was ejected. `consecutive_failures`: calls in a row failed. `success_rate`: too few calls of a window
 * succeeded. `failed_probe`: the probe at the end of an ejection failed.
 */
export type EjectionMethod = 'consecutive_failures' | 'success_rate' | 'failed_probe';

/**
 * Why an endpoint that failed was not ejected. `max_ejection_overflow`: `maxEjectionPercent` are already.
 * `last_healthy`: no other endpoint is healthy. `not_worse_than_others`: chance, or a failure that all share, explains
 * the difference.
 */
export type EjectionObstacle = 'max_ejection_overflow' | 'last_healthy' | 'not_worse_than_others';

/** What happened to a client since its start, in numbers that only grow. */
export interface ClientTotals {
  /** Attempts to connect that led to a connection. */
  readonly connectionsOpened: number;
  /** Attempts to connect that failed. */
  readonly connectionAttemptsFailed: number;
  /**
   * Connections that were closed, by the reason in the words of gRFC A94: `GOAWAY NO_ERROR`, `subchannel shutdown`,
   * `connection reset`, `connection timed out`, `connection aborted`, `socket error`, `unknown`.
   */
  readonly connectionsClosed: Readonly<Record<string, number>>;
  /** TLS handshakes, by how they ended, in the words of gRFC A118; empty without TLS. */
  readonly tlsHandshakes: Readonly<Partial<Record<HandshakeResult, number>>>;
  /** Connections that became suspect, because their peer did not answer a PING in time. */
  readonly suspects: number;
  /** PINGs sent to silent peers. */
  readonly pings: number;
  /** Ejections, by what caused them. */
  readonly ejections: Readonly<Partial<Record<EjectionMethod, number>>>;
  /** Endpoints that failed as much as ejected ones and were not ejected. */
  readonly ejectionsPrevented: readonly EjectionsPrevented[];
  /** Ejections that ended early, because the other endpoints turned out to fail as often. */
  readonly ejectionsWithdrawn: number;
  /** Changes of the shares of the priorities. */
  readonly failovers: number;
  /** Moves of streams that can resume, by the reason. */
  readonly streamMoves: Readonly<Partial<Record<MoveReason, number>>>;
  /** Calls that continue a stream whose call has ended, as when its server failed. */
  readonly streamsResumed: number;
  /** Retries and hedges that the budget allowed. */
  readonly retriesGranted: number;
  /** Retries and hedges that were not made, because of the budget or the throttle. */
  readonly retriesDenied: {
    /** By the budget of the option `retry`. */
    readonly budget: number;
    /** By the throttle of a service config. */
    readonly throttle: number;
  };
  /** Attempts that servers have shed because they had too much to do, by the criticality of their calls. */
  readonly attemptsShed: AttemptsByCriticality;
  /** Calls that the throttles refused. */
  readonly callsThrottled: number;
  /** Load reports that were unreadable, impossible or too large. */
  readonly loadReportsRejected: number;
  /** Watches that ended early. */
  readonly watchesBackedOff: {
    /** Of `grpc.health.v1`. */
    readonly health: number;
    /** Of out-of-band load reports. */
    readonly loadReports: number;
  };
}

/** How many ejections one obstacle prevented. */
export interface EjectionsPrevented {
  /** What would have caused the ejection. */
  readonly method: EjectionMethod;
  /** What prevented it. */
  readonly obstacle: EjectionObstacle;
  /** How often. */
  readonly count: number;
}

/** Counts what happens to a client, except its calls. */
export class Totals {
  connectionsOpened = 0;
  connectionAttemptsFailed = 0;
  suspects = 0;
  pings = 0;
  ejectionsWithdrawn = 0;
  failovers = 0;
  loadReportsRejected = 0;
  streamsResumed = 0;
  readonly watchesBackedOff = { health: 0, loadReports: 0 };
  readonly #connectionsClosed: Record<string, number> = {};
  readonly #tlsHandshakes: Partial<Record<HandshakeResult, number>> = {};
  readonly #streamMoves: Partial<Record<MoveReason, number>> = {};
  readonly #shed: Partial<Record<CriticalityLevel, number>> = {};
  readonly #ejections: Partial<Record<EjectionMethod, number>> = {};
  readonly #prevented: { method: EjectionMethod; obstacle: EjectionObstacle; count: number }[] = [];

  /** @param reason One of a fixed set. */
  connectionClosed(reason: string): void {
    this.#connectionsClosed[reason] = (this.#connectionsClosed[reason] ?? 0) + 1;
  }

  handshakeEnded(result: HandshakeResult): void {
    this.#tlsHandshakes[result] = (this.#tlsHandshakes[result] ?? 0) + 1;
  }

  streamMoved(reason: MoveReason): void {
    this.#streamMoves[reason] = (this.#streamMoves[reason] ?? 0) + 1;
  }

  attemptShed(level: CriticalityLevel): void {
    this.#shed[level] = (this.#shed[level] ?? 0) + 1;
  }

  ejected(method: EjectionMethod): void {
    this.#ejections[method] = (this.#ejections[method] ?? 0) + 1;
  }

  ejectionPrevented(method: EjectionMethod, obstacle: EjectionObstacle): void {
    const known = this.#prevented.find((each) => each.method === method && each.obstacle === obstacle);
    if (known) known.count++;
    else this.#prevented.push({ method, obstacle, count: 1 });
  }

  /** @param calls What the limits of the client's calls have counted. */
  snapshot(calls: LimitedCalls = NO_CALLS): ClientTotals {
    return {
      connectionsOpened: this.connectionsOpened,
      connectionAttemptsFailed: this.connectionAttemptsFailed,
      connectionsClosed: { ...this.#connectionsClosed },
      tlsHandshakes: { ...this.#tlsHandshakes },
      suspects: this.suspects,
      pings: this.pings,
      ejections: { ...this.#ejections },
      ejectionsPrevented: this.#prevented.map((each) => ({ ...each })),
      ejectionsWithdrawn: this.ejectionsWithdrawn,
      failovers: this.failovers,
      streamMoves: { ...this.#streamMoves },
      attemptsShed: { ...this.#shed },
      streamsResumed: this.streamsResumed,
      ...calls,
      loadReportsRejected: this.loadReportsRejected,
      watchesBackedOff: { ...this.watchesBackedOff },
    };
  }
}

/** What the budget and the throttles of a client count. */
export type LimitedCalls = Pick<ClientTotals, 'retriesGranted' | 'retriesDenied' | 'callsThrottled'>;

const NO_CALLS: LimitedCalls = { retriesGranted: 0, retriesDenied: { budget: 0, throttle: 0 }, callsThrottled: 0 };
