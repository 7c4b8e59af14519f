import type { Metadata } from '@grpc/grpc-js';
import { printable } from '../../core/printable.js';

/** The trailer by which the server side says that others should be preferred to it; its value says why. */
export const DEGRADED_KEY = 'grpc-lb-degraded';

/** More would fill the log and the snapshot. */
const MAX_REASON = 200;

/** Why the server is degraded; undefined if it does not say so. */
export function degradedIn(trailers: Metadata): string | undefined {
  const [value] = trailers.get(DEGRADED_KEY);
  if (value === undefined) return undefined;
  return typeof value === 'string' ? printable(value, MAX_REASON) : '';
}
