/** What is known of the calls of a method when their arguments are checked. */
export interface ArgumentRules {
  /** For errors, as in `client ORDERS, Orders/Find`. */
  readonly subject: string;
  /** Whether interceptors of the client may read options that nothing else knows. */
  readonly intercepted: boolean;
  /** Whether grpc-js makes the calls, as with `xds:`. */
  readonly delegated: boolean;
}

/** The type only: the value may be a secret. */
export function kindOf(value: unknown): string {
  if (value === null || value === undefined) return String(value);
  return typeof value === 'object' ? 'another object' : `a ${typeof value}`;
}
