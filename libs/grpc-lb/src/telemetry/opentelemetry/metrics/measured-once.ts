import { type MeterProvider, metrics } from '@opentelemetry/api';
import { GrpcLbOptionsError } from '../../../core/errors.js';
import { type MetricsSource, overlap } from '../../metrics/metrics-source.js';
import { GrpcLbMetricProducer } from './metric-producer.js';

/** What records metrics: a producer, a given provider, or the one that is registered now or later. */
type Destination = GrpcLbMetricProducer | MeterProvider | typeof REGISTERED;

const REGISTERED = 'the registered MeterProvider';

/** What each destination measures. */
const measured = new Map<Destination, Set<MetricsSource>>();

const BY_TWO =
  'Clients are measured by a GrpcLbMetricProducer and by another destination: a reader that exports both ' +
  'counts every call twice. Keep one of them, unless different readers export them';

const MEASURED =
  'are measured already, or some of them, by the same provider or producer, as GrpcLbOpenTelemetryModule measures ' +
  'those of GrpcLbRegistry; remove one of the two, because each call would count twice';

/**
 * Notes that a destination measures these clients; returns what ends that.
 *
 * @throws GrpcLbOptionsError if it measures some of them already: an SDK would count every call twice.
 */
export function measuredOnce(
  clients: MetricsSource,
  given: MeterProvider | GrpcLbMetricProducer | undefined,
): () => void {
  const destination = given === undefined || given === metrics.getMeterProvider() ? REGISTERED : given;
  const others = [...measured].filter(([, all]) => [...all].some((each) => overlap(each, clients)));
  const destinations = [destination, ...others.map(([other]) => other)];
  if (destinations.lastIndexOf(destination) > 0)
    throw new GrpcLbOptionsError('observeMetrics', [{ path: 'clients', message: MEASURED }]);
  // Which provider exports a producer, only its readers know.
  if (others.length > 0 && destinations.some((each) => each instanceof GrpcLbMetricProducer))
    process.emitWarning(BY_TWO, 'GrpcLbWarning');
  const all = measured.get(destination) ?? new Set();
  measured.set(destination, all.add(clients));
  let ended = false;
  return (): void => {
    // A second call must not end what came later.
    if (ended) return;
    ended = true;
    all.delete(clients);
    if (all.size === 0) measured.delete(destination);
  };
}
