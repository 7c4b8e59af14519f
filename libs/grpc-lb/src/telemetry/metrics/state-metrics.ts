import type {
  ClientSnapshot,
  ConnectionState,
  EndpointState,
  SourceSnapshot,
  TlsSnapshot,
} from '../../core/snapshot.js';
import { VERSION } from '../version.js';
import { canonicalTarget } from './canonical-target.js';
import type { Collection } from './collection.js';
import { FairnessWindow } from './fairness.js';
import { NamedAddresses } from './named-addresses.js';
import type { EffectiveMetricsOptions, MetricsDetail } from './metrics-options.js';
import type { Labels } from './series.js';
import { collectThrottles } from './throttle-metrics.js';
import { collectTotals } from './total-metrics.js';

type Add = Collection['add'];

/** The state of one client as metrics, from its snapshot at the moment of the collection. */
export class StateMetrics {
  readonly #fairness = new FairnessWindow();
  readonly #addresses: NamedAddresses | undefined;

  constructor(private readonly options: Pick<EffectiveMetricsOptions, 'detail' | 'maxAddresses'>) {
    const { maxAddresses } = options;
    if (maxAddresses > 0) this.#addresses = new NamedAddresses(maxAddresses);
  }

  /**
   * @param now In milliseconds, from any beginning.
   * @param epoch In milliseconds since the epoch.
   */
  collect(snapshot: ClientSnapshot, add: Add, now: number, epoch: number): void {
    const { client, state } = snapshot;
    const labels = { 'grpc.lb.client': client, 'grpc.target': canonicalTarget(snapshot.target) };
    add('grpc.lb.info', { ...labels, 'grpc.lb.policy': policyOf(snapshot), 'grpc.lb.version': VERSION }, 1);
    add('grpc.lb.client.ready', labels, Number(state === 'ready'));
    add('grpc.lb.client.failing', labels, Number(state === 'transient_failure'));
    add('grpc.lb.keepalive.enabled', labels, Number(snapshot.keepaliveTime !== null));
    if (snapshot.tls) collectTls(snapshot.tls, labels, add, epoch);
    for (const source of snapshot.sources) collectSource(source, labels, add, epoch);
    // Another library balances, and does not report how: zeros would be wrong.
    if (snapshot.loadBalancing === null) return;
    add('grpc.lb.panic', labels, Number(snapshot.panic));
    add('grpc.lb.in_flight', labels, snapshot.inFlight);
    collectEndpoints(snapshot, labels, add, this.options.detail);
    const fairness = this.#fairness.update(snapshot.endpoints, now, snapshot.zone);
    if (fairness) {
      add('grpc.lb.share.max', labels, fairness.max);
      add('grpc.lb.share.min', labels, fairness.min);
    }
    collectStreams(snapshot, labels, add);
    collectPriorities(snapshot, labels, add);
    collectTotals(snapshot, labels, add);
    collectThrottles(snapshot, labels, add);
    if (this.#addresses) collectAddresses(snapshot, labels, this.#addresses, add);
  }
}

/** With `xds:` the control plane decides, and does not report how. */
function policyOf({ loadBalancing }: ClientSnapshot): string {
  return loadBalancing?.policy.name ?? 'unknown';
}

/** The states that alerts look at over a time, so that a series must not have gaps; the others are left out at 0. */
const ALWAYS_THERE: ReadonlySet<string> = new Set<EndpointState>([
  'connecting',
  'ready',
  'not_serving',
  'suspect',
  'ejected',
  'transient_failure',
]);

function collectEndpoints({ endpoints }: ClientSnapshot, labels: Labels, add: Add, detail: MetricsDetail): void {
  const states: Record<EndpointState, number> = {
    connecting: 0,
    ready: 0,
    degraded: 0,
    not_serving: 0,
    suspect: 0,
    ejected: 0,
    transient_failure: 0,
    draining: 0,
  };
  const connections: Record<ConnectionState, number> = { connecting: 0, ready: 0, transient_failure: 0, retiring: 0 };
  let warming = 0;
  let most = 0;
  let notOffered = 0;
  for (const endpoint of endpoints) {
    states[endpoint.state]++;
    if (endpoint.state === 'ready' && endpoint.warmth < 1) warming++;
    if (endpoint.inFlight > most) most = endpoint.inFlight;
    for (const { state, health } of endpoint.connections) {
      connections[state]++;
      if (health === 'not_offered') notOffered++;
    }
  }
  for (const [state, count] of Object.entries(states))
    if (count > 0 || detail === 'full' || ALWAYS_THERE.has(state))
      add('grpc.lb.endpoints', { ...labels, 'grpc.lb.endpoint.state': state }, count);
  for (const [state, count] of Object.entries(connections))
    add('grpc.lb.connections', { ...labels, 'grpc.lb.connection.state': state }, count);
  add('grpc.lb.endpoints.warming', labels, warming);
  add('grpc.lb.endpoint.in_flight.max', labels, most);
  add('grpc.lb.connections.health_not_offered', labels, notOffered);
}

function collectTls(tls: TlsSnapshot, labels: Labels, add: Add, epoch: number): void {
  if (tls.expires !== null) {
    add('grpc.lb.tls.certificate.time_left', labels, (tls.expires - epoch) / 1000);
    add('grpc.lb.tls.certificate.expiring', labels, Number(tls.expiring));
  }
  if (tls.authoritiesExpire !== null)
    add('grpc.lb.tls.authorities.time_left', labels, (tls.authoritiesExpire - epoch) / 1000);
  add('grpc.lb.tls.certificates.up', labels, Number(tls.state === 'ok'));
  add('grpc.lb.tls.rotations', labels, tls.rotations);
  add('grpc.lb.tls.rejections', labels, tls.rejections);
  add('grpc.lb.tls.connections.outdated', labels, tls.outdatedConnections);
}

function collectSource(source: SourceSnapshot, client: Labels, add: Add, epoch: number): void {
  const labels = {
    ...client,
    'grpc.lb.discovery.target': canonicalTarget(source.target),
    'grpc.lb.discovery.kind': source.kind,
  };
  add('grpc.lb.discovery.up', labels, Number(source.state === 'ok'));
  if (source.lastUpdate !== null) add('grpc.lb.discovery.age', labels, Math.max(0, (epoch - source.lastUpdate) / 1000));
  add('grpc.lb.discovery.stale', labels, (source.staleForMs ?? 0) / 1000);
  add('grpc.lb.discovery.endpoints', labels, source.endpoints);
  if (source.kind === 'dns') add('grpc.lb.discovery.cluster_ip', labels, Number(source.clusterIp));
  add('grpc.lb.discovery.updates', labels, source.updates);
  add('grpc.lb.discovery.failures', labels, source.failures);
  add('grpc.lb.discovery.dropped', labels, source.dropped);
}

function collectPriorities({ priorities, sources, totals }: ClientSnapshot, client: Labels, add: Add): void {
  for (const { priority, share, crossZoneShare } of priorities) {
    const labels = { ...client, 'grpc.lb.priority': String(priority) };
    if (priorities.length > 1 || sources.length > 1) add('grpc.lb.priority.share', labels, share);
    if (crossZoneShare !== null) add('grpc.lb.zone.cross_share', labels, crossZoneShare);
  }
  if (priorities.length > 1 || sources.length > 1 || totals.failovers > 0)
    add('grpc.lb.failovers', client, totals.failovers);
}

/** Only of clients that have such streams, or have moved some. */
function collectStreams({ endpoints, totals: { streamMoves } }: ClientSnapshot, labels: Labels, add: Add): void {
  let [all, most, least, oldest] = [0, 0, Infinity, 0];
  for (const { state, streams } of endpoints) {
    all += streams.open;
    most = Math.max(most, streams.open);
    if (state === 'ready') least = Math.min(least, streams.open);
    oldest = Math.max(oldest, streams.oldestMs ?? 0);
  }
  const moves = Object.entries(streamMoves);
  if (all === 0 && moves.length === 0) return;
  add('grpc.lb.streams', labels, all);
  add('grpc.lb.endpoint.streams.max', labels, most);
  if (least !== Infinity) add('grpc.lb.endpoint.streams.min', labels, least);
  add('grpc.lb.streams.oldest', labels, oldest / 1000);
  for (const [reason, count] of moves) add('grpc.lb.stream_moves', { ...labels, 'grpc.lb.move_reason': reason }, count);
}

function collectAddresses({ endpoints }: ClientSnapshot, client: Labels, addresses: NamedAddresses, add: Add): void {
  const named = addresses.among(endpoints);
  for (const { address, inFlight, streams, started, failed, state, failureRate } of named) {
    const labels = { ...client, 'grpc.lb.endpoint.address': address };
    add('grpc.lb.endpoint.in_flight', labels, inFlight);
    add('grpc.lb.endpoint.attempts', labels, started);
    add('grpc.lb.endpoint.failures', labels, failed);
    add('grpc.lb.endpoint.ready', labels, Number(state === 'ready'));
    add('grpc.lb.endpoint.failure_rate', labels, failureRate);
    if (streams.open > 0) add('grpc.lb.endpoint.streams', labels, streams.open);
  }
  add('grpc.lb.addresses_omitted', client, endpoints.length - named.length);
}
