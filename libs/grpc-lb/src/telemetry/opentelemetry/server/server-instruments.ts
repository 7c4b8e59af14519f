import type { Meter, MeterProvider } from '@opentelemetry/api';
import type { MetricDefinition } from '../../metrics/definition.js';
import { ObservedServers } from '../../metrics/observed-servers.js';
import {
  SERVER_METRICS,
  SERVER_TLS_METRICS,
  type ServerCallMetricName,
  type ServerTlsMetricName,
} from '../../metrics/server-metrics.js';
import type { ServerLabels } from '../../metrics/server-recorder.js';
import type { ObservedServer } from '../../../server/server-observer.js';
import { VERSION } from '../../version.js';
import { LateProvider } from '../metrics/late-provider.js';
import { METER_NAME } from '../metrics/meter-name.js';

type Take = (value: number, labels: ServerLabels) => void;
type Instruments = Readonly<Record<ServerCallMetricName, Take>>;

/**
 * The servers whose certificates a provider measures: each value is that of all of them together, and an observable
 * instrument that is created twice has the value that is observed last.
 */
const measured = new WeakMap<MeterProvider, ObservedServers>();

/** A server whose certificates are measured as soon as there is a provider. */
interface Attached {
  readonly server: ObservedServer;
  leave?: () => void;
}

/** The instruments of a server's metrics, from the first call on that finds a meter provider. */
export class ServerInstruments {
  readonly #attached = new Set<Attached>();
  readonly #provider: LateProvider;
  #measured: ObservedServers | undefined;
  #all: Instruments | undefined;

  constructor(given: MeterProvider | undefined) {
    this.#provider = new LateProvider(given);
  }

  /** Measures its certificates; returns what ends that. */
  attached(server: ObservedServer): () => void {
    const each: Attached = { server };
    this.#attached.add(each);
    if (this.#measured) each.leave = this.#measured.add(server);
    else this.#create();
    return () => {
      this.#attached.delete(each);
      each.leave?.();
    };
  }

  take(metric: ServerCallMetricName, value: number, labels: ServerLabels): void {
    const all = this.#all ?? this.#create();
    if (all) all[metric](value, labels);
  }

  #create(): Instruments | undefined {
    const provider = this.#provider.get();
    if (!provider) return undefined;
    const meter = provider.getMeter(METER_NAME, VERSION);
    let servers = measured.get(provider);
    if (!servers) {
      measured.set(provider, (servers = new ObservedServers()));
      for (const name of Object.keys(SERVER_TLS_METRICS) as ServerTlsMetricName[]) read(meter, name, servers);
    }
    this.#measured = servers;
    for (const each of this.#attached) each.leave = servers.add(each.server);
    const entries = Object.entries(SERVER_METRICS)
      .filter(([name]) => !(name in SERVER_TLS_METRICS))
      .map(([name, definition]) => [name, take(meter, name, definition)]);
    return (this.#all = Object.fromEntries(entries) as Instruments);
  }
}

function read(meter: Meter, name: ServerTlsMetricName, servers: ObservedServers): void {
  const { kind, unit, description } = SERVER_TLS_METRICS[name];
  const options = { unit, description };
  const observed =
    kind === 'counter' ? meter.createObservableCounter(name, options) : meter.createObservableGauge(name, options);
  observed.addCallback((result) => {
    for (const { labels, value } of servers.samples(name)) result.observe(value, labels);
  });
}

function take(meter: Meter, name: string, { kind, unit, description, buckets }: MetricDefinition): Take {
  if (kind === 'counter') {
    const counter = meter.createCounter(name, { unit, description });
    return (value, labels) => counter.add(value, labels);
  }
  const advice = { explicitBucketBoundaries: [...buckets!] };
  const histogram = meter.createHistogram(name, { unit, description, advice });
  return (value, labels) => histogram.record(value, labels);
}
