import { status as Status } from '@grpc/grpc-js';

/** The names of the statuses by their codes. */
export const STATUS_NAMES: readonly string[] = Array.from({ length: 17 }, (_, code) => Status[code]!);

/** A peer may send any number as a status: "an unknown status code is UNKNOWN". */
export function knownCode(code: number): number {
  return code in STATUS_NAMES ? code : Status.UNKNOWN;
}
