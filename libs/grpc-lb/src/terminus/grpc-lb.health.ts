import { Injectable, Optional } from '@nestjs/common';
import { type HealthIndicatorResult, HealthIndicatorService } from '@nestjs/terminus';

import { requireObject } from '../core/options/required.js';
import { GrpcLbRegistry } from '../nest/registry.js';
import { registryOf } from '../nest/required-imports.js';
import type { ClientRef } from '../nest/tokens.js';
import { healthOf } from './client-health.js';
import { healthResult } from './health-result.js';
import { type MinReady, readMinReady } from './min-ready.js';

/** What `GrpcLbHealthIndicator.isHealthy` takes. */
export interface GrpcLbHealthOptions {
  /** The client, by its name or class. */
  readonly client: ClientRef;
  /**
   * Endpoints that must be ready for the client not to be `down`: a whole number of at least 1, or a percentage of
   * those that discovery lists, as in `'50%'` (rounded up, at least one).
   *
   * @default 1
   */
  readonly minReady?: MinReady;
}

/**
 * Reports the backends of a client to Terminus, from what the client already knows: it makes no call and opens no
 * channel. `up` while all endpoints in use are ready and discovery works, `degraded` while at least `minReady` are
 * ready, `down` below that.
 *
 * Consider before you use it for readiness: a probe that fails with a backend takes every instance of this application
 * out of service at the same time, although each of them works. Never use it for liveness.
 */
@Injectable()
export class GrpcLbHealthIndicator {
  readonly #registry: GrpcLbRegistry;

  /** @internal Nest creates it. */
  constructor(
    private readonly indicators: HealthIndicatorService,
    @Optional() registry: GrpcLbRegistry,
  ) {
    this.#registry = registryOf(registry, 'GrpcLbHealthIndicator');
  }

  /**
   * The health of a client as a result of Terminus, with `ClientHealth` as its details.
   *
   * @throws GrpcLbOptionsError if there are no options, if `minReady` is neither a whole number of at least 1 nor a percentage from 1% to 100%, or
   *   if there is no such client.
   */
  isHealthy<const Key extends string>(key: Key, options: GrpcLbHealthOptions): HealthIndicatorResult<Key> {
    requireObject('GrpcLbHealthIndicator', 'options', options, 'an object with client, and minReady if you want');
    const minReady = readMinReady(options.minReady ?? 1);
    const { status, ...details } = healthOf(this.#registry.get(options.client).snapshot(), minReady);
    return healthResult(this.indicators, key, status, details);
  }
}
