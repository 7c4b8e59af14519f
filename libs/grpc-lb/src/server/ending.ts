import type { Metadata, status } from '@grpc/grpc-js';

/** How a call ends if its handler does not end it. */
export interface Ending {
  readonly code: status;
  readonly details: string;
  readonly metadata: Metadata;
}
