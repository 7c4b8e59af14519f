import { type Metadata, status as Status } from '@grpc/grpc-js';
import { CONNECTION_SPECIFIC_HEADERS } from '../core/connection-headers.js';
import { forbiddenMetadata } from '../core/forbidden-metadata.js';
import { withSendableDetails } from './sendable-details.js';

interface Ending {
  readonly code: Status;
  readonly details?: string | null | undefined;
  readonly metadata?: Metadata | null | undefined;
}

/** A handler passes them on with the error of an HTTP request, or with what a proxy has answered to a call. */
const OF_ANOTHER_MESSAGE = [...CONNECTION_SPECIFIC_HEADERS, 'content-length'];

/**
 * The status of a handler as HTTP/2 can carry it: without metadata of another library and headers that belong to another
 * message, and INTERNAL instead of one with other metadata that cannot be sent. grpc-js would pass it to Node, which throws where nothing catches it, or
 * does not send it, so that the call never ends.
 */
export function sendableStatus<E extends Ending>(given: E): E {
  if (given.code === Status.OK && !given.metadata) return given;
  const ending = withOwnMetadata(withSendableDetails(given));
  const { details, metadata } = ending;
  const fault =
    metadata && forbiddenMetadata({ ...metadata.toHttp2Headers(), 'grpc-message': encodeURI(details ?? '') });
  if (!fault) return ending;
  return { ...ending, code: Status.INTERNAL, details: `The handler cannot send its ${fault}`, metadata: null };
}

function withOwnMetadata<E extends Ending>(ending: E): E {
  const { metadata } = ending;
  if (!metadata) return ending;
  // An error of another library may have metadata of a class of its own, as `Headers`.
  if (typeof (metadata as Partial<Metadata>).toHttp2Headers !== 'function') return { ...ending, metadata: null };
  if (OF_ANOTHER_MESSAGE.every((key) => metadata.get(key).length === 0)) return ending;
  const own = metadata.clone();
  for (const key of OF_ANOTHER_MESSAGE) own.remove(key);
  return { ...ending, metadata: own };
}
