import { Metadata, status } from '@grpc/grpc-js';

/**
 * Trailer of a stream that the server has ended for a reason of its own, while its handler still ran. Its status is
 * UNAVAILABLE: open the stream again, on another server.
 */
export const STREAM_END_KEY = 'grpc-lb-stream-end';

/** Response header: milliseconds after which the server ends this stream, jitter included. */
export const STREAM_MAX_AGE_KEY = 'grpc-lb-stream-max-age-ms';

/** Trailer of calls that the drain has ended, so that a client can recognize them. */
export const DRAINING_KEY = 'grpc-server-draining';

/** Why the server ends a stream; the value of the trailer `grpc-lb-stream-end`. */
export type StreamEnd = 'drain' | 'max_age';

/** How a call ends if its handler does not end it. */
export interface Ending {
  readonly code: status;
  readonly details: string;
  readonly metadata: Metadata;
  /** Set for streams, which were never meant to end on their own. */
  readonly streamEnd?: StreamEnd;
}

/** UNAVAILABLE, which every client understands as "try again, elsewhere". */
export function ending(details: string, trailer: Readonly<Record<string, string>>): Ending {
  const metadata = new Metadata();
  for (const [key, value] of Object.entries(trailer)) metadata.set(key, value);
  return { code: status.UNAVAILABLE, details, metadata };
}

/** The same for a stream. */
export function streamEnding(
  streamEnd: StreamEnd,
  details: string,
  trailer: Readonly<Record<string, string>> = {},
): Ending {
  return { ...ending(details, { ...trailer, [STREAM_END_KEY]: streamEnd }), streamEnd };
}
