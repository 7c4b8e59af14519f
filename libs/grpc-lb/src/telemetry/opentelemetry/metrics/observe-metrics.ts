import type { MeterProvider } from '@opentelemetry/api';
import { type Fault, GrpcLbOptionsError } from '../../../core/errors.js';
import { type Check, fields, shown } from '../../../core/options/validation.js';
import type { CallObservation, CallObserver, ObservedCall, ObservedWeights } from '../../../grpc/call/call-observer.js';
import { ClientMetrics } from '../../metrics/client-metrics.js';
import {
  effectiveMetricsOptions,
  type EffectiveMetricsOptions,
  type GrpcLbMetricsOptions,
  METRICS_CHECKS,
} from '../../metrics/metrics-options.js';
import type { MetricName } from '../../metrics/metrics.js';
import type { MetricsSource } from '../../metrics/metrics-source.js';
import { VERSION } from '../../version.js';
import { LateProvider } from './late-provider.js';
import { OtelInstruments } from './otel-instruments.js';

/** The name of the meter. */
export const METER_NAME = 'nestjs-grpc-lb';

/** Options of `observeMetrics`. */
export interface ObserveMetricsOptions extends GrpcLbMetricsOptions {
  /**
   * Whose instruments record the metrics.
   *
   * @default the one that the application registers with the API, before or after this
   */
  readonly meterProvider?: MeterProvider;
}

const meterProvider: Check = (path, value, faults) => {
  if (typeof (value as MeterProvider | null)?.getMeter !== 'function')
    faults.push({ path, message: `is ${shown(value)}; use the MeterProvider of an OpenTelemetry SDK` });
};

/** Checks a meter provider. */
export { meterProvider as meterProviderCheck };

const check = fields({ ...METRICS_CHECKS, meterProvider });

/**
 * Records the metrics of clients with OpenTelemetry. `GrpcLbOpenTelemetryModule` does it for all clients of an
 * application; this is for clients without Nest.
 *
 * @example
 *   const stop = observeMetrics(createBalancedChannel({ name: 'ORDERS', target, credentials }));
 *
 * @param clients A channel, a client, or `GrpcLbRegistry` for all clients of an application.
 * @returns A function that ends it.
 * @throws GrpcLbOptionsError that lists all faults.
 */
export function observeMetrics(clients: MetricsSource, options: ObserveMetricsOptions = {}): () => void {
  const faults: Fault[] = [];
  check('', options, faults);
  if (faults.length > 0) throw new GrpcLbOptionsError('observeMetrics', faults);
  const recorder = new MetricsRecorder(clients, effectiveMetricsOptions(options), options.meterProvider);
  return () => recorder.close();
}

/** Records as soon as there is a meter provider. Until then each call costs a look whether there is one. */
class MetricsRecorder implements CallObserver {
  readonly #provider: LateProvider;
  readonly #detach: () => void;
  #metrics: ClientMetrics | undefined;
  #stopObserving: (() => void) | undefined;

  constructor(
    private readonly clients: MetricsSource,
    private readonly options: EffectiveMetricsOptions,
    given: MeterProvider | undefined,
  ) {
    this.#provider = new LateProvider(given);
    this.#start();
    this.#detach = clients.observe(this);
  }

  callStarted(call: ObservedCall): CallObservation | undefined {
    return (this.#metrics ?? this.#start())?.calls.callStarted(call);
  }

  weightsUpdated(update: ObservedWeights): void {
    (this.#metrics ?? this.#start())?.calls.weightsUpdated(update);
  }

  close(): void {
    this.#detach();
    this.#stopObserving?.();
  }

  #start(): ClientMetrics | undefined {
    const provider = this.#provider.get();
    if (!provider) return undefined;
    const isEnabled = (name: MetricName): boolean => this.options.instruments[name] ?? true;
    const instruments = new OtelInstruments(provider.getMeter(METER_NAME, VERSION), isEnabled);
    const metrics = new ClientMetrics(this.clients, this.options, instruments);
    this.#stopObserving = instruments.observe(() => metrics.collect());
    return (this.#metrics = metrics);
  }
}
