import { status as Status } from '@grpc/grpc-js';
import type { Clock } from '../../core/clock.js';
import type { LoadReport } from '../../core/policy/load-report.js';
import type { Random } from '../../core/random.js';
import { decodeReport } from './orca-report.js';
import { encodeReportRequest, STREAM_CORE_METRICS_PATH } from './orca-request.js';
import { Watch } from './watch.js';
import type { WatchPeer } from './watch-stream.js';

export interface OrcaListener {
  reported(report: LoadReport): void;
  /** Called when a report is unreadable. */
  rejected(): void;
  /** Called when the server does not offer the service; the client does not ask it again. */
  notOffered(): void;
  backedOff(reason: string): void;
  /** Called when it has taken or released one of the peer's streams. */
  openChanged(): void;
}

/**
 * Receives the load reports of one connection out of band, through that connection (gRFC A51). It is a stream, but does
 * not count as load.
 */
export class OrcaWatch {
  readonly #watch: Watch;

  constructor(
    peer: WatchPeer,
    /** Milliseconds; the server may send fewer reports. */
    readonly interval: number,
    clock: Clock,
    random: Random,
    private readonly listener: OrcaListener,
  ) {
    const request = { path: STREAM_CORE_METRICS_PATH, message: encodeReportRequest(interval) };
    this.#watch = new Watch(peer, request, clock, random, {
      received: (message) => this.#onReport(decodeReport(message)),
      ended: ({ code }) => this.#onEnd(code),
      backedOff: (reason) => listener.backedOff(reason),
      openChanged: () => listener.openChanged(),
    });
  }

  /** Whether it takes one of the peer's streams. */
  get open(): boolean {
    return this.#watch.open;
  }

  stop(): void {
    this.#watch.stop();
  }

  #onReport(report: LoadReport | undefined): boolean {
    if (report) this.listener.reported(report);
    else this.listener.rejected();
    return report !== undefined;
  }

  #onEnd(code: Status): boolean {
    if (code !== Status.UNIMPLEMENTED) return true;
    // gRFC A51: "the client must not retry the call on the same connection".
    this.listener.notOffered();
    return false;
  }
}
