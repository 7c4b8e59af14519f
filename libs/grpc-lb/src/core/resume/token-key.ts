/** What a token or a dedupe key is compared by. */
export type TokenKey = string | number | bigint | boolean;

/** The longest key, in characters: up to a thousand are remembered. */
const MAX_LENGTH = 16_384;

/** How much of the memory for keys it takes, in characters. */
export function lengthOf(key: TokenKey): number {
  return typeof key === 'string' ? key.length : 0;
}

/** A 64-bit number as protobuf.js and proto-loader represent it. */
interface Long {
  readonly __isLong__?: unknown;
  toString(): string;
}

/**
 * By what a token is compared with others: bytes and 64-bit numbers by their value. Undefined if the message has none:
 * proto3 cannot tell an absent string or absent bytes from empty ones, so these are none; 0 is one.
 *
 * @throws TypeError if it is NaN or an object of another kind, which cannot be compared, or too long.
 */
export function tokenKey(token: unknown): TokenKey | undefined {
  switch (typeof token) {
    case 'string':
      return token === '' ? undefined : checked(token);
    case 'number':
      if (Number.isNaN(token)) throw new TypeError('is NaN, which equals nothing; return a number, or a text');
      return token;
    case 'bigint':
    case 'boolean':
      return token;
    case 'undefined':
      return undefined;
    default:
      if (token === null) return undefined;
      if (token instanceof Uint8Array) return token.length === 0 ? undefined : textOf(checked(token));
      if (typeof token === 'object' && '__isLong__' in token) return (token as Long).toString();
      throw new TypeError(
        `is ${typeof token === 'object' ? 'an object' : `a ${typeof token}`}; ` +
          'return a string, a number, a bigint, bytes, or a 64-bit number of proto-loader',
      );
  }
}

function checked<T extends { readonly length: number }>(token: T): T {
  if (token.length <= MAX_LENGTH) return token;
  throw new TypeError(`has a length of ${token.length}; return at most ${MAX_LENGTH} characters or bytes`);
}

function textOf(bytes: Uint8Array): string {
  let text = '';
  for (const byte of bytes) text += String.fromCharCode(byte);
  return text;
}
