import { CallMetrics } from './call-metrics.js';
import { Collection } from './collection.js';
import { Counters } from './counters.js';
import type { MetricName } from './metrics.js';
import type { EffectiveMetricsOptions } from './metrics-options.js';
import { type MetricsSource, snapshotsOf } from './metrics-source.js';
import type { Histograms } from './series.js';
import { StateMetrics } from './state-metrics.js';

/** The metrics of some clients: histograms are recorded as calls end, everything else when it is collected. */
export class ClientMetrics {
  /** Must be told of the calls of the clients. */
  readonly calls: CallMetrics;
  readonly #counters = new Counters();
  readonly #states = new Map<string, StateMetrics>();

  constructor(
    readonly clients: MetricsSource,
    private readonly options: EffectiveMetricsOptions,
    histograms: Histograms,
    private readonly now: () => number = () => performance.now(),
  ) {
    const source = { histograms, counters: this.#counters, isEnabled: this.isEnabled };
    this.calls = new CallMetrics(source, options.methodAttributeFilter, now);
  }

  readonly isEnabled = (name: MetricName): boolean => this.options.instruments[name] ?? true;

  /** The values of counters and gauges now, with one snapshot of each client. */
  collect(into = new Collection()): Collection {
    const [now, epoch] = [this.now(), Date.now()];
    const add: Collection['add'] = (name, labels, value) => {
      if (this.isEnabled(name)) into.add(name, labels, value);
    };
    for (const snapshot of snapshotsOf(this.clients)) {
      const { client, target } = snapshot;
      this.calls.client(client, target);
      let state = this.#states.get(client);
      if (!state) this.#states.set(client, (state = new StateMetrics(this.options.maxAddresses)));
      state.collect(snapshot, add, now, epoch);
    }
    this.#counters.collect(add);
    return into;
  }
}
