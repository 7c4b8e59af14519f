import type { RefusalReason } from '../../server/refusal.js';
import type {
  ObservedServerCall,
  ObservedServerEnd,
  ServerCallObservation,
  ServerCallObserver,
} from '../../server/server-observer.js';
import type { StreamEnd } from '../../server/stream-end.js';
import { isServerError } from './server-errors.js';
import type { ServerCallMetricName } from './server-metrics.js';
import { knownCode, STATUS_NAMES } from './status-name.js';

/** The labels of one value. The same object for equal labels, so that a library may keep what it derives. */
export type ServerLabels = Readonly<Record<string, string>>;

/** Takes the values: adds those of counters, records those of histograms. */
export type TakeServerValue = (metric: ServerCallMetricName, value: number, labels: ServerLabels) => void;

interface EndLabels {
  readonly grpc: ServerLabels;
  readonly rpc: ServerLabels;
}

/** The labels of one method, which the server has: there are as many as its services define. */
class MethodLabels {
  readonly started: ServerLabels;
  readonly #ended = new Map<number, EndLabels>();
  readonly #streamEnds = new Map<string, ServerLabels>();
  readonly #refused = new Map<RefusalReason, ServerLabels>();

  constructor(private readonly method: string) {
    this.started = { 'grpc.method': method };
  }

  ended(given: number): EndLabels {
    const code = knownCode(given);
    let labels = this.#ended.get(code);
    if (!labels) this.#ended.set(code, (labels = this.#create(code)));
    return labels;
  }

  streamEnd(reason: StreamEnd): ServerLabels {
    let labels = this.#streamEnds.get(reason);
    if (!labels) this.#streamEnds.set(reason, (labels = { ...this.started, 'grpc.lb.stream_end': reason }));
    return labels;
  }

  refused(reason: RefusalReason): ServerLabels {
    let labels = this.#refused.get(reason);
    if (!labels) this.#refused.set(reason, (labels = { ...this.started, 'grpc.lb.refusal': reason }));
    return labels;
  }

  #create(code: number): EndLabels {
    const { method } = this;
    const status = STATUS_NAMES[code]!;
    const rpc = { 'rpc.system.name': 'grpc', 'rpc.method': method, 'rpc.status_code': status };
    return {
      grpc: { 'grpc.method': method, 'grpc.status': status },
      rpc: isServerError(code) ? { ...rpc, 'error.type': status } : rpc,
    };
  }
}

/** Measures the calls of a server, for any library of metrics. */
export class ServerRecorder implements ServerCallObserver {
  readonly #labels = new Map<string, MethodLabels>();

  constructor(private readonly take: TakeServerValue) {}

  callStarted({ method }: ObservedServerCall): ServerCallObservation {
    // "Full gRPC method name, including package, service and method", without the slash of the path.
    let labels = this.#labels.get(method);
    if (!labels) this.#labels.set(method, (labels = new MethodLabels(method.slice(1))));
    this.take('grpc.server.call.started', 1, labels.started);
    return new MeasuredCall(this.take, labels);
  }
}

class MeasuredCall implements ServerCallObservation {
  readonly #started = performance.now();

  constructor(
    private readonly take: TakeServerValue,
    private readonly labels: MethodLabels,
  ) {}

  ended({ code, sentBytes, receivedBytes, streamEnd, refused }: ObservedServerEnd): void {
    const seconds = (performance.now() - this.#started) / 1000;
    const { grpc, rpc } = this.labels.ended(code);
    this.take('grpc.server.call.duration', seconds, grpc);
    this.take('grpc.server.call.sent_total_compressed_message_size', sentBytes, grpc);
    this.take('grpc.server.call.rcvd_total_compressed_message_size', receivedBytes, grpc);
    this.take('rpc.server.call.duration', seconds, rpc);
    if (streamEnd) this.take('grpc.lb.server.streams_ended', 1, this.labels.streamEnd(streamEnd));
    if (refused) this.take('grpc.lb.server.calls_refused', 1, this.labels.refused(refused));
  }
}
