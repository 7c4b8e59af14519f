import type { MeterProvider } from '@opentelemetry/api';
import type { ClientMetrics } from '../../metrics/client-metrics.js';
import { Collection } from '../../metrics/collection.js';
import { METRICS } from '../../metrics/metrics.js';

const measured = new WeakMap<MeterProvider, MeasuredClients>();

/**
 * The clients that one provider measures. Those of one target have the same series, and an SDK takes a lower value of a
 * counter that is observed after a higher one for a new start. So only their sum may be observed, however many callbacks
 * observe it.
 */
export class MeasuredClients {
  readonly #clients = new Set<ClientMetrics>();
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
    this.#clients.add(clients);
    return () => {
      if (this.#clients.delete(clients)) addCounters(clients.collect(), this.#gone);
    };
  }

  /** An SDK calls all callbacks in one turn, so that one snapshot of each client is enough. */
  collect(): Collection {
    if (this.#collection) return this.#collection;
    const collection = (this.#collection = new Collection());
    addCounters(this.#gone, collection);
    for (const clients of this.#clients) clients.collect(collection);
    queueMicrotask(() => (this.#collection = undefined));
    return collection;
  }
}

function addCounters(from: Collection, to: Collection): void {
  for (const [name, { labels, value }] of from) if (METRICS[name].kind === 'counter') to.add(name, labels, value);
}
