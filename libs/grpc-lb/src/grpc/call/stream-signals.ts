import type { Metadata } from '@grpc/grpc-js';

/** The trailer of a stream that the server has ended so that it begins again elsewhere; its value says why. */
export const STREAM_END_TRAILER = 'grpc-lb-stream-end';

/** The response header that says after how many milliseconds the server will end the stream. */
export const STREAM_MAX_AGE_HEADER = 'grpc-lb-stream-max-age-ms';

/** Whether the server asks the client to begin the stream again elsewhere. */
export function asksToBeginAgain(trailers: Metadata): boolean {
  return trailers.get(STREAM_END_TRAILER).length > 0;
}

/** The longest delay of a timer, 24.8 days: with a longer one it fires at once, and the stream would move without pause. */
const MAX_AGE_MS = 2 ** 31 - 1;

/** The maximum age in milliseconds; undefined if the server announces none, a longer one than timers have, or garbage. */
export function maxAgeIn(headers: Metadata): number | undefined {
  const [value] = headers.get(STREAM_MAX_AGE_HEADER);
  if (typeof value !== 'string' || !/^[1-9]\d{0,9}$/.test(value)) return undefined;
  const age = Number(value);
  return age <= MAX_AGE_MS ? age : undefined;
}
