import type { Type } from '@nestjs/common';
import type { Observable } from 'rxjs';
import type { GrpcLbClientHandle } from './client-handle.js';
import { declareDefinition, declaredService } from './decorators/metadata.js';
import type { GrpcLbServiceDefinition } from './definition/definition-types.js';
import type { PromiseServiceOf, ServiceOf } from './definition/service-of.js';
import type { PromiseServiceClient, PromiseShape } from './promise-types.js';
import type { ServiceClient, ServiceShape } from './service-types.js';
import { iterate } from './streams/iterate.js';
import { formsOf, withForms } from './stub/method-forms.js';

/**
 * @internal The property into which Nest injects the client. If that is impossible, as for a class listed in
 * `providers`, Nest's error shows this text.
 */
export const CLIENT_PROPERTY = Symbol(
  'client of nestjs-grpc-lb: list the class in GrpcLbModule.forFeature([...]), not in providers',
);
const STUB = Symbol('nestjs-grpc-lb stub');
/** Whether the methods of a client class return Promises. */
const OF_PROMISES = Symbol('nestjs-grpc-lb client of Promises');

type StubMethod = (...args: unknown[]) => Observable<unknown>;
type Stub = Record<string, StubMethod>;
type Owner = Record<typeof STUB, Stub>;

/**
 * Creates the base class of a client class, with the methods of the service as Observables. A subclass may override a
 * method as a property and call the original: `override readonly find: GrpcLbMethod<Req, Res> = (request) =>
 * super.find(request)`.
 *
 * @example
 *   class OrdersClient extends GrpcService<Orders>() {}
 *
 * @example
 *   // With generated code: its types, and no proto file.
 *   class OrdersClient extends GrpcService(OrdersDefinition) {}
 *
 * @param definition The service that the class calls, in place of the option `definition` of `@GrpcLbClient`. Its types
 *   are those of the methods, unless an interface is named.
 */
export function GrpcService<D extends GrpcLbServiceDefinition>(definition: D): Type<ServiceClient<ServiceOf<D>>>;
export function GrpcService<T extends ServiceShape<T>>(definition?: GrpcLbServiceDefinition): Type<ServiceClient<T>>;
export function GrpcService(...definition: readonly unknown[]): Type<object> {
  return serviceBase(false, observed, definition) as Type<object>;
}

/**
 * Creates the base class of a client class whose methods return Promises and async iterables, without RxJS. Everything
 * else is as in `GrpcService`: options, policies, errors, metadata.
 *
 * @example
 *   interface Orders {
 *     find(request: { id: string }): Promise<{ total: number }>;
 *     list(request: object): AsyncIterable<{ total: number }>;
 *   }
 *   class OrdersClient extends GrpcPromiseService<Orders>() {}
 *
 *   async function sum(orders: OrdersClient): Promise<number> {
 *     let { total } = await orders.find({ id: '1' }, { timeout: 500 });
 *     for await (const order of orders.list({})) total += order.total;
 *     return total;
 *   }
 *
 * @example
 *   // With generated code: its types, which know what streams.
 *   class OrdersClient extends GrpcPromiseService(OrdersDefinition) {}
 *
 * @param definition The service that the class calls, as for `GrpcService`.
 */
export function GrpcPromiseService<D extends GrpcLbServiceDefinition>(
  definition: D,
): Type<PromiseServiceClient<PromiseServiceOf<D>>>;
export function GrpcPromiseService<T extends PromiseShape<T>>(
  definition?: GrpcLbServiceDefinition,
): Type<PromiseServiceClient<T>>;
export function GrpcPromiseService(...definition: readonly unknown[]): Type<object> {
  return serviceBase(true, promised, definition) as Type<object>;
}

/** @internal */
export function isOfPromises(client: Type): boolean {
  return (client.prototype as { readonly [OF_PROMISES]?: boolean })[OF_PROMISES] === true;
}

/** A method of the class, from a method of the stub and its name. */
type MakeMethod = (method: StubMethod, name: string) => (this: Owner, ...args: unknown[]) => unknown;

/** @param definition The argument of the function that the user calls, if there is one. */
function serviceBase(ofPromises: boolean, make: MakeMethod, definition: readonly unknown[]): unknown {
  class ServiceBase {
    declare [STUB]: Stub;
    declare [OF_PROMISES]: boolean;

    /** Nest sets this when it has built the instance; only now are the methods of the service known. */
    set [CLIENT_PROPERTY](client: GrpcLbClientHandle) {
      const stub = client.getService<Stub>(declaredService(this.constructor as Type));
      this[STUB] = stub;
      for (const [name, method] of Object.entries(stub)) defineMethod(ServiceBase.prototype, name, make(method, name));
    }
  }
  ServiceBase.prototype[OF_PROMISES] = ofPromises;
  if (definition.length > 0) declareDefinition(ServiceBase, definition[0]);
  return ServiceBase;
}

const observed: MakeMethod = (_, name) =>
  function observe(...args) {
    return this[STUB][name]!(...args);
  };

const promised: MakeMethod = (method, name) => {
  const forms = formsOf(method, {})!;
  if (forms.streams)
    return function pull(...args) {
      return iterate(this[STUB][name]!(...args));
    };
  return function promise(...args) {
    return formsOf(this[STUB][name], this)!.promise(args[0], args[1], args[2]);
  };
};

/** On the prototype, below the user's class, so that the user's own methods win. */
function defineMethod(prototype: object, name: string, value: (this: Owner, ...args: unknown[]) => unknown): void {
  if (Object.hasOwn(prototype, name)) return;
  withForms(value, (client) => formsOf((client as Partial<Owner>)[STUB]?.[name], client));
  Object.defineProperty(prototype, name, { configurable: true, writable: true, value });
}
