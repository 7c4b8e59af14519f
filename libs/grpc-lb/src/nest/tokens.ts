import type { Type } from '@nestjs/common';

/** A reference to a client: its class, or the name of its `forFeature` item. */
export type ClientRef = string | symbol | Type;

/**
 * Returns the injection token of the `ClientGrpc` of a client, for tests and overrides. For a named item it is the name
 * itself, so that `@Inject('ORDERS')` of `ClientsModule` keeps working; a class has its own symbol.
 */
export function getGrpcLbClientToken(client: ClientRef): string | symbol {
  return typeof client === 'function' ? tokenOfClass(client, `GrpcLbClient(${client.name})`) : client;
}

/** Returns the injection token of what `@InjectGrpcService(client, service)` injects. */
export function getGrpcServiceToken(client: ClientRef, service: string): string | symbol {
  if (typeof client !== 'function') return `${String(client)}.${service}`;
  return tokenOfClass(client, `GrpcLbClient(${client.name}).${service}`);
}

const tokensOfClasses = new WeakMap<Type, Map<string, symbol>>();

/**
 * Two classes may have the same name, as in `v1/orders.client.ts` and `v2/orders.client.ts`, so a name is not a unique
 * token.
 */
function tokenOfClass(target: Type, text: string): symbol {
  const tokens = tokensOfClasses.get(target) ?? new Map<string, symbol>();
  tokensOfClasses.set(target, tokens);
  const token = tokens.get(text) ?? Symbol(text);
  tokens.set(text, token);
  return token;
}

/** @internal */
export const MODULE_OPTIONS = Symbol('nestjs-grpc-lb options');
