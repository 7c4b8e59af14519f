import type { Metadata } from '@grpc/grpc-js';

/** The trailer of a stream that the server has ended so that it begins again elsewhere; its value says why. */
export const STREAM_END_TRAILER = 'grpc-lb-stream-end';

/** The response header that says after how many milliseconds the server will end the stream. */
export const STREAM_MAX_AGE_HEADER = 'grpc-lb-stream-max-age-ms';

/** Whether the server asks the client to begin the stream again elsewhere. */
export function asksToBeginAgain(trailers: Metadata): boolean {
  return trailers.get(STREAM_END_TRAILER).length > 0;
}

/** The maximum age in milliseconds; undefined if the server announces none, or something else. */
export function maxAgeIn(headers: Metadata): number | undefined {
  const [value] = headers.get(STREAM_MAX_AGE_HEADER);
  return typeof value === 'string' && /^[1-9]\d{0,12}$/.test(value) ? Number(value) : undefined;
}
