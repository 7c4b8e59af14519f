/** Milliseconds on the clock that all processes of this machine share (CLOCK_MONOTONIC), so that their times compare. */
export function now(): number {
  return Number(process.hrtime.bigint()) / 1e6;
}
