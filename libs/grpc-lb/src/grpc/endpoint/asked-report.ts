import type { Cancel } from '../../core/clock.js';
import type { LoadReport } from '../../core/policy/load-report.js';
import { decodeReport } from './orca-report.js';
import { encodeReportRequest, STREAM_CORE_METRICS_PATH } from './orca-request.js';
import { type WatchPeer, WatchStream } from './watch-stream.js';

/** Only the first report is wanted, which comes at once. */
const INTERVAL_MS = 60_000;

/**
 * Asks the server of a connection for one load report out of band (gRFC A51).
 *
 * @param told Called once, later, unless it is cancelled; with undefined if the server has none or sends nonsense.
 */
export function askReport(peer: WatchPeer, told: (report: LoadReport | undefined) => void): Cancel {
  const request = { path: STREAM_CORE_METRICS_PATH, message: encodeReportRequest(INTERVAL_MS) };
  const stream = new WatchStream(peer, request, {
    received: (message) => {
      stream.cancel();
      told(decodeReport(message));
    },
    ended: () => told(undefined),
  });
  return () => stream.cancel();
}
