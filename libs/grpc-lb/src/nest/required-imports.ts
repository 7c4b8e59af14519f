import type { FactoryProvider } from '@nestjs/common';
import { GrpcLbOptionsError } from '../core/errors.js';
import { GrpcLbRegistry } from './registry.js';

/** The token of the registry within a module that cannot do without `GrpcLbModule.forRoot()`. */
export const REQUIRED_REGISTRY = Symbol('nestjs-grpc-lb required registry');

/** Provides it. Nest would only say that it cannot resolve the dependencies of a class that users do not know. */
export function requiredRegistry(subject: string): FactoryProvider<GrpcLbRegistry> {
  return {
    provide: REQUIRED_REGISTRY,
    inject: [{ token: GrpcLbRegistry, optional: true }],
    useFactory: (registry?: GrpcLbRegistry) => registryOf(registry, subject),
  };
}

/** @throws GrpcLbOptionsError if `GrpcLbModule.forRoot()` is not imported. */
export function registryOf(registry: GrpcLbRegistry | undefined, subject: string): GrpcLbRegistry {
  if (registry) return registry;
  const message = 'is missing; add it to the imports of the root module';
  throw new GrpcLbOptionsError(subject, [{ path: 'GrpcLbModule.forRoot()', message }]);
}
