/** The trailer by which a server says that others should be preferred to it; its value says why. */
export const DEGRADED_KEY = 'grpc-lb-degraded';

/** Each call carries it. */
const MAX_REASON = 200;

/** A reason as the value of a trailer, which is printable ASCII. */
export function degradedValue(reason: string): string {
  return reason
    .replace(/[^!-~]+/g, ' ')
    .trim()
    .slice(0, MAX_REASON);
}
