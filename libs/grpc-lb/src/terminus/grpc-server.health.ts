import { Injectable } from '@nestjs/common';
import { type HealthIndicatorResult, HealthIndicatorService } from '@nestjs/terminus';
import { requireObject } from '../core/options/required.js';
import type { CertificateSnapshot } from '../core/snapshot.js';
import { certificateHealth, troubleOf } from './client-health.js';
import { healthResult } from './health-result.js';

/** A server whose certificates are watched: the `GrpcServer` of `nestjs-grpc-lb/server`. */
export interface CertifiedServer {
  /** Its certificates; null without the option `tls`. */
  tls(): CertificateSnapshot | null;
}

/**
 * Reports the certificates of a server to Terminus. `up` while they are good, and without TLS; `degraded` from
 * `expiryWarning` on before the certificate expires, and while new ones cannot be used. Never `down`: clients that are
 * connected go on also after it has expired.
 */
@Injectable()
export class GrpcServerHealthIndicator {
  /** @internal Nest creates it. */
  constructor(private readonly indicators: HealthIndicatorService) {}

  /**
   * The certificates of a server as a result of Terminus, with a `message`, and `CertificateHealth` as its details.
   *
   * @throws GrpcLbOptionsError if there is no server.
   */
  certificates<const Key extends string>(key: Key, server: CertifiedServer): HealthIndicatorResult<Key> {
    requireObject('GrpcServerHealthIndicator', 'server', server, 'the GrpcServer of nestjs-grpc-lb/server');
    const tls = server.tls();
    if (tls === null) return healthResult(this.indicators, key, 'up', { message: 'the server does not use TLS' });
    const trouble = troubleOf(tls).slice('; '.length);
    const message = trouble || 'the certificates are in force';
    return healthResult(this.indicators, key, trouble ? 'degraded' : 'up', { message, ...certificateHealth(tls) });
  }
}
