import type { MeterProvider } from '@opentelemetry/api';
import { type Fault, GrpcLbOptionsError } from '../../../core/errors.js';
import { type Check, fields, shown } from '../../../core/options/validation.js';
import type { CallObservation, CallObserver, ObservedCall, ObservedWeights } from '../../../grpc/call/call-observer.js';
import { ClientMetrics } from '../../metrics/client-metrics.js';
import { MeasuredClients } from '../../metrics/measured-clients.js';
import {
  effectiveMetricsOptions,
  type EffectiveMetricsOptions,
  type GrpcLbMetricsOptions,
  METRICS_CHECKS,
} from '../../metrics/metrics-options.js';
import { type MetricsSource, requireClients } from '../../metrics/metrics-source.js';
import { VERSION } from '../../version.js';
import { LateProvider } from './late-provider.js';
import { measuredOnce } from './measured-once.js';
import { METER_NAME } from './meter-name.js';
import { GrpcLbMetricProducer } from './metric-producer.js';
import { OtelInstruments } from './otel-instruments.js';

/** Options of `observeMetrics`. */
export interface ObserveMetricsOptions extends GrpcLbMetricsOptions {
  /**
   * Whose instruments record the metrics.
   *
   * @default the one that the application registers with the API, before or after this
   */
  readonly meterProvider?: MeterProvider;
  /**
   * Adds the values up itself instead of recording them with instruments, which costs a call much less.
   *
   * @default none
   */
  readonly metricProducer?: GrpcLbMetricProducer;
}

const meterProvider: Check = (path, value, faults) => {
  if (typeof (value as MeterProvider | null)?.getMeter !== 'function')
    faults.push({ path, message: `is ${shown(value)}; use the MeterProvider of an OpenTelemetry SDK` });
};

const metricProducer: Check = (path, value, faults) => {
  if (!(value instanceof GrpcLbMetricProducer))
    faults.push({ path, message: `is ${shown(value)}; use a new GrpcLbMetricProducer()` });
};

/** The checks of where metrics go. */
export const DESTINATION_CHECKS = { meterProvider, metricProducer };

const checkFields = fields({ ...METRICS_CHECKS, ...DESTINATION_CHECKS });

/** Checks that only one destination is given. */
export const oneDestination: Check = (path, value, faults) => {
  const { meterProvider: instruments, metricProducer: producer } = value as ObserveMetricsOptions;
  if (instruments !== undefined && producer !== undefined)
    faults.push({ path: `${path}metricProducer`, message: 'is set together with meterProvider; remove one of them' });
};

/**
 * Records the metrics of clients with OpenTelemetry. `GrpcLbOpenTelemetryModule` does it for all clients of an
 * application; this is for clients without Nest.
 *
 * @example
 *   const stop = observeMetrics(createBalancedChannel({ name: 'ORDERS', target, credentials }));
 *
 * @param clients A channel, a client, or `GrpcLbRegistry` for all clients of an application.
 * @returns A function that ends it.
 * @throws GrpcLbOptionsError that lists all faults; if the same provider or producer measures some of these clients already.
 */
export function observeMetrics(clients: MetricsSource, options: ObserveMetricsOptions = {}): () => void {
  requireClients(clients);
  const faults: Fault[] = [];
  checkFields('', options, faults);
  if (faults.length === 0) oneDestination('', options, faults);
  if (faults.length > 0) throw new GrpcLbOptionsError('observeMetrics', faults);
  const { metricProducer: producer, meterProvider: provider } = options;
  const release = measuredOnce(clients, producer ?? provider);
  const effective = effectiveMetricsOptions(options);
  const recorder = producer ? undefined : new MetricsRecorder(clients, effective, provider);
  const stop = recorder ? () => recorder.close() : producer!.add(clients, effective);
  return () => {
    stop();
    release();
  };
}

const measuredClients = new WeakMap<MeterProvider, MeasuredClients>();

/** The clients that a provider measures: each callback observes their sum. */
function measuredBy(provider: MeterProvider): MeasuredClients {
  let found = measuredClients.get(provider);
  // An SDK keeps the last value of each series.
  if (!found) measuredClients.set(provider, (found = new MeasuredClients('all')));
  return found;
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
    const instruments = new OtelInstruments(provider.getMeter(METER_NAME, VERSION), this.options);
    const metrics = new ClientMetrics(this.clients, this.options, instruments);
    const measured = measuredBy(provider);
    const leave = measured.add(metrics);
    const stop = instruments.observe(() => measured.collect());
    this.#stopObserving = () => {
      stop();
      leave();
    };
    return (this.#metrics = metrics);
  }
}
