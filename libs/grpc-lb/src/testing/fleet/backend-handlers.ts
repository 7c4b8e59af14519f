import type { UntypedHandler } from '../handlers.js';

/** Handlers by a name of their method. */
export type UntypedHandlers = Readonly<Record<string, UntypedHandler | undefined>>;

/** The handler of the first of a method's names that has one. */
export function handlerIn(handlers: UntypedHandlers, names: readonly string[]): UntypedHandler | undefined {
  const name = names.find((each) => Object.hasOwn(handlers, each));
  return name === undefined ? undefined : handlers[name];
}
