import type { ObservedServer } from '../../server/server-observer.js';
import type { ServerTlsSnapshot } from '../../core/snapshot.js';
import type { Sample } from './collection.js';
import { keyOf, type Labels } from './series.js';
import { SERVER_TLS_METRICS, type ServerTlsMetricName } from './server-metrics.js';

const TWICE =
  'A GrpcServer has two observers that record its metrics in the same place, so every call counts twice; ' +
  'keep one GrpcServerTelemetry or GrpcServerMetrics of it';

/** The servers that are measured in one place, a registry or a provider. */
export class ObservedServers {
  readonly #servers: ObservedServer[] = [];
  /** The counters of servers that are gone: a sum without them would be lower, which is a new start to who reads it. */
  readonly #gone = new Map<ServerTlsMetricName, Map<string, Sample>>();
  readonly #known = new WeakSet<ObservedServer>();

  /** Returns what removes it. */
  add(server: ObservedServer): () => void {
    if (this.#servers.includes(server)) process.emitWarning(TWICE, 'GrpcLbWarning');
    // Its counters have been counted, and go on.
    else if (this.#known.has(server)) this.#keep(server, -1);
    this.#known.add(server);
    this.#servers.push(server);
    let removed = false;
    return () => {
      if (removed) return;
      removed = true;
      this.#servers.splice(this.#servers.indexOf(server), 1);
      if (!this.#servers.includes(server)) this.#keep(server, 1);
    };
  }

  /** The series of a metric; none if no server has certificates, or the metric does not apply to those that have. */
  samples(metric: ServerTlsMetricName): Iterable<Sample> {
    const samples = new Map<string, Sample>();
    for (const server of new Set(this.#servers)) addValues(metric, server, samples);
    const gone = this.#gone.get(metric);
    // A series that no server has any more may begin anew.
    for (const [key, { value }] of gone ?? []) {
      const sample = samples.get(key);
      if (sample) sample.value += value;
      else gone!.delete(key);
    }
    return samples.values();
  }

  /** Adds the counters of a server to those that are gone, or takes them off. */
  #keep(server: ObservedServer, sign: 1 | -1): void {
    for (const metric of COUNTERS) {
      const gone = this.#gone.get(metric) ?? new Map<string, Sample>();
      this.#gone.set(metric, gone);
      addValues(metric, server, gone, sign);
    }
  }
}

const sum = (a: number, b: number): number => a + b;

const COMBINE: Readonly<Record<ServerTlsMetricName, (a: number, b: number) => number>> = {
  'grpc.server.tls.handshakes': sum,
  'grpc.lb.server.tls.certificate.time_left': Math.min,
  'grpc.lb.server.tls.certificate.expiring': Math.max,
  'grpc.lb.server.tls.authorities.time_left': Math.min,
  'grpc.lb.server.tls.certificates.up': Math.min,
  'grpc.lb.server.tls.rotations': sum,
  'grpc.lb.server.tls.rejections': sum,
  'grpc.lb.server.tls.handshakes_refused': sum,
};

const COUNTERS = (Object.keys(SERVER_TLS_METRICS) as ServerTlsMetricName[]).filter(
  (metric) => SERVER_TLS_METRICS[metric].kind === 'counter',
);

function addValues(
  metric: ServerTlsMetricName,
  server: ObservedServer,
  samples: Map<string, Sample>,
  sign: 1 | -1 = 1,
): void {
  for (const [labels, unsigned] of valuesOf(metric, server)) {
    const [key, value] = [keyOf(labels), sign * unsigned];
    const sample = samples.get(key);
    if (sample) sample.value = COMBINE[metric](sample.value, value);
    else samples.set(key, { key, labels, value });
  }
}

type Value = readonly [labels: Labels, value: number];

function valuesOf(metric: ServerTlsMetricName, server: ObservedServer): Value[] {
  const tls = server.tls();
  if (tls === null) return [];
  if (metric === 'grpc.server.tls.handshakes')
    return Object.entries(tls.handshakes).map(([result, count]) => [{ 'grpc.tls.handshake.result': result }, count]);
  const value = valueOf(metric, tls);
  return value === undefined ? [] : [[{}, value]];
}

type Unlabeled = Exclude<ServerTlsMetricName, 'grpc.server.tls.handshakes'>;

function valueOf(metric: Unlabeled, tls: ServerTlsSnapshot): number | undefined {
  switch (metric) {
    case 'grpc.lb.server.tls.certificate.time_left':
      return tls.expiresInMs === null ? undefined : tls.expiresInMs / 1000;
    case 'grpc.lb.server.tls.certificate.expiring':
      return tls.expires === null ? undefined : Number(tls.expiring);
    case 'grpc.lb.server.tls.authorities.time_left':
      return tls.authoritiesExpire === null ? undefined : (tls.authoritiesExpire - Date.now()) / 1000;
    case 'grpc.lb.server.tls.certificates.up':
      return Number(tls.state === 'ok');
    case 'grpc.lb.server.tls.rotations':
      return tls.rotations;
    case 'grpc.lb.server.tls.rejections':
      return tls.rejections;
    case 'grpc.lb.server.tls.handshakes_refused':
      return tls.refusedHandshakes;
  }
}
