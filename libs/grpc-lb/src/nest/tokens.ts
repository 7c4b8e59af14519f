import type { Type } from '@nestjs/common';

/** A client as decorators and functions refer to it: the name of a `forFeature` item, or the class. */
export type ClientRef = string | symbol | Type;

/**
 * The injection token of the `ClientGrpc` of a client, for tests and overrides. For a named item it is the name itself,
 * so that what `@Inject('ORDERS')` of `ClientsModule` injected goes on to work; for a class it is a string.
 */
export function getGrpcLbClientToken(client: ClientRef): string | symbol {
  return typeof client === 'function' ? `GrpcLbClient(${client.name})` : client;
}

/** The injection token of what `@InjectGrpcService(client, service)` injects. */
export function getGrpcServiceToken(client: ClientRef, service: string): string {
  return `${String(getGrpcLbClientToken(client))}.${service}`;
}

/** @internal */
export const MODULE_OPTIONS = Symbol('nestjs-grpc-lb options');
