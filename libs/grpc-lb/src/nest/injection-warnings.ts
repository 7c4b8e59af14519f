import type { Type } from '@nestjs/common';
import { ModuleRef, type ModulesContainer } from '@nestjs/core';

// What TypeScript and the decorators of Nest write.
const TYPES = 'design:paramtypes';
const PARAMETERS = 'self:paramtypes';
const PROPERTIES = 'self:properties_metadata';

/**
 * Clients that nothing injects, in an application with constructors of which Nest does not know what to pass: it then
 * passes nothing, without an error. Bundlers and runners that do not write the metadata of decorators cause it.
 */
export function injectionWarnings(
  modules: ModulesContainer,
  clients: readonly { readonly name: string; readonly ref: unknown }[],
): string[] {
  const wanted = new Set<unknown>();
  const blind = new Set<string>();
  for (const { providers, controllers, injectables } of modules.values()) {
    for (const { metatype, inject } of [providers, controllers, injectables].flatMap((each) => [...each.values()])) {
      for (const token of inject ?? []) wanted.add(isOptional(token) ? token.token : token);
      // Of a factory Nest uses `inject` alone.
      if (inject || typeof metatype !== 'function' || isModuleRef(metatype)) continue;
      const { tokens, isBlind } = dependencies(metatype as Type);
      for (const token of tokens) wanted.add(token);
      if (isBlind) blind.add(metatype.name);
    }
  }
  if (blind.size === 0) return [];
  return clients
    .filter(({ ref }) => typeof ref === 'function' && !wanted.has(ref))
    .map(
      ({ name, ref }) =>
        `client ${name}: nothing injects it, and Nest does not know the types of the constructor of ${[...blind].slice(0, 3).join(', ')}, so it passes undefined; ` +
        `compile with emitDecoratorMetadata (tsc and swc can; esbuild and tsx cannot), or write @Inject(${(ref as Type).name}) before the parameter`,
    );
}

/** Nest itself passes what it takes. */
function isModuleRef(target: object): boolean {
  return target === ModuleRef || (target as Type<object>).prototype instanceof ModuleRef;
}

interface Declared {
  readonly param?: unknown;
  readonly type?: unknown;
}

function dependencies(target: Type): { tokens: unknown[]; isBlind: boolean } {
  const types = Reflect.getMetadata(TYPES, target) as unknown[] | undefined;
  const parameters = (Reflect.getMetadata(PARAMETERS, target) ?? []) as Declared[];
  const properties = (Reflect.getMetadata(PROPERTIES, target) ?? []) as Declared[];
  const tokens = [...(types ?? []), ...parameters.map(({ param }) => param), ...properties.map(({ type }) => type)];
  return { tokens: tokens.map(resolved), isBlind: types === undefined && parameters.length < target.length };
}

/** A `forwardRef` stands for what its function returns. */
function resolved(token: unknown): unknown {
  const { forwardRef } = (token ?? {}) as { forwardRef?: () => unknown };
  return typeof forwardRef === 'function' ? forwardRef() : token;
}

function isOptional(token: unknown): token is { readonly token: unknown } {
  return typeof token === 'object' && token !== null && 'token' in token;
}
