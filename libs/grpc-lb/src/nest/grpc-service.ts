import type { Type } from '@nestjs/common';
import type { GrpcLbClientHandle } from './client-handle.js';
import { declaredService } from './decorators/metadata.js';
import type { ServiceClient, ServiceShape } from './service-types.js';

/**
 * @internal The property into which Nest injects the client. If that is impossible, as for a class listed in
 * `providers`, Nest's error shows this text.
 */
export const CLIENT_PROPERTY = Symbol(
  'client of nestjs-grpc-lb: list the class in GrpcLbModule.forFeature([...]), not in providers',
);
const STUB = Symbol('nestjs-grpc-lb stub');

type Stub = Record<string, (...args: unknown[]) => unknown>;

/**
 * Creates the base class of a client class, with the methods of the service. A subclass may override a method as a
 * property and call the original: `override readonly find: GrpcLbMethod<Req, Res> = (request) => super.find(request)`.
 *
 * @example
 *   class OrdersClient extends GrpcService<Orders>() {}
 */
export function GrpcService<T extends ServiceShape<T>>(): Type<ServiceClient<T>> {
  class ServiceBase {
    declare [STUB]: Stub | undefined;

    /** Nest sets this when it has built the instance; only now are the methods of the service known. */
    set [CLIENT_PROPERTY](client: GrpcLbClientHandle) {
      this[STUB] = client.getService<Stub>(declaredService(this.constructor as Type));
      for (const method of Object.keys(this[STUB])) defineMethod(ServiceBase.prototype, method);
    }
  }
  return ServiceBase as unknown as Type<ServiceClient<T>>;
}

/** On the prototype, below the user's class, so that the user's own methods win. */
function defineMethod(prototype: object, method: string): void {
  if (Object.hasOwn(prototype, method)) return;
  Object.defineProperty(prototype, method, {
    configurable: true,
    writable: true,
    value(this: { [STUB]: Stub }, ...args: unknown[]) {
      return this[STUB][method]!(...args);
    },
  });
}
