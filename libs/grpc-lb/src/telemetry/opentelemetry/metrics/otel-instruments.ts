import {
  type BatchObservableCallback,
  context,
  type Context,
  type Histogram,
  type Meter,
  type Observable,
} from '@opentelemetry/api';
import type { Collection } from '../../metrics/collection.js';
import type { MetricDefinition } from '../../metrics/definition.js';
import type { EffectiveMetricsOptions } from '../../metrics/metrics-options.js';
import { type MetricName, METRICS } from '../../metrics/metrics.js';
import type { Histograms, HistogramSeries, Labels } from '../../metrics/series.js';
import { BatchedValues } from './batched-values.js';

/** The metrics of this package as instruments of OpenTelemetry. */
export class OtelInstruments implements Histograms {
  readonly #histograms = new Map<MetricName, Histogram>();
  readonly #observables = new Map<MetricName, Observable>();
  readonly #values = new BatchedValues();

  /** @param options Which metrics are wanted, as the others have no instrument, and with which buckets. */
  constructor(
    private readonly meter: Meter,
    { isEnabled, bucketsOf }: Pick<EffectiveMetricsOptions, 'isEnabled' | 'bucketsOf'>,
  ) {
    for (const [name, definition] of Object.entries(METRICS) as [MetricName, MetricDefinition][]) {
      if (!isEnabled(name)) continue;
      if (definition.kind === 'histogram')
        this.#histograms.set(name, createHistogram(meter, name, definition, bucketsOf(name)));
      else this.#observables.set(name, createObservable(meter, name, definition));
    }
  }

  series(name: MetricName, labels: Labels): HistogramSeries {
    const histogram = this.#histograms.get(name)!;
    if (this.#observables.size > 0) return this.#values.series(histogram, labels);
    // Without an observable metric the SDK would not ask for values before it collects.
    return { record: (value, ofCall) => histogram.record(value, labels, ofCall as Context | undefined) };
  }

  /** An SDK takes exemplars from the context of a call, and its attribute processors may read it. */
  context(): Context {
    return context.active();
  }

  /** Observes counters and gauges at each collection, and hands over what was recorded. Returns a function that ends it. */
  observe(collect: () => Collection): () => void {
    const callback: BatchObservableCallback = (result) => {
      this.#values.flush();
      for (const [name, { labels, value }] of collect()) {
        const instrument = this.#observables.get(name);
        if (instrument) result.observe(instrument, value, labels);
      }
    };
    const all = [...this.#observables.values()];
    this.meter.addBatchObservableCallback(callback, all);
    return () => {
      this.meter.removeBatchObservableCallback(callback, all);
      this.#values.flush();
    };
  }
}

function createHistogram(
  meter: Meter,
  name: string,
  { unit, description }: MetricDefinition,
  buckets: readonly number[],
): Histogram {
  return meter.createHistogram(name, { unit, description, advice: { explicitBucketBoundaries: [...buckets] } });
}

function createObservable(meter: Meter, name: string, { kind, unit, description }: MetricDefinition): Observable {
  switch (kind) {
    case 'counter':
      return meter.createObservableCounter(name, { unit, description });
    case 'up_down_counter':
      return meter.createObservableUpDownCounter(name, { unit, description });
    default:
      return meter.createObservableGauge(name, { unit, description });
  }
}
