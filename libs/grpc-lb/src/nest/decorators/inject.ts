import { Inject } from '@nestjs/common';
import { rememberToken } from '../demand.js';
import { type ClientRef, getGrpcLbClientToken, getGrpcServiceToken } from '../tokens.js';

/**
 * The services that decorators name, by client. Like all metadata of decorators it is written when classes are defined:
 * the module offers one stub for each. The container of an application knows which of them it asks for
 * (`isDecoratedWith`).
 */
const named = new Map<string | symbol, Set<string>>();

/** Injects the `ClientGrpc` of a client, as `@Inject` does with `ClientsModule`. */
export const InjectGrpcLbClient = (client: ClientRef): ReturnType<typeof Inject> =>
  remembering(getGrpcLbClientToken(client));

/** Injects the stub of one service of a client: what `ClientGrpc.getService` returns. */
export function InjectGrpcService(client: ClientRef, service: string): ReturnType<typeof Inject> {
  const token = getGrpcLbClientToken(client);
  named.set(token, (named.get(token) ?? new Set()).add(service));
  return remembering(getGrpcServiceToken(client, service));
}

function remembering(token: string | symbol): ReturnType<typeof Inject> {
  const inject = Inject(token);
  return (target: object, key: string | symbol | undefined, index?: number) => {
    // A property belongs to the prototype, a parameter of the constructor to the class.
    rememberToken(typeof target === 'function' ? target : target.constructor, token);
    inject(target, key, index!);
  };
}

/** @internal */
export function namedServices(client: ClientRef): readonly string[] {
  return [...(named.get(getGrpcLbClientToken(client)) ?? [])];
}
