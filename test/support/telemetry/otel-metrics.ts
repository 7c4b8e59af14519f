import {
  type DataPoint,
  type Histogram,
  MeterProvider,
  type MetricData,
  MetricReader,
} from '@opentelemetry/sdk-metrics';
import { closeWithTest } from '../run/close-with-test.js';

class ManualReader extends MetricReader {
  protected async onForceFlush(): Promise<void> {}
  protected async onShutdown(): Promise<void> {}
}

type Labels = Record<string, unknown>;

/** OpenTelemetry's SDK, whose metrics a test reads when it wants. It ends with the test. */
export class OtelMetrics {
  readonly #reader = new ManualReader();
  readonly provider = new MeterProvider({ readers: [this.#reader] });
  #metrics: readonly MetricData[] = [];

  constructor() {
    closeWithTest(() => this.provider.shutdown());
  }

  /** Collects; the other methods show what was collected last. */
  async collect(): Promise<this> {
    const { resourceMetrics, errors } = await this.#reader.collect();
    if (errors.length > 0) throw new AggregateError(errors);
    this.#metrics = resourceMetrics.scopeMetrics.flatMap(({ metrics }) => metrics);
    return this;
  }

  get scopes(): Promise<unknown[]> {
    return this.#reader.collect().then(({ resourceMetrics }) => resourceMetrics.scopeMetrics.map(({ scope }) => scope));
  }

  get names(): string[] {
    return this.#metrics.filter(({ dataPoints }) => dataPoints.length > 0).map(({ descriptor }) => descriptor.name);
  }

  data(name: string): MetricData | undefined {
    return this.#metrics.find(({ descriptor }) => descriptor.name === name);
  }

  /** The values of a metric by some of its labels; the number of values of a histogram. */
  values(name: string, ...labels: string[]): Record<string, number> {
    const points = this.#points(name);
    return Object.fromEntries(
      points.map(({ attributes, value }) => [
        labels.map((label) => String(attributes[label])).join(' '),
        typeof value === 'number' ? value : value.count,
      ]),
    );
  }

  /** The only value of a metric; undefined if there is none. */
  value(name: string): number | undefined {
    const values = Object.values(this.values(name));
    if (values.length > 1) throw new Error(`${name} has ${values.length} values`);
    return values[0];
  }

  /** The series of a histogram with these labels. */
  histogram(name: string, labels: Labels = {}): Histogram {
    const found = this.#points(name).filter(({ attributes }) =>
      Object.entries(labels).every(([label, value]) => attributes[label] === value),
    );
    if (found.length !== 1) throw new Error(`${name} has ${found.length} series with ${JSON.stringify(labels)}`);
    return found[0]!.value as Histogram;
  }

  /** The labels of each series of a metric. */
  labels(name: string): Labels[] {
    return this.#points(name).map(({ attributes }) => attributes);
  }

  #points(name: string): readonly DataPoint<number | Histogram>[] {
    return (this.data(name)?.dataPoints ?? []) as readonly DataPoint<number | Histogram>[];
  }
}
