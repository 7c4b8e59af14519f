import type { InjectionToken, OptionalFactoryDependency, Provider } from '@nestjs/common';
import { GrpcLbOptionsError } from '../core/errors.js';
import { isObject, shown } from '../core/options/validation.js';
import type { GrpcLbClientAsyncItem, GrpcLbModuleAsyncOptions } from './module-options.js';

export type Dependency = InjectionToken | OptionalFactoryDependency;

/** Where options come from, as in every `forRootAsync` of Nest. */
type Source = Pick<GrpcLbModuleAsyncOptions | GrpcLbClientAsyncItem, 'useFactory' | 'useClass' | 'useExisting'>;

/** How to get options from an instance of `useClass` or `useExisting`. */
export interface FactoryMethods<Factory> {
  /** A factory has one of these. */
  readonly names: readonly [string, ...string[]];
  readonly call: (factory: Factory) => unknown;
}

/**
 * The provider of options that a factory creates.
 *
 * @throws GrpcLbOptionsError if the source is invalid; that an instance is no factory shows when Nest has created it.
 */
export function asyncProvider<Factory>(
  token: symbol,
  subject: string,
  options: GrpcLbModuleAsyncOptions | GrpcLbClientAsyncItem,
  methods: FactoryMethods<Factory>,
): { provider: Provider; extra: Provider[]; inject: Dependency[] } {
  assertSource(subject, options);
  const { useFactory, useClass, useExisting, inject = [] } = options;
  if (useFactory) return { provider: { provide: token, inject, useFactory }, extra: [], inject };
  const from = (useClass ?? useExisting)!;
  const useMethod = (factory: unknown): unknown => {
    if (hasOneOf(methods.names, factory)) return methods.call(factory as Factory);
    throw notAFactory(subject, useClass ? 'useClass' : 'useExisting', from, methods.names[0]);
  };
  const provider = { provide: token, inject: [from], useFactory: useMethod };
  return { provider, extra: useClass ? [useClass] : [], inject: [from] };
}

function assertSource(subject: string, options: Source | undefined): void {
  const { useFactory, useClass, useExisting } = options ?? {};
  const given = Object.entries({ useFactory, useClass, useExisting }).filter(([, source]) => source !== undefined);
  if (given.length !== 1) {
    const found = given.length === 0 ? 'is missing' : `is set together with ${given[1]![0]}`;
    const message = `${found}; set exactly one of useFactory, useClass and useExisting`;
    throw new GrpcLbOptionsError(subject, [{ path: given[0]?.[0] ?? 'useFactory', message }]);
  }
  const [path, source] = given[0]!;
  if (path === 'useExisting' || typeof source === 'function') return;
  const remedy = path === 'useFactory' ? 'a function that returns the options' : 'a class that creates the options';
  throw new GrpcLbOptionsError(subject, [{ path, message: `is ${shown(source)}; use ${remedy}` }]);
}

function hasOneOf(methods: readonly string[], factory: unknown): boolean {
  return isObject(factory) && methods.some((name) => typeof (factory as Record<string, unknown>)[name] === 'function');
}

function notAFactory(subject: string, path: string, from: unknown, method: string): GrpcLbOptionsError {
  const found = typeof from === 'function' ? from.name : typeof from === 'string' ? shown(from) : String(from);
  const message = `is ${found}, which has no method ${method}; add the method, or use useFactory`;
  return new GrpcLbOptionsError(subject, [{ path, message }]);
}
