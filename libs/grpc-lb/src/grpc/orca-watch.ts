import { status as Status } from '@grpc/grpc-js';
import type { Cancel, Clock } from '../core/clock.js';
import type { LoadReport } from '../core/policy/load-report.js';
import { jittered, type Random } from '../core/random.js';
import { decodeReport } from './orca-report.js';
import { encodeReportRequest, STREAM_CORE_METRICS_PATH } from './orca-request.js';
import { type WatchPeer, WatchStream } from './watch-stream.js';

/** The bounds of grpc's own connection backoff, scaled down as for health. */
const FIRST_RETRY_MS = 1000;
const LAST_RETRY_MS = 30_000;
const RETRY_FACTOR = 1.6;
const RETRY_JITTER = 0.2;

export interface OrcaListener {
  reported(report: LoadReport): void;
  /** A report could not be read. */
  rejected(): void;
  /** The server has no such service, and is not asked again. */
  notOffered(): void;
  /** It has taken one of the peer's streams, or given it back. */
  openChanged(): void;
}

/**
 * Receives the load reports of one connection out of band, through that connection (gRFC A51). It is a stream, but no
 * load.
 */
export class OrcaWatch {
  #stream: WatchStream | undefined;
  #cancelRetry: Cancel | undefined;
  #startedAt = 0;
  #answered = false;
  #retries = 0;

  constructor(
    private readonly peer: WatchPeer,
    /** Milliseconds; the server may send fewer reports. */
    readonly interval: number,
    private readonly clock: Clock,
    private readonly random: Random,
    private readonly listener: OrcaListener,
  ) {
    this.#watch();
  }

  /** It takes one of the peer's streams. */
  get open(): boolean {
    return this.#stream !== undefined;
  }

  stop(): void {
    this.#cancelRetry?.();
    this.#stream?.cancel();
    this.#stream = undefined;
  }

  #watch(): void {
    const request = { path: STREAM_CORE_METRICS_PATH, message: encodeReportRequest(this.interval) };
    this.#startedAt = this.clock.now();
    this.#answered = false;
    this.#stream = new WatchStream(this.peer, request, {
      received: (message) => this.#onReport(decodeReport(message)),
      ended: ({ code }) => this.#onEnd(code),
    });
  }

  #onReport(report: LoadReport | undefined): void {
    if (!report) return this.listener.rejected();
    this.#answered = true;
    this.listener.reported(report);
  }

  #onEnd(code: Status): void {
    this.#stream = undefined;
    // gRFC A51: "the client must not retry the call on the same connection".
    if (code === Status.UNIMPLEMENTED) this.listener.notOffered();
    else this.#retry();
    this.listener.openChanged();
  }

  #retry(): void {
    const now = this.clock.now();
    if (this.#answered) this.#retries = 0;
    // gRFC A51: after a message "the next attempt will occur immediately"; but not again and again, where a server ends
    // the stream as soon as it has answered.
    const atOnce = this.#answered && now - this.#startedAt >= FIRST_RETRY_MS;
    const delay = Math.min(LAST_RETRY_MS, FIRST_RETRY_MS * RETRY_FACTOR ** this.#retries++);
    this.#cancelRetry = this.clock.after(atOnce ? 0 : jittered(this.random, delay, RETRY_JITTER), () => {
      this.#watch();
      this.listener.openChanged();
    });
  }
}
