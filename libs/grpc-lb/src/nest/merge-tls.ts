import { defined, isObject } from '../core/options/validation.js';
import type { TlsOptions } from '../tls/options.js';

/**
 * The options of `over` win field by field; `false` switches TLS off. A pair of certificate and key replaces a provider,
 * and the other way around.
 */
export function mergeTls(
  base: TlsOptions | false | undefined,
  over: TlsOptions | false | undefined,
): TlsOptions | false | undefined {
  if (over === undefined) return base;
  // The check reports what is not an object.
  if (!isObject(base) || !isObject(over)) return over;
  const { provider, cert, key, ...rest } = base;
  const pair = over.provider === undefined ? defined({ cert, key }) : {};
  const provided = over.cert === undefined && over.key === undefined ? defined({ provider }) : {};
  return { ...rest, ...pair, ...provided, ...defined(over) };
}
