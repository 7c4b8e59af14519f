import type { ObservedServer } from '../../server/server-observer.js';
import type { ServerTlsSnapshot } from '../../core/snapshot.js';
import type { Sample } from './collection.js';
import { keyOf, type Labels } from './series.js';
import type { ServerTlsMetricName } from './server-metrics.js';

const TWICE =
  'A GrpcServer has two observers that record its metrics in the same place, so every call counts twice; ' +
  'keep one GrpcServerTelemetry or GrpcServerMetrics of it';

/** The servers that are measured in one place, a registry or a provider. */
export class ObservedServers {
  readonly #servers: ObservedServer[] = [];

  /** Returns what removes it. */
  add(server: ObservedServer): () => void {
    if (this.#servers.includes(server)) process.emitWarning(TWICE, 'GrpcLbWarning');
    this.#servers.push(server);
    let removed = false;
    return () => {
      if (!removed) this.#servers.splice(this.#servers.indexOf(server), 1);
      removed = true;
    };
  }

  /** The series of a metric; none if no server has certificates, or the metric does not apply to those that have. */
  samples(metric: ServerTlsMetricName): Iterable<Sample> {
    const samples = new Map<string, Sample>();
    for (const server of new Set(this.#servers)) {
      for (const [labels, value] of valuesOf(metric, server)) {
        const key = keyOf(labels);
        const sample = samples.get(key);
        if (sample) sample.value = COMBINE[metric](sample.value, value);
        else samples.set(key, { key, labels, value });
      }
    }
    return samples.values();
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
