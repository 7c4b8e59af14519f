/** Carries the type of the whole message; it is never set. */
declare const whole: unique symbol;

/** What is always whole: single values, and the 64-bit numbers of `long`. */
export type Indivisible =
  | Date
  | Uint8Array
  | ReadonlyMap<unknown, unknown>
  | { toNumber(): number }
  | string
  | number
  | bigint
  | boolean
  | null
  | undefined;

/** A message of ts-proto whose fields may be left out, as its `fromPartial` takes it. */
export type DeepPartialMessage<T> = T extends Indivisible
  ? T
  : T extends readonly (infer Item)[]
    ? readonly DeepPartialMessage<Item>[]
    : T extends { readonly $case: string }
      ? { readonly $case: T['$case'] } & { readonly [K in keyof Omit<T, '$case'>]?: DeepPartialMessage<T[K & keyof T]> }
      : { readonly [K in keyof T]?: DeepPartialMessage<T[K]> };

/** A request whose fields may be left out: they have their defaults. */
export type PartialMessage<T> = DeepPartialMessage<T> & {
  /** The whole message; only the compiler knows it. */
  readonly [whole]?: T;
};

/** The whole message of a request that may be partial: what its receiver gets. */
export type WholeMessage<Req> = typeof whole extends keyof Req
  ? NonNullable<Req[typeof whole & keyof Req]>
  : [Extract<Req, { readonly $typeName: string }>] extends [never]
    ? Req
    : Extract<Req, { readonly $typeName: string }>;
