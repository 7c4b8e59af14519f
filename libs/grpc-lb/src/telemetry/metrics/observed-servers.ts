import type { ObservedServer } from '../../server/server-observer.js';
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

  /** Undefined if no server has certificates, or the metric does not apply to those that have. */
  value(metric: ServerTlsMetricName): number | undefined {
    let total: number | undefined;
    for (const server of new Set(this.#servers)) {
      const value = valueOf(metric, server);
      if (value === undefined) continue;
      total = total === undefined ? value : COMBINE[metric](total, value);
    }
    return total;
  }
}

const sum = (a: number, b: number): number => a + b;

const COMBINE: Readonly<Record<ServerTlsMetricName, (a: number, b: number) => number>> = {
  'grpc.lb.server.tls.certificate.time_left': Math.min,
  'grpc.lb.server.tls.certificate.expiring': Math.max,
  'grpc.lb.server.tls.authorities.time_left': Math.min,
  'grpc.lb.server.tls.certificates.up': Math.min,
  'grpc.lb.server.tls.rotations': sum,
  'grpc.lb.server.tls.rejections': sum,
  'grpc.lb.server.tls.handshakes_refused': sum,
};

function valueOf(metric: ServerTlsMetricName, server: ObservedServer): number | undefined {
  const tls = server.tls();
  if (tls === null) return undefined;
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
