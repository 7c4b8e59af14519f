import type { WaitReason } from '../../grpc/call/call-observer.js';
import type { Counter, Counters } from './counters.js';
import type { MetricName } from './metrics.js';
import type { HistogramSeries, Labels } from './series.js';
import type { ServerAddress } from './server-address.js';
import { knownCode, STATUS_NAMES } from './status-name.js';

/** Where the series of a client come from. */
export interface SeriesSource {
  readonly counters: Counters;
  /** The series of a histogram; one that drops its values if the metric is switched off. */
  histogram(name: MetricName, labels: Labels): HistogramSeries;
  /** What the later values of the call that starts now belong to. */
  context(): unknown;
}

/** The series that the end of an attempt or a call with one status is recorded in. */
export interface StatusSeries {
  readonly attemptDuration: HistogramSeries;
  readonly sentSize: HistogramSeries;
  readonly receivedSize: HistogramSeries;
  readonly callDuration: HistogramSeries;
  readonly rpcDuration: HistogramSeries;
}

/** The `grpc.delay_type` of what a call waits for, as gRFC A121 has them (revision of 2026-10-01); it has none for the others. */
const DELAYS: Readonly<Record<WaitReason, readonly [MetricName, type: string] | undefined>> = {
  // "waiting on name resolution"
  discovery: ['grpc.client.call.delay.duration', 'resolving'],
  // "waiting on a subchannel connection"
  connection: ['grpc.client.attempt.delay.duration', 'connecting'],
  // "`wait_for_ready` RPC queued on a failing picker"
  ready: ['grpc.client.attempt.delay.duration', 'picker_failing_with_wait_for_ready'],
  // "While there are other sources of client-side delay ... (such as credential fetching, retry delays, or waiting on the
  // server's max concurrent streams limit), this proposal focuses on ... name resolution and load balancing pick delays."
  stream_limit: undefined,
  call_credentials: undefined,
};

/** The series of one method of one client. Made once, so that a call looks up its method and nothing else. */
export class MethodSeries {
  readonly started: Counter;
  readonly #byStatus: (StatusSeries | undefined)[] = [];
  readonly #labels: Labels;
  readonly #others = new Map<string, HistogramSeries>();

  /** @param method As in `orders.v1.Orders/Find`; `other` for methods that are not named. */
  constructor(
    private readonly source: SeriesSource,
    private readonly method: string,
    private readonly target: string,
    private readonly address: ServerAddress,
  ) {
    this.#labels = { 'grpc.method': method, 'grpc.target': target };
    this.started = source.counters.get('grpc.client.attempt.started', this.#labels);
  }

  /** @param code A peer may send any number: those that are no status share the series of UNKNOWN. */
  ofStatus(code: number): StatusSeries {
    return this.#byStatus[code] ?? this.#ofKnown(knownCode(code));
  }

  #ofKnown(code: number): StatusSeries {
    return (this.#byStatus[code] ??= this.#create(code));
  }

  /** Records a number or a time of a call that had several attempts. */
  record(name: MetricName, value: number, context: unknown): void {
    this.#other(name, name, this.#labels).record(value, context);
  }

  /** @param seconds How long the call waited. */
  delayed(reason: WaitReason, seconds: number, context: unknown): void {
    const delay = DELAYS[reason];
    if (!delay) return;
    const [name, type] = delay;
    const labels = { 'grpc.target': this.target, 'grpc.method': this.method, 'grpc.delay_type': type };
    this.#other(reason, name, labels).record(seconds, context);
  }

  #other(key: string, name: MetricName, labels: Labels): HistogramSeries {
    let series = this.#others.get(key);
    if (!series) this.#others.set(key, (series = this.source.histogram(name, labels)));
    return series;
  }

  #create(code: number): StatusSeries {
    const status = STATUS_NAMES[code]!;
    const labels = { ...this.#labels, 'grpc.status': status };
    return {
      attemptDuration: this.source.histogram('grpc.client.attempt.duration', labels),
      sentSize: this.source.histogram('grpc.client.attempt.sent_total_compressed_message_size', labels),
      receivedSize: this.source.histogram('grpc.client.attempt.rcvd_total_compressed_message_size', labels),
      callDuration: this.source.histogram('grpc.client.call.duration', labels),
      rpcDuration: this.source.histogram('rpc.client.call.duration', {
        'rpc.system.name': 'grpc',
        // "When the value is `other`, replace it with `_OTHER`" (semantic conventions, gRPC compatibility).
        'rpc.method': this.method === 'other' ? '_OTHER' : this.method,
        'rpc.status_code': status,
        ...this.address,
        // Of a client, "All status codes except `OK` SHOULD be considered errors".
        ...(code === 0 ? {} : { 'error.type': status }),
      }),
    };
  }
}
