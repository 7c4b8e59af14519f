import { Inject } from '@nestjs/common';
import { type ClientRef, getGrpcLbClientToken, getGrpcServiceToken } from '../tokens.js';

/**
 * Which services decorators ask for, by client. As all metadata of decorators it is written when classes are defined,
 * and only read afterwards: the module provides one stub for each.
 */
const requested = new Map<string | symbol, Set<string>>();

/** Injects the `ClientGrpc` of a client: `getService('Orders')`, as with `ClientsModule`. */
export const InjectGrpcLbClient = (client: ClientRef): ReturnType<typeof Inject> =>
  Inject(getGrpcLbClientToken(client));

/** Injects the stub of one service of a client, as `ClientGrpc.getService` returns it. */
export function InjectGrpcService(client: ClientRef, service: string): ReturnType<typeof Inject> {
  const token = getGrpcLbClientToken(client);
  requested.set(token, (requested.get(token) ?? new Set()).add(service));
  return Inject(getGrpcServiceToken(client, service));
}

/** @internal */
export function requestedServices(client: ClientRef): readonly string[] {
  return [...(requested.get(getGrpcLbClientToken(client)) ?? [])];
}
