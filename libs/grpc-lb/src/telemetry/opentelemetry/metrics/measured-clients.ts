import type { MeterProvider } from '@opentelemetry/api';
import type { ClientMetrics } from '../../metrics/client-metrics.js';
import { Collection, type Sample } from '../../metrics/collection.js';
import { type MetricName, METRICS } from '../../metrics/metrics.js';

const measured = new WeakMap<MeterProvider, MeasuredClients>();

/**
 * The clients that one provider measures. Those of one target have the same series, and an SDK takes a lower value of a
 * counter that is observed after a higher one for a new start. So only their sum may be observed, however many callbacks
 * observe it.
 */
export class MeasuredClients {
  /** With the values of the last collection. */
  readonly #clients = new Map<ClientMetrics, Collection>();
  /** The counters of clients that are not measured any more: a sum without them would be lower. */
  readonly #gone = new Collection();
  /** The values of the collection that runs. */
  #collection: Collection | undefined;

  static of(provider: MeterProvider): MeasuredClients {
    let found = measured.get(provider);
    if (!found) measured.set(provider, (found = new MeasuredClients()));
    return found;
  }

  /** Returns what removes them. */
  add(clients: ClientMetrics): () => void {
    this.#clients.set(clients, new Collection());
    return () => {
      if (!this.#clients.has(clients)) return;
      addCounters(this.#valuesOf(clients), this.#gone);
      this.#clients.delete(clients);
    };
  }

  /** An SDK calls all callbacks in one turn, so that one snapshot of each client is enough. */
  collect(): Collection {
    if (this.#collection) return this.#collection;
    const collection = (this.#collection = new Collection());
    addCounters(this.#gone, collection);
    for (const clients of this.#clients.keys()) {
      const values = this.#valuesOf(clients);
      for (const [name, { labels, value }] of values) collection.add(name, labels, value);
      this.#clients.set(clients, values);
    }
    queueMicrotask(() => (this.#collection = undefined));
    return collection;
  }

  /** With the counters of clients that have been closed since the last collection. */
  #valuesOf(clients: ClientMetrics): Collection {
    const values = clients.collect();
    addCounters(this.#clients.get(clients)!, values, (name, sample) => !values.has(name, sample));
    return values;
  }
}

function addCounters(
  from: Collection,
  to: Collection,
  wanted: (name: MetricName, sample: Sample) => boolean = () => true,
): void {
  for (const [name, sample] of from)
    if (METRICS[name].kind === 'counter' && wanted(name, sample)) to.add(name, sample.labels, sample.value);
}
