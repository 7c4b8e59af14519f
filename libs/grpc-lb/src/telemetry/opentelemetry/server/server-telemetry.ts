import type { MeterProvider, TracerProvider } from '@opentelemetry/api';
import { type Fault, GrpcLbOptionsError } from '../../../core/errors.js';
import { boolean, fields } from '../../../core/options/validation.js';
import type {
  ObservedServer,
  ObservedServerCall,
  ServerCallObservation,
  ServerCallObserver,
} from '../../../server/server-observer.js';
import { ServerRecorder } from '../../metrics/server-recorder.js';
import { DESTINATION_CHECKS } from '../metrics/observe-metrics.js';
import { tracerProviderCheck } from '../traces/trace-options.js';
import { ServerInstruments } from './server-instruments.js';
import { ServerSpans } from './server-spans.js';

/** What a server reports to OpenTelemetry. */
export interface GrpcServerTelemetryOptions {
  /**
   * Whether each call has a server span. Without it handlers do not run in the context that the client sends.
   *
   * @default true
   */
  readonly traces?: boolean;
  /**
   * Whether calls are measured: `grpc.server.call.*` and `rpc.server.call.duration`.
   *
   * @default true
   */
  readonly metrics?: boolean;
  /**
   * Where the tracer comes from.
   *
   * @default the global provider of `@opentelemetry/api`, also if it is registered later
   */
  readonly tracerProvider?: TracerProvider;
  /**
   * Where the meter comes from.
   *
   * @default the global provider of `@opentelemetry/api`, also if it is registered later
   */
  readonly meterProvider?: MeterProvider;
}

const optionsCheck = fields({
  traces: boolean,
  metrics: boolean,
  tracerProvider: tracerProviderCheck,
  meterProvider: DESTINATION_CHECKS.meterProvider,
});

/**
 * Traces and metrics of a server: the observer that `GrpcServerModule` and `grpcServer` take. The calls of health,
 * reflection and load reports are exempt.
 *
 * @example
 *   GrpcServerModule.forRoot({ observer: new GrpcServerTelemetry() });
 */
export class GrpcServerTelemetry implements ServerCallObserver {
  readonly #spans: ServerSpans | undefined;
  readonly #recorder: ServerRecorder | undefined;
  readonly #instruments: ServerInstruments | undefined;

  /** @throws GrpcLbOptionsError that lists all faults. */
  constructor(options: GrpcServerTelemetryOptions = {}) {
    const faults: Fault[] = [];
    optionsCheck('', options, faults);
    if (faults.length > 0) throw new GrpcLbOptionsError('GrpcServerTelemetry', faults);
    const { traces = true, metrics = true, tracerProvider, meterProvider } = options;
    if (traces) this.#spans = new ServerSpans(tracerProvider);
    if (!metrics) return;
    const instruments = new ServerInstruments(meterProvider);
    this.#instruments = instruments;
    this.#recorder = new ServerRecorder((metric, value, labels) => instruments.take(metric, value, labels));
  }

  /** Called by the server. */
  attached(server: ObservedServer): (() => void) | undefined {
    return this.#instruments?.attached(server);
  }

  /** Called by the server. */
  callStarted(call: ObservedServerCall): ServerCallObservation | undefined {
    const measured = this.#recorder?.callStarted(call);
    const traced = this.#spans?.callStarted(call);
    if (!traced || !measured) return traced ?? measured;
    return {
      run: (action) => traced.run!(action),
      ended: (end) => {
        // In the context of the span, for exemplars; before it ends.
        traced.run!(() => measured.ended!(end));
        traced.ended!(end);
      },
    };
  }
}
