import type { Meter, MeterProvider } from '@opentelemetry/api';
import type { MetricDefinition } from '../../metrics/definition.js';
import { SERVER_METRICS, type ServerMetricName } from '../../metrics/server-metrics.js';
import type { ServerLabels } from '../../metrics/server-recorder.js';
import { VERSION } from '../../version.js';
import { LateProvider } from '../metrics/late-provider.js';
import { METER_NAME } from '../metrics/meter-name.js';

type Take = (value: number, labels: ServerLabels) => void;
type Instruments = Readonly<Record<ServerMetricName, Take>>;

/** The instruments of a server's metrics, from the first call on that finds a meter provider. */
export class ServerInstruments {
  readonly #provider: LateProvider;
  #all: Instruments | undefined;

  constructor(given: MeterProvider | undefined) {
    this.#provider = new LateProvider(given);
  }

  take(metric: ServerMetricName, value: number, labels: ServerLabels): void {
    const all = this.#all ?? this.#create();
    if (all) all[metric](value, labels);
  }

  #create(): Instruments | undefined {
    const meter = this.#provider.get()?.getMeter(METER_NAME, VERSION);
    if (!meter) return undefined;
    const entries = Object.entries(SERVER_METRICS).map(([name, definition]) => [name, take(meter, name, definition)]);
    return (this.#all = Object.fromEntries(entries) as Instruments);
  }
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
