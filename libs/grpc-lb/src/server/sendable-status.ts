import { type Metadata, status as Status } from '@grpc/grpc-js';
import { withSendableDetails } from './sendable-details.js';
import { sendableMetadata } from './sendable-metadata.js';

interface Ending {
  readonly code: Status;
  readonly details?: string | null | undefined;
  readonly metadata?: Metadata | null | undefined;
}

/** The status of a handler as HTTP/2 can carry it, and INTERNAL instead of one whose metadata cannot be sent. */
export function sendableStatus<E extends Ending>(given: E): E {
  if (given.code === Status.OK && !given.metadata) return given;
  const ending = withSendableDetails(given);
  if (!ending.metadata) return ending;
  const metadata = sendableMetadata(ending.metadata, { 'grpc-message': encodeURI(ending.details ?? '') });
  if (typeof metadata === 'string') return { ...ending, code: Status.INTERNAL, details: metadata, metadata: null };
  return metadata === ending.metadata ? ending : { ...ending, metadata };
}
