import { type OutgoingHttpHeaders, sensitiveHeaders } from 'node:http2';
import { Metadata } from '@grpc/grpc-js';
import { ACCEPTED_ENCODINGS, type Encoding } from './message-codec.js';

const UNITS: readonly (readonly [unit: string, milliseconds: number])[] = [
  ['m', 1],
  ['S', 1000],
  ['M', 60_000],
  ['H', 3_600_000],
];

/** The value of `grpc-timeout`: a number of at most 8 digits, and its unit. */
export function timeoutHeader(milliseconds: number): string {
  const left = Math.max(milliseconds, 0);
  const [unit, size] = UNITS.find((each) => left / each[1] < 1e8) ?? UNITS.at(-1)!;
  return `${Math.min(Math.ceil(left / size), 99_999_999)}${unit}`;
}

/** How often a call has been tried before, for the server (gRFC A6). */
export const PREVIOUS_ATTEMPTS = 'grpc-previous-rpc-attempts';

/** Tells the caller how often its call had been tried before, if it had. */
export function tellPrevious(metadata: Metadata, previous: number): void {
  if (previous > 0) metadata.set(PREVIOUS_ATTEMPTS, String(previous));
}

/** The metadata of a call that has none. It is shared, so it must not be changed. */
export const NO_METADATA = new Metadata();

/** The headers that all attempts of a call have. */
export function callHeaders(metadata: Metadata, encoding: Encoding): OutgoingHttpHeaders {
  if (metadata === NO_METADATA && encoding === 'identity') return plainHeaders();
  const headers = metadata.toHttp2Headers();
  headers['grpc-accept-encoding'] = ACCEPTED_ENCODINGS;
  headers['accept-encoding'] = 'identity';
  // Deleting a key that does not exist would make the object slow as well.
  if (encoding === 'identity' && headers['grpc-encoding'] !== undefined) delete headers['grpc-encoding'];
  if (encoding !== 'identity') headers['grpc-encoding'] = encoding;
  return headers;
}

/** Has all keys that grpc-js sets later, because an object that grows is moved several times. */
function plainHeaders(): OutgoingHttpHeaders {
  return {
    'grpc-accept-encoding': ACCEPTED_ENCODINGS,
    'accept-encoding': 'identity',
    ':authority': undefined,
    'user-agent': undefined,
    'content-type': undefined,
    ':method': undefined,
    ':path': undefined,
    te: undefined,
  };
}

/**
 * Adds the headers that observers have set. They differ from call to call, as `traceparent` does, so they do not go into
 * the header table of the connection (RFC 7541, "never indexed"), where they would displace those that are equal.
 */
export function addObserved(headers: OutgoingHttpHeaders, observed: Readonly<Record<string, string>>): void {
  Object.assign(headers, observed);
  headers[sensitiveHeaders as unknown as string] = Object.keys(observed);
}

/** Headers with those that call credentials add, beside values of the same key. */
export function authorizedHeaders(headers: OutgoingHttpHeaders, credentials: Metadata): OutgoingHttpHeaders {
  const authorized = { ...headers };
  const added = credentials.toHttp2Headers();
  for (const key in added) {
    const own = authorized[key];
    authorized[key] = own === undefined ? added[key]! : [own, added[key]!].flat().map(String);
  }
  return authorized;
}
