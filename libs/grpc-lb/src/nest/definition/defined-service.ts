import type { MethodDefinition } from '@grpc/grpc-js';

/** A method of a client, whatever defines it. */
export interface DefinedMethod extends MethodDefinition<unknown, unknown> {
  /** In generated code. */
  readonly localName?: string;
  readonly options?: { readonly idempotency_level?: unknown };
  /** The fields of a request, if the definition knows them all. */
  readonly requestFields?: readonly string[];
}

/** A service of generated code. */
export interface DefinedService {
  readonly name: string;
  /** With its package, as in `orders.v1.Orders`. */
  readonly fullName: string;
  readonly methods: readonly DefinedMethod[];
}
