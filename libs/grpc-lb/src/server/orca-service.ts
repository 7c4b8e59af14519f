import type { ServerWritableStream, UntypedServiceImplementation } from '@grpc/grpc-js';
import type { OrcaLoadReport } from './orca-proto.js';

interface OrcaLoadReportRequest {
  readonly report_interval: { readonly seconds: number; readonly nanos: number } | null;
}

/** The default if a client names no interval, as in gRPC's other languages. */
const DEFAULT_INTERVAL_MS = 30_000;
/** The maximum delay of a timer. */
const MAX_INTERVAL_MS = 2 ** 31 - 1;

/** Out-of-band load reports: one at once, and then as often as the client asks, up to the allowed rate. */
export function orcaService(report: () => OrcaLoadReport, minInterval: number): UntypedServiceImplementation {
  return {
    StreamCoreMetrics: (call: ServerWritableStream<OrcaLoadReportRequest, OrcaLoadReport>) => {
      // A client that does not read gets none; the next report is as good as those it has missed.
      const send = (): boolean => call.writableNeedDrain || call.write(report());
      send();
      const interval = Math.min(MAX_INTERVAL_MS, Math.max(minInterval, askedInterval(call.request)));
      const timer = setInterval(send, interval).unref();
      call.on('cancelled', () => clearInterval(timer));
    },
  };
}

function askedInterval({ report_interval: asked }: OrcaLoadReportRequest): number {
  const interval = asked ? asked.seconds * 1000 + asked.nanos / 1e6 : 0;
  return interval > 0 ? interval : DEFAULT_INTERVAL_MS;
}
