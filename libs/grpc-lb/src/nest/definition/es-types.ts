/**
 * The types of `@bufbuild/protobuf` 2.13 or later for requests and responses, written out: the package is an optional peer, and its
 * declarations for ES modules and CommonJS are two. Each message descriptor carries the type of its message.
 */

/** Any message of `@bufbuild/protobuf`. */
export interface EsMessage {
  /** The name of its type, as in `orders.v1.Order`. */
  readonly $typeName: string;
}

/** A response: the message. */
export type EsResponse<Descriptor> = Descriptor extends { readonly $codegenv2: { a: infer Message } }
  ? Message
  : Descriptor extends { readonly $codegenv1: { a: infer Message } }
    ? Message
    : EsMessage;

/** A request: the message, or an object with some of its fields, as `create()` takes it. */
export type EsRequest<Descriptor> =
  EsResponse<Descriptor> extends infer Message
    ? EsMessage extends Message
      ? Record<string, unknown>
      : EsInit<Message>
    : never;

/** A message, or an object with some of its fields. */
export type EsInit<Message> =
  | Message
  | {
      [K in keyof Message as K extends '$unknown' ? never : K]?: K extends '$typeName'
        ? never
        : EsFieldInit<Message[K]>;
    };

/** The value of a field. */
export type EsFieldInit<Field> = Field extends Date | Uint8Array | bigint | boolean | string | number
  ? Field
  : Field extends (infer Item)[]
    ? EsFieldInit<Item>[]
    : Field extends readonly (infer Item)[]
      ? readonly EsFieldInit<Item>[]
      : Field extends EsMessage
        ? EsInit<Field>
        : Field extends { case: infer Case extends string; value: infer Value extends EsMessage }
          ? { case: Case; value: EsInit<Value> }
          : Field extends { case: string | undefined; value?: unknown }
            ? Field
            : Field extends Record<string | number, infer Value extends EsMessage>
              ? Record<string | number, EsInit<Value>>
              : Field;
