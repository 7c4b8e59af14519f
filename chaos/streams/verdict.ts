import { status } from '@grpc/grpc-js';
import type { Handover, StreamEndRecord, StreamRecording } from './protocol.js';

/** What was done to a backend. */
export interface Absence {
  readonly how: 'restarted' | 'killed' | 'ejected';
  readonly port: number;
  readonly from: number;
  readonly to: number;
}

/** A planned handover may take so much longer than an interval between two messages of a stream that stays. */
const GAP_MS = 50;
/** The end of a stream, and the first message elsewhere, come a moment after the backend is gone. */
const AFTERWARDS_MS = 3000;

function percentile(values: readonly number[], percent: number): number {
  const sorted = values.toSorted((a, b) => a - b);
  return sorted[Math.min(sorted.length - 1, Math.floor((sorted.length * percent) / 100))] ?? NaN;
}

function causeOf(absences: readonly Absence[], port: number, at: number): Absence['how'] | 'other' {
  const cause = absences.findLast((each) => each.port === port && each.from <= at && at <= each.to + AFTERWARDS_MS);
  return cause?.how ?? 'other';
}

function byCause<T>(items: readonly T[], cause: (item: T) => string): Map<string, T[]> {
  const groups = new Map<string, T[]>();
  for (const item of items) groups.set(cause(item), [...(groups.get(cause(item)) ?? []), item]);
  return groups;
}

const causeOfHandover =
  (absences: readonly Absence[]) =>
  ({ from, at }: Handover): string =>
    causeOf(absences, from, at);

/** Of the same times, when backends end and start: that delays all streams of a busy machine. */
const besides = (unmoved: readonly Handover[], absences: readonly Absence[]): Handover[] =>
  unmoved.filter(({ at }) => absences.some(({ from, to }) => from <= at && at <= to + AFTERWARDS_MS));

const gapsOf = (handovers: readonly Handover[]): number[] => handovers.map(({ gap }) => gap);

function figures(gaps: readonly number[]): string {
  const [half, most, all] = [50, 99, 100].map((percent) => percentile(gaps, percent).toFixed(1));
  return `median ${half}, p99 ${most}, at most ${all} ms`;
}

const described = ({ code, details, reason }: StreamEndRecord): string =>
  `${status[code]}, ${reason ?? 'no reason'}: ${details.replaceAll(/\d+\.\d+\.\d+\.\d+:\d+/g, 'HOST')}`;

export function summary(recording: StreamRecording, absences: readonly Absence[]): string {
  const { messages, lost, doubled, unordered, ends, handovers, unmoved, stalls, calls, failedCalls } = recording;
  const lines = [
    `${messages} messages: ${lost} lost, ${doubled} doubled, ${unordered} out of order`,
    `${calls} unary calls: ${failedCalls.length} failed${failedCalls.length > 0 ? `, such as ${failedCalls[0]}` : ''}`,
    `gaps between two messages, beyond their interval: unmoved ${figures(gapsOf(besides(unmoved, absences)))}`,
  ];
  for (const [cause, group] of byCause(handovers, causeOfHandover(absences))) {
    lines.push(`  ${group.length} moved, ${cause}: ${figures(gapsOf(group))}`);
  }
  for (const [cause, group] of byCause(stalls, causeOfHandover(absences))) {
    lines.push(`  ${group.length} stalled on one backend, ${cause}: ${figures(gapsOf(group))}`);
  }
  const told = byCause(ends, (end) => `${causeOf(absences, end.server, end.at)}: ${described(end)}`);
  for (const [text, group] of told) lines.push(`  ${group.length} ended for their subscribers, ${text}`);
  return lines.join('\n');
}

/** What is missed, in words. */
export function verdict(recording: StreamRecording, absences: readonly Absence[], resumable: boolean): string[] {
  const missed: string[] = [];
  for (const key of ['lost', 'doubled', 'unordered'] as const) {
    if (recording[key] > 0) missed.push(`${recording[key]} messages ${key}`);
  }
  if (resumable) {
    if (recording.ends.length > 0) missed.push(`${recording.ends.length} streams ended for their subscribers`);
    const planned = recording.handovers.filter((each) => causeOfHandover(absences)(each) !== 'killed');
    const [moved, stayed] = [
      percentile(gapsOf(planned), 99),
      percentile(gapsOf(besides(recording.unmoved, absences)), 99),
    ];
    if (!(moved < stayed + GAP_MS))
      missed.push(`p99 of the handovers ${moved.toFixed(1)} ms, of others ${stayed.toFixed(1)}`);
    return missed;
  }
  for (const end of recording.ends) {
    // Only with --age.
    if (end.code === status.UNAVAILABLE && end.reason === 'max_age') continue;
    const cause = causeOf(absences, end.server, end.at);
    const expected = cause === 'restarted' ? 'drain' : cause === 'killed' ? null : undefined;
    if (end.code !== status.UNAVAILABLE || end.reason !== expected)
      missed.push(`a stream ended, ${cause}: ${described(end)}`);
  }
  return missed;
}
