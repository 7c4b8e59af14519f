import { type MeterProvider, metrics } from '@opentelemetry/api';
import { GrpcLbOptionsError } from '../../../core/errors.js';
import type { MetricsSource } from '../../metrics/metrics-source.js';
import { GrpcLbMetricProducer } from './metric-producer.js';

/** What records metrics: a producer, a given provider, or the one that is registered now or later. */
type Destination = GrpcLbMetricProducer | MeterProvider | typeof REGISTERED;

const REGISTERED = 'the registered MeterProvider';

const measured = new WeakMap<MetricsSource, Set<Destination>>();

const BY_TWO =
  'Clients are measured by a GrpcLbMetricProducer and by another destination: a reader that exports both ' +
  'counts every call twice. Keep one of them, unless different readers export them';

/**
 * Notes that a destination measures these clients; returns what ends that.
 *
 * @throws GrpcLbOptionsError if it does already: an SDK would count every call twice.
 */
export function measuredOnce(
  clients: MetricsSource,
  given: MeterProvider | GrpcLbMetricProducer | undefined,
): () => void {
  const destination = given === undefined || given === metrics.getMeterProvider() ? REGISTERED : given;
  const all = measured.get(clients) ?? new Set();
  if (all.has(destination))
    throw new GrpcLbOptionsError('observeMetrics', [
      {
        path: 'clients',
        message:
          'are measured already, by the same provider or producer, as GrpcLbOpenTelemetryModule measures those of ' +
          'GrpcLbRegistry; remove one of the two, because each call would count twice',
      },
    ]);
  // Which provider exports a producer, only its readers know.
  if (all.size > 0 && [destination, ...all].some((each) => each instanceof GrpcLbMetricProducer))
    process.emitWarning(BY_TWO, 'GrpcLbWarning');
  measured.set(clients, all.add(destination));
  let ended = false;
  return (): void => {
    // A second call must not end what came later.
    if (!ended) all.delete(destination);
    ended = true;
  };
}
