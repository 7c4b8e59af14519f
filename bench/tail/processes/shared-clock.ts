/** Milliseconds of the machine's monotonic clock, which all processes share. */
export function sharedNow(): number {
  return Number(process.hrtime.bigint()) / 1e6;
}
