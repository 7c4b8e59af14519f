import type { CallTimes } from './call-times.js';

/** Where the time of a call went. */
export interface CallCourse {
  readonly times: Pick<CallTimes, 'startedAt' | 'attemptAt' | 'sentAt'>;
  /** When discovery had its first answer, in milliseconds since the epoch; undefined if it has none. */
  readonly resolvedAt: number | undefined;
  /** The attempts before the last one. */
  readonly previousAttempts: number;
  readonly waitForReady: boolean;
  /** The address of the last attempt. */
  readonly peer: string | undefined;
}

/** The details of DEADLINE_EXCEEDED, in the words of grpc-js, which users search for. */
export function deadlineText(course: CallCourse, now: number): string {
  const { resolvedAt, previousAttempts, waitForReady, peer } = course;
  const { startedAt, attemptAt, sentAt } = course.times;
  const parts = [`Deadline exceeded after ${seconds(startedAt, now)}`];
  if (resolvedAt === undefined) return [...parts, 'waiting for name resolution'].join(',');
  if (resolvedAt > startedAt) parts.push(`name resolution: ${seconds(startedAt, resolvedAt)}`);
  if (previousAttempts > 0) {
    parts.push(`previous attempts: ${previousAttempts}`);
    parts.push(`time to current attempt start: ${seconds(startedAt, attemptAt)}`);
  }
  const pickFrom = Math.max(attemptAt, resolvedAt);
  if (waitForReady && (sentAt === undefined || sentAt > pickFrom)) parts.push('wait_for_ready');
  if (sentAt === undefined) parts.push('Waiting for LB pick');
  else {
    if (sentAt > pickFrom) parts.push(`LB pick: ${seconds(pickFrom, sentAt)}`);
    if (peer !== undefined) parts.push(`remote_addr=${peer}`);
  }
  return parts.join(',');
}

/** A shorter time may be meant as seconds. */
export const LOOKS_LIKE_SECONDS_MS = 60;

/** The details of an attempt that had no response in time. */
export function attemptTimeoutText(client: string, address: string, timeoutMs: number): string {
  const unit =
    timeoutMs < LOOKS_LIKE_SECONDS_MS ? '; times are in milliseconds, as in { attemptTimeout: 1000 } for 1 s' : '';
  return `client ${client}: attempt timed out: no response from ${address} within ${timeoutMs} ms (retry.attemptTimeout)${unit}`;
}

function seconds(from: number, to: number): string {
  return `${((to - from) / 1000).toFixed(3)}s`;
}
