import type { Metadata } from '@grpc/grpc-js';
import { CONNECTION_SPECIFIC_HEADERS } from '../core/connection-headers.js';
import { forbiddenMetadata } from '../core/forbidden-metadata.js';

/** A handler passes them on with the error of an HTTP request, or with what a proxy has answered to a call. */
const OF_ANOTHER_MESSAGE: ReadonlySet<string> = new Set([...CONNECTION_SPECIFIC_HEADERS, 'content-length']);

/** As `toHttp2Headers` makes them. */
type Headers = ReturnType<Metadata['toHttp2Headers']>;

/**
 * Metadata of a handler as HTTP/2 can carry it: without headers that belong to another message; null for metadata of
 * another library. A text says why it cannot be sent. grpc-js would pass it to Node, which throws where nothing catches
 * it, or does not send it, so that the call never ends.
 *
 * @param more What grpc-js sends with it.
 */
export function sendableMetadata(given: Metadata, more?: Headers): Metadata | null | string {
  // An error of another library may have metadata of a class of its own, as `Headers`.
  if (typeof (given as Partial<Metadata>)?.toHttp2Headers !== 'function') return null;
  const headers = given.toHttp2Headers();
  let own = given;
  for (const key in headers) {
    if (!OF_ANOTHER_MESSAGE.has(key)) continue;
    if (own === given) own = given.clone();
    own.remove(key);
    delete headers[key];
  }
  const fault = forbiddenMetadata(more ? { ...headers, ...more } : headers);
  return fault === undefined ? own : `The handler cannot send its ${fault}`;
}
