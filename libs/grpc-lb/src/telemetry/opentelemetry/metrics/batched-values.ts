import type { Context, Histogram } from '@opentelemetry/api';
import type { HistogramSeries, Labels } from '../../metrics/series.js';

/** The most values that a series keeps. Larger batches are hardly cheaper, and keep more contexts of calls. */
const MOST = 128;
/** How long values wait at most, for a provider that passes on each value and does not collect. */
const LONGEST_MS = 1000;

/**
 * Hands values to the instruments of an SDK in batches: each value costs the SDK a hash of its labels, which takes twice
 * as long between the other work of a call as a hundred times in a row. Nothing is late for an SDK, because `flush` is
 * called before it collects.
 */
export class BatchedValues {
  readonly #waiting = new Set<BatchedSeries>();
  #timer: NodeJS.Timeout | undefined;

  series(histogram: Histogram, labels: Labels): HistogramSeries {
    return new BatchedSeries(histogram, labels, this.#begun);
  }

  flush(): void {
    clearTimeout(this.#timer);
    this.#timer = undefined;
    const waiting = [...this.#waiting];
    this.#waiting.clear();
    for (const series of waiting) series.flush();
  }

  readonly #begun = (series: BatchedSeries): void => {
    this.#waiting.add(series);
    this.#timer ??= setTimeout(() => this.flush(), LONGEST_MS).unref();
  };
}

class BatchedSeries implements HistogramSeries {
  readonly #values: number[] = [];
  /** The context of each value, from which an SDK takes exemplars. */
  readonly #contexts: unknown[] = [];

  constructor(
    private readonly histogram: Histogram,
    private readonly labels: Labels,
    private readonly begun: (series: BatchedSeries) => void,
  ) {}

  record(value: number, ofCall: unknown): void {
    this.#contexts.push(ofCall);
    const count = this.#values.push(value);
    if (count === 1) this.begun(this);
    if (count === MOST) this.flush();
  }

  flush(): void {
    const { histogram, labels } = this;
    const [values, contexts] = [this.#values.splice(0), this.#contexts.splice(0)];
    for (let i = 0; i < values.length; i++) histogram.record(values[i]!, labels, contexts[i] as Context | undefined);
  }
}
