import type { Type } from '@nestjs/common';
import { type LoadBalancingOptions, mergeLoadBalancing } from '../../core/options/load-balancing.js';
import { GrpcLbOptionsError } from '../../core/errors.js';
import { defined } from '../../core/options/validation.js';
import type { TlsOptions } from '../../tls/options.js';
import type { GrpcLbClientDecoratorOptions } from '../client-options.js';
import type { GrpcLbServiceDefinition } from '../definition/definition-types.js';
import { nameOfDefinition } from '../definition/read-definition.js';
import type { ResumableMethod } from '../streams/resumable-options.js';

const CLIENT = Symbol('nestjs-grpc-lb client');
const DEFINITION = Symbol('nestjs-grpc-lb definition');
const ASPECTS = Symbol('nestjs-grpc-lb aspects');
const RESUMABLE = Symbol('nestjs-grpc-lb resumable methods');

/** One policy or aspect as a decorator declared it. */
interface Declaration {
  /** As written in the code, `@LeastRequest`. */
  readonly decorator: string;
  readonly options: LoadBalancingOptions;
  readonly tls?: TlsOptions | false | undefined;
}

/** What the decorators of a class declare; nothing is built or checked while they are evaluated. */
export interface ClientDeclaration {
  readonly client: GrpcLbClientDecoratorOptions;
  readonly loadBalancing: LoadBalancingOptions;
  readonly tls: TlsOptions | false | undefined;
  /** Methods whose streams resume; undefined if there are none. */
  readonly resumable: readonly ResumableMethod[] | undefined;
  /** Whether `@GrpcLbClient` and `GrpcService()` name different definitions. */
  readonly hasTwoDefinitions: boolean;
  /** Parts of `loadBalancing`, and `tls`, that are declared more than once, with all that declare them. */
  readonly conflicts: readonly (readonly [key: string, declaredBy: readonly string[]])[];
}

function ownMetadata<T>(key: symbol, target: Type): T | undefined {
  return Reflect.getOwnMetadata(key, target) as T | undefined;
}

export function declareClient(target: Type, options: GrpcLbClientDecoratorOptions): void {
  Reflect.defineMetadata(CLIENT, options, target);
}

/**
 * A class decorator. It is narrower than TypeScript's `ClassDecorator`, for a readable error if it is used on a method.
 */
export type ClientDecorator = (target: Type) => void;

/**
 * Without parentheses a decorator is called with the class, and its result replaces the class: a class that cannot be
 * injected.
 */
export function assertParentheses(decorator: string, argument: unknown): void {
  if (typeof argument !== 'function') return;
  throw new GrpcLbOptionsError(`class ${argument.name}`, [
    { path: decorator, message: `has no parentheses; write ${decorator}()` },
  ]);
}

/** Decorators run from the last to the first. The order does not matter, because two may not set the same aspect. */
export function declareAspect(decorator: string, options: LoadBalancingOptions): ClientDecorator {
  return (target) => declare(target, { decorator, options });
}

/** TLS is not a part of load balancing. */
export function declareTls(decorator: string, tls: TlsOptions): ClientDecorator {
  return (target) => declare(target, { decorator, options: {}, tls });
}

function declare(target: Type, declaration: Declaration): void {
  const declared = ownMetadata<Declaration[]>(ASPECTS, target) ?? [];
  Reflect.defineMetadata(ASPECTS, [declaration, ...declared], target);
}

/** The same for a method whose streams resume; there may be several. */
export function declareResumable(method: ResumableMethod): ClientDecorator {
  return (target) => {
    const declared = ownMetadata<ResumableMethod[]>(RESUMABLE, target) ?? [];
    Reflect.defineMetadata(RESUMABLE, [method, ...declared], target);
  };
}

/** What `GrpcService(definition)` was given, even if that is undefined. */
export function declareDefinition(base: Type, definition: unknown): void {
  Reflect.defineMetadata(DEFINITION, definition, base);
}

/** The service of a decorated class; a subclass, such as a test's spy, calls the same one. */
export function declaredService(target: Type): string {
  const { service, definition } = withDefinition(
    target,
    Reflect.getMetadata(CLIENT, target) as GrpcLbClientDecoratorOptions,
  );
  return service ?? nameOfDefinition(definition) ?? '';
}

function withDefinition(target: Type, options: GrpcLbClientDecoratorOptions): GrpcLbClientDecoratorOptions {
  if (!Reflect.hasMetadata(DEFINITION, target) || options.definition !== undefined) return options;
  return { ...options, definition: Reflect.getMetadata(DEFINITION, target) as GrpcLbServiceDefinition };
}

export function clientDeclaration(target: Type): ClientDeclaration | undefined {
  const declared = ownMetadata<GrpcLbClientDecoratorOptions>(CLIENT, target);
  if (!declared) return undefined;
  const client = withDefinition(target, declared);
  const aspects = ownMetadata<Declaration[]>(ASPECTS, target) ?? [];
  const own = { decorator: '@GrpcLbClient', options: client.loadBalancing ?? {}, tls: client.tls };
  const declarations: Declaration[] = [own, ...aspects];
  const declaredBy = new Map<string, string[]>();
  for (const { decorator, options, tls } of declarations) {
    for (const key of Object.keys(defined({ ...options, tls })))
      declaredBy.set(key, [...(declaredBy.get(key) ?? []), decorator]);
  }
  const resumable = ownMetadata<ResumableMethod[]>(RESUMABLE, target);
  return {
    client,
    resumable: resumable ? [...(client.resumable ?? []), ...resumable] : client.resumable,
    loadBalancing: declarations.map(({ options }) => options).reduce(mergeLoadBalancing, {}),
    tls: declarations.find(({ tls }) => tls !== undefined)?.tls,
    conflicts: [...declaredBy].filter(([, decorators]) => decorators.length > 1),
    hasTwoDefinitions: isDefinedTwice(target, declared),
  };
}

function isDefinedTwice(target: Type, { definition }: GrpcLbClientDecoratorOptions): boolean {
  if (definition === undefined || !Reflect.hasMetadata(DEFINITION, target)) return false;
  return Reflect.getMetadata(DEFINITION, target) !== definition;
}
