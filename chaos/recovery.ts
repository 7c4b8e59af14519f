import { status } from '@grpc/grpc-js';
import type { Outcome } from './outcome.js';

/** A second in which more than this share of the calls failed is one of trouble. */
const TROUBLE = 1 / 20;
const LOOKED_AT_S = 60;

/** Seconds from the end of the fault to the last second of trouble. */
export function recovery({ recording: { calls }, course }: Outcome): number {
  const end = course.faults[0]!.to;
  let last = 0;
  for (let second = 0; second < LOOKED_AT_S; second++) {
    const made = calls.filter(({ at }) => at >= end + second * 1000 && at < end + (second + 1) * 1000);
    const failed = made.filter(({ code }) => code !== status.OK);
    if (failed.length > made.length * TROUBLE) last = second + 1;
  }
  return last;
}
