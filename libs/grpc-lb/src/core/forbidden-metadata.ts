import { CONNECTION_SPECIFIC_HEADERS } from './connection-headers.js';

/** As Node's Headers. */
type Headers = Readonly<Record<string, number | string | readonly string[] | undefined>>;

/** Header fields that Node allows only once. */
const SINGLE_VALUED = new Set([
  'access-control-allow-credentials',
  'access-control-max-age',
  'access-control-request-method',
  'age',
  'authorization',
  'content-encoding',
  'content-language',
  'content-length',
  'content-location',
  'content-md5',
  'content-range',
  'date',
  'dnt',
  'etag',
  'expires',
  'from',
  'host',
  'if-match',
  'if-modified-since',
  'if-none-match',
  'if-range',
  'if-unmodified-since',
  'last-modified',
  'location',
  'max-forwards',
  'proxy-authorization',
  'range',
  'referer',
  'retry-after',
  'tk',
  'upgrade-insecure-requests',
  'x-content-type-options',
]);

/**
 * nghttp2 sends no header block of more than 64 KiB: it counts the headers before their compression, each with 12 bytes
 * for its representation. Some room is left for the headers that grpc-js adds.
 */
const MAX_SIZE = 63 * 1024;
const SIZE_OF_EACH = 12;

/**
 * Says why metadata cannot be sent; undefined if it can. A client of grpc-js would pass it to the HTTP/2 session, whose
 * error it takes for a broken connection: it would drop the connection with all its calls, and repeat the call on the next
 * one. In a server of grpc-js the error ends the process. Node itself ends a session on which a header block is too large
 * to be sent.
 */
export function forbiddenMetadata(headers: Headers): string | undefined {
  let size = 0;
  for (const key in headers) {
    const value = headers[key];
    if (value === undefined) continue;
    if (CONNECTION_SPECIFIC_HEADERS.has(key)) {
      return `metadata "${key}" is a header of HTTP/1.1 connections, which HTTP/2 forbids; remove it, as when forwarding the headers of an HTTP request`;
    }
    if (key === 'content-length') {
      return `metadata "${key}" is not the length of the gRPC message, so HTTP/2 forbids it; remove it, as when forwarding the headers of an HTTP request`;
    }
    if (key.includes(':')) return `metadata "${key}" contains ":", which HTTP/2 forbids; rename it`;
    if (typeof value === 'object' && SINGLE_VALUED.has(key)) {
      return `"${key}" metadata cannot have multiple values, and has ${value.length}; send one of them`;
    }
    size += sizeOf(key, value);
  }
  return size <= MAX_SIZE ? undefined : tooLarge(headers, size);
}

function sizeOf(key: string, value: Headers[string]): number {
  if (typeof value === 'string') return key.length + value.length + SIZE_OF_EACH;
  if (typeof value !== 'object') return 0;
  return value.reduce((sum, each) => sum + key.length + each.length + SIZE_OF_EACH, 0);
}

function tooLarge(headers: Headers, size: number): string {
  const sizes = Object.entries(headers).map(([key, value]) => ({ key, size: sizeOf(key, value) }));
  const largest = sizes.reduce((a, b) => (b.size > a.size ? b : a));
  return `metadata of ${size} bytes is larger than the ${MAX_SIZE} bytes that Node can send; the largest is "${largest.key}" with ${largest.size}; send it in the message`;
}
