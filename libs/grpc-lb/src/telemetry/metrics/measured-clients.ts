import type { ClientMetrics } from './client-metrics.js';
import { Collection } from './collection.js';
import { METRICS } from './metrics.js';
import { overlap } from './metrics-source.js';

/** Which counters of clients that are not measured any more stay: all, or those of series that another client has. */
export type Outlasting = 'all' | 'shared';

/**
 * The clients that are measured in one place. Those of one target have the same series, and whoever reads a counter takes
 * a lower value after a higher one for a new start. So their sum counts, with those that are gone.
 */
export class MeasuredClients {
  readonly #clients = new Set<ClientMetrics>();
  /** The counters of clients that are not measured any more: a sum without them would be lower. */
  #gone = new Collection();
  readonly #known = new WeakSet<ClientMetrics['clients']>();
  /** The values of the collection that runs. */
  #collection: Collection | undefined;

  /**
   * @param outlasting A series that no client has any more may begin anew if nothing shows its last value; all stay where
   *   something does.
   */
  constructor(private readonly outlasting: Outlasting) {}

  get size(): number {
    return this.#clients.size;
  }

  /** Whether some of these clients are measured already. */
  has(clients: ClientMetrics['clients']): boolean {
    return [...this.#clients].some((each) => overlap(each.clients, clients));
  }

  /** Returns what removes them. */
  add(clients: ClientMetrics): () => void {
    // What has been counted of them goes on in their snapshots.
    if (this.#known.has(clients.clients)) addCounters(clients.collect(), this.#gone, -1);
    this.#known.add(clients.clients);
    this.#clients.add(clients);
    return () => {
      if (this.#clients.delete(clients)) addCounters(clients.collect(), this.#gone);
    };
  }

  /** The values now. A library reads all metrics in one turn, so that one snapshot of each client is enough. */
  collect(): Collection {
    if (this.#collection) return this.#collection;
    const collection = (this.#collection = new Collection());
    for (const clients of this.#clients) clients.collect(collection);
    if (this.outlasting === 'shared') this.#gone = sharedWith(collection, this.#gone);
    addCounters(this.#gone, collection);
    queueMicrotask(() => (this.#collection = undefined));
    return collection;
  }
}

function addCounters(from: Collection, to: Collection, sign: 1 | -1 = 1): void {
  for (const [name, { labels, value }] of from)
    if (METRICS[name].kind === 'counter') to.add(name, labels, sign * value);
}

/** Those of the counters whose series are in the collection too. */
function sharedWith(collection: Collection, counters: Collection): Collection {
  const shared = new Collection();
  for (const [name, sample] of counters)
    if (collection.has(name, sample)) shared.add(name, sample.labels, sample.value);
  return shared;
}
