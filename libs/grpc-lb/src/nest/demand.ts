import type { Type } from '@nestjs/common';
import type { ModulesContainer } from '@nestjs/core';

const ASKED = Symbol('nestjs-grpc-lb asked for');

type Token = string | symbol;
interface Wrapper {
  readonly metatype: unknown;
  readonly inject?: readonly unknown[] | null;
}

/** A decorator of this class, or of its parameters or properties, injects the token. */
export function rememberToken(consumer: object, token: Token): void {
  const inherited = (Reflect.getMetadata(ASKED, consumer) ?? []) as readonly Token[];
  Reflect.defineMetadata(ASKED, [...inherited, token], consumer);
}

/**
 * Whether a decorator in this application asks for one of the tokens. Decorators apply to all applications of the
 * process (tests have many); only the container of an application knows which classes belong to it.
 */
export function isDecoratedWith(modules: ModulesContainer, tokens: readonly Token[]): boolean {
  return some(modules, ({ metatype }) => {
    if (typeof metatype !== 'function') return false;
    const asked = Reflect.getMetadata(ASKED, metatype) as readonly Token[] | undefined;
    return asked?.some((token) => tokens.includes(token)) ?? false;
  });
}

/** Whether a factory of this application gets what the token stands for. */
export function isInjectedInFactory(modules: ModulesContainer, token: Token): boolean {
  return some(modules, ({ inject }) => inject?.includes(token) ?? false);
}

/**
 * Whether this application creates an instance of the class. It does not if a test has replaced the class by a value.
 */
export function isInstantiated(modules: ModulesContainer, target: Type): boolean {
  return some(
    modules,
    ({ metatype }) =>
      typeof metatype === 'function' && (metatype === target || metatype.prototype instanceof (target as Type<object>)),
  );
}

function some(modules: ModulesContainer, test: (wrapper: Wrapper) => boolean): boolean {
  return [...modules.values()].some(({ providers, controllers, injectables }) =>
    [providers, controllers, injectables].some((each) => [...each.values()].some((wrapper) => test(wrapper))),
  );
}
