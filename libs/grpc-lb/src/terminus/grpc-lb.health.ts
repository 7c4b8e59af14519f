import { Injectable } from '@nestjs/common';
import { type HealthIndicatorResult, HealthIndicatorService } from '@nestjs/terminus';

import { GrpcLbRegistry } from '../nest/registry.js';
import type { ClientRef } from '../nest/tokens.js';
import { type ClientHealth, healthOf } from './client-health.js';
import { type MinReady, readMinReady } from './min-ready.js';

/** Terminus does not export the name. */
type Session<Key extends string> = ReturnType<typeof HealthIndicatorService.prototype.check<Key>>;

export interface GrpcLbHealthOptions {
  /** The client, by its name or class. */
  readonly client: ClientRef;
  /**
   * How many endpoints must be well for the client not to be down: a whole number from 1, or a share of those that
   * discovery names, as in `'50%'` (rounded up, at least one). Default 1.
   */
  readonly minReady?: MinReady;
}

/**
 * Tells Terminus how the backends of a client are, from what the client knows: no call is made, and no channel opened.
 * `up` while all known endpoints are well and discovery answers, `degraded` while fewer are but still `minReady`, `down`
 * below that.
 *
 * For readiness think twice: a probe that fails when a backend is ill takes every instance of this application out of
 * service at the same moment, although none of them is ill. Never use it for liveness.
 */
@Injectable()
export class GrpcLbHealthIndicator {
  constructor(
    private readonly indicators: HealthIndicatorService,
    private readonly registry: GrpcLbRegistry,
  ) {}

  /**
   * @throws TypeError if `minReady` is neither a whole number from 1 nor a share from 1 % to 100 %.
   * @throws Error if there is no such client.
   */
  isHealthy<const Key extends string>(key: Key, options: GrpcLbHealthOptions): HealthIndicatorResult<Key> {
    const minReady = readMinReady(options.minReady ?? 1);
    const { status, ...details } = healthOf(this.registry.snapshot(options.client), minReady);
    return this.#result(key, status, details);
  }

  #result<const Key extends string>(
    key: Key,
    status: ClientHealth['status'],
    details: Omit<ClientHealth, 'status'>,
  ): HealthIndicatorResult<Key> {
    // Terminus 11 knows up and down only.
    const session: Pick<Session<Key>, 'up' | 'down'> & Partial<Pick<Session<Key>, 'degraded'>> =
      this.indicators.check(key);
    if (status === 'down') return session.down({ ...details });
    if (status === 'up') return session.up({ ...details });
    return session.degraded?.({ ...details }) ?? session.up({ ...details, degraded: true });
  }
}
