import { CallMetrics } from './call-metrics.js';
import { Collection } from './collection.js';
import type { MethodNaming } from './client-series.js';
import { Counters } from './counters.js';
import { METRICS } from './metrics.js';
import type { EffectiveMetricsOptions } from './metrics-options.js';
import { type MetricsSource, snapshotsOf } from './metrics-source.js';
import type { SeriesSource } from './method-series.js';
import { type Histograms, NO_SERIES } from './series.js';
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
    const source: SeriesSource = {
      counters: this.#counters,
      histogram: (name, labels) =>
        options.isEnabled(name) ? histograms.series(name, labels, options.bucketsOf(name)) : NO_SERIES,
      context: () => histograms.context(),
    };
    this.calls = new CallMetrics(source, namingOf(options), now);
  }

  /** The values of counters and gauges now, with one snapshot of each client. */
  collect(into = new Collection()): Collection {
    const [now, epoch] = [this.now(), Date.now()];
    const add: Collection['add'] = (name, labels, value) => {
      if (this.options.isEnabled(name)) into.add(name, labels, value);
    };
    // Of clients that are closed: others may have the same series, whose sum would be lower without them.
    const addCounter: Collection['add'] = (name, labels, value) => {
      if (METRICS[name].kind === 'counter') add(name, labels, value);
    };
    for (const snapshot of snapshotsOf(this.clients)) {
      const { client, target } = snapshot;
      const closed = snapshot.state === 'shutdown';
      this.calls.client(client, target);
      let state = this.#states.get(client);
      if (!state) this.#states.set(client, (state = new StateMetrics(this.options)));
      state.collect(snapshot, closed ? addCounter : add, now, epoch);
    }
    this.#counters.collect(add);
    return into;
  }
}

function namingOf({ detail, methodAttributeFilter }: EffectiveMetricsOptions): MethodNaming {
  if (detail === 'compact') return () => false;
  // gRFC A66: "unregistered/generic method names should by default be reported with "other" value instead".
  return (method, declared) => declared || (methodAttributeFilter?.(method) ?? false);
}
