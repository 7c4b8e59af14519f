import { createNoopMeter, type MeterProvider, metrics } from '@opentelemetry/api';

/**
 * The meter provider of the application: the given one, or the one that the application registers with the API, now or
 * later. The API has no proxy for it, so instruments that are created before an SDK is registered never record anything.
 */
export class LateProvider {
  constructor(private readonly given: MeterProvider | undefined) {}

  /** Undefined while there is none. */
  get(): MeterProvider | undefined {
    if (this.given) return this.given;
    const provider = metrics.getMeterProvider();
    return provider.getMeter('nestjs-grpc-lb') === createNoopMeter() ? undefined : provider;
  }
}
