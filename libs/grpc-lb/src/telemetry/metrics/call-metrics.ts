import type { CallObservation, CallObserver, ObservedCall, ObservedWeights } from '../../grpc/call/call-observer.js';
import { canonicalTarget } from './canonical-target.js';
import { CallRecording } from './call-recording.js';
import { ClientSeries, type MethodNaming } from './client-series.js';
import type { SeriesSource } from './method-series.js';
import type { HistogramSeries } from './series.js';

/** Records the calls of clients. */
export class CallMetrics implements CallObserver {
  readonly #clients = new Map<string, ClientSeries>();
  readonly #weights = new Map<string, HistogramSeries>();

  constructor(
    private readonly source: SeriesSource,
    private readonly naming: MethodNaming,
    /** In milliseconds, from any beginning. */
    private readonly now: () => number,
  ) {}

  callStarted(call: ObservedCall): CallObservation {
    const client = this.#clients.get(call.client) ?? this.client(call.client, call.target);
    return new CallRecording(client, client.method(call), this.source.context(), this.now);
  }

  /** The series of a client; they are made when it is first seen. */
  client(name: string, target: string): ClientSeries {
    let client = this.#clients.get(name);
    if (!client) {
      client = new ClientSeries(this.source, name, canonicalTarget(target), this.naming);
      this.#clients.set(name, client);
    }
    return client;
  }

  /** gRFC A78: "Number of scheduler updates ...", "Number of endpoints from each scheduler update ...". */
  weightsUpdated({ target, weights, notYetUsable, stale, fallback }: ObservedWeights): void {
    const { counters } = this.source;
    const labels = { 'grpc.target': canonicalTarget(target) };
    counters.get('grpc.lb.wrr.rr_fallback', labels).value += fallback ? 1 : 0;
    counters.get('grpc.lb.wrr.endpoint_weight_not_yet_usable', labels).value += notYetUsable;
    counters.get('grpc.lb.wrr.endpoint_weight_stale', labels).value += stale;
    let series = this.#weights.get(target);
    if (!series) {
      series = this.source.histogram('grpc.lb.wrr.endpoint_weights', labels);
      this.#weights.set(target, series);
    }
    // "Endpoints without usable weights will be recorded as weight 0."
    for (const weight of weights) series.record(weight, undefined);
  }
}
