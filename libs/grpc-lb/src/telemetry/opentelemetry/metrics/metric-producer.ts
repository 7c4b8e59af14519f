import { type HrTime, ValueType } from '@opentelemetry/api';
import { BucketHistograms } from '../../metrics/bucket-histograms.js';
import type { BucketSeries } from '../../metrics/bucket-series.js';
import { ClientMetrics } from '../../metrics/client-metrics.js';
import type { Collection } from '../../metrics/collection.js';
import type { MetricDefinition, MetricKind } from '../../metrics/definition.js';
import { MeasuredClients } from '../../metrics/measured-clients.js';
import { type MetricName, METRICS } from '../../metrics/metrics.js';
import type { EffectiveMetricsOptions } from '../../metrics/metrics-options.js';
import type { MetricsSource } from '../../metrics/metrics-source.js';
import type { Labels } from '../../metrics/series.js';
import { VERSION } from '../../version.js';
import { METER_NAME } from './meter-name.js';

/** The numbers of the SDK's `DataPointType` and `AggregationTemporality`. */
const HISTOGRAM = 0;
const GAUGE = 2;
const SUM = 3;
const CUMULATIVE = 1;

/** One value of a metric, as an SDK exports it. */
export interface ProducedPoint<T> {
  /** When counting began. */
  readonly startTime: HrTime;
  /** When the value was read. */
  readonly endTime: HrTime;
  /** The labels. */
  readonly attributes: Record<string, string | number>;
  /** A number, or a histogram. */
  readonly value: T;
}

/** The value of one series of a histogram. */
export interface ProducedHistogram {
  /** How many values there were. */
  readonly count: number;
  /** Their sum. */
  readonly sum: number;
  /** How many values each bucket has; there is one more than bounds. */
  readonly buckets: {
    /** The upper bound of each bucket but the last, which has none. */
    readonly boundaries: number[];
    /** How many values are in each bucket. */
    readonly counts: number[];
  };
}

/** What all produced metrics have. */
export interface ProducedBase {
  /** What it is. */
  readonly descriptor: {
    /** As in `grpc.client.call.duration`. */
    readonly name: string;
    /** What it counts or measures. */
    readonly description: string;
    /** A unit of UCUM, as in `s` or `{call}`. */
    readonly unit: string;
    /** Whether its values are whole numbers. */
    readonly valueType: ValueType;
  };
  /** Cumulative: values are since the start. */
  readonly aggregationTemporality: typeof CUMULATIVE;
}

/** One metric, as an SDK exports it. */
export type ProducedMetric = ProducedBase &
  (
    | { readonly dataPointType: typeof SUM; readonly isMonotonic: boolean; dataPoints: ProducedPoint<number>[] }
    | { readonly dataPointType: typeof GAUGE; dataPoints: ProducedPoint<number>[] }
    | { readonly dataPointType: typeof HISTOGRAM; dataPoints: ProducedPoint<ProducedHistogram>[] }
  );

/** What an SDK gets from a producer. */
export interface ProducedMetrics {
  /** The metrics of this package, as one scope. */
  readonly resourceMetrics: {
    /** An SDK puts its own here. */
    readonly resource: never;
    /** One scope, with the name and version of this package. */
    scopeMetrics: { readonly scope: { readonly name: string; readonly version: string }; metrics: ProducedMetric[] }[];
  };
  /** Always empty. */
  readonly errors: unknown[];
}

/**
 * The metrics of clients, added up before an SDK sees them: a `MetricProducer` for the option `metricProducers` of a
 * metric reader. A value costs far less than in an instrument of the SDK; views, exemplars and delta
 * temporality do not apply.
 *
 * @example
 *   const producer = new GrpcLbMetricProducer();
 *   new PeriodicExportingMetricReader({ exporter, metricProducers: [producer] });
 *   GrpcLbOpenTelemetryModule.forRoot({ metricProducer: producer });
 */
export class GrpcLbMetricProducer {
  readonly #histograms = new BucketHistograms();
  readonly #clients = new MeasuredClients('shared');
  readonly #startTime = hrTime(Date.now());

  /** @internal Called by `observeMetrics`. */
  add(source: MetricsSource, options: EffectiveMetricsOptions): () => void {
    const clients = new ClientMetrics(source, options, this.#histograms);
    const remove = this.#clients.add(clients);
    const stopObserving = source.observe(clients.calls);
    return () => {
      stopObserving();
      remove();
    };
  }

  /** Called by the metric reader of an SDK. */
  async collect(): Promise<ProducedMetrics> {
    const collection = this.#clients.collect();
    const endTime = hrTime(Date.now());
    const metrics = (Object.entries(METRICS) as [MetricName, MetricDefinition][])
      .map(([name, definition]) => this.#metric(name, definition, collection, endTime))
      .filter(({ dataPoints }) => dataPoints.length > 0);
    const scopeMetrics = [{ scope: { name: METER_NAME, version: VERSION }, metrics }];
    return { resourceMetrics: { resource: undefined as never, scopeMetrics }, errors: [] };
  }

  #metric(name: MetricName, definition: MetricDefinition, collection: Collection, endTime: HrTime): ProducedMetric {
    const { kind, unit, description } = definition;
    const descriptor = { name, unit, description, valueType: ValueType.DOUBLE };
    const common = { descriptor, aggregationTemporality: CUMULATIVE } as const;
    const point = <T>(labels: Labels, value: T): ProducedPoint<T> => {
      const attributes = { ...labels };
      return { startTime: this.#startTime, endTime, attributes, value };
    };
    if (kind === 'histogram') {
      const dataPoints = Array.from(this.#histograms.of(name), (series) => point(series.labels, valueOf(series)));
      return { ...common, dataPointType: HISTOGRAM, dataPoints };
    }
    const dataPoints = Array.from(collection.samples(name), ({ labels, value }) => point(labels, value));
    return { ...common, ...typeOf(kind), dataPoints };
  }
}

function typeOf(kind: Exclude<MetricKind, 'histogram'>) {
  return kind === 'gauge'
    ? ({ dataPointType: GAUGE } as const)
    : ({ dataPointType: SUM, isMonotonic: kind === 'counter' } as const);
}

function valueOf({ counts, bounds, sum }: BucketSeries): ProducedHistogram {
  const all = [...counts];
  return {
    count: all.reduce((total, each) => total + each, 0),
    sum,
    buckets: { boundaries: [...bounds], counts: all },
  };
}

function hrTime(ms: number): HrTime {
  const seconds = Math.trunc(ms / 1000);
  return [seconds, (ms - seconds * 1000) * 1_000_000];
}
