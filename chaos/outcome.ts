import { status } from '@grpc/grpc-js';
import type { CallRecord, Recording } from './protocol.js';
import type { Course, Fault } from './course.js';

/** Milliseconds. */
export interface Latency {
  readonly p50: number;
  readonly p99: number;
}

/** How one victim went out of rotation, and came back. */
export interface Rotation {
  readonly fault: Fault;
  /**
   * Milliseconds from the fault to the last call that was sent to it, or to the event that said so if that is later; null
   * if calls went on. Probes of an ejected endpoint do not count.
   */
  readonly out: number | null;
  /** Whether any call was ever sent to it. */
  readonly used: boolean;
  /** Calls to an endpoint that was ejected, to find out whether it is healthy again. */
  readonly probes: number;
  /** Attempts that were put on its connections up to then, and got no answer. */
  readonly unanswered: number;
  /** Milliseconds from the end of the fault to the first call; null if none came. */
  readonly back: number | null;
}

/** What came of one subject in one pass. */
export interface Outcome {
  readonly recording: Recording;
  readonly course: Course;
  readonly calls: number;
  readonly failed: readonly CallRecord[];
  readonly rotations: readonly Rotation[];
  readonly before: Latency;
  readonly during: Latency;
}

/** Calls that still come in the last part of the fault were never turned away. */
const STILL_SHARE = 0.1;

export function outcomeOf(recording: Recording, course: Course): Outcome {
  const { calls } = recording;
  const [from, to] = course.window ?? [
    Math.min(...course.faults.map((fault) => fault.from)),
    Math.max(...course.faults.map((fault) => fault.to)),
  ];
  return {
    recording,
    course,
    calls: calls.length,
    failed: calls.filter(({ code }) => code !== status.OK),
    rotations: course.faults.filter(({ joins }) => !joins).map((fault) => rotationOf(fault, recording)),
    before: latency(calls, from - (course.before ?? 2000), from),
    during: latency(calls, from, to),
  };
}

/** `{ UNAVAILABLE: 3 }` */
export function byStatus(calls: readonly CallRecord[]): Record<string, number> {
  const counts: Record<string, number> = {};
  for (const { code } of calls) counts[status[code]] = (counts[status[code]] ?? 0) + 1;
  return counts;
}

/** Of calls that were due then, failed ones included. */
export function latency(calls: readonly CallRecord[], from: number, to: number): Latency {
  const times = calls.filter(({ at }) => at >= from && at < to).map(({ took }) => took);
  times.sort((a, b) => a - b);
  const quantile = (q: number): number => times[Math.min(times.length - 1, Math.floor(times.length * q))] ?? NaN;
  return { p50: quantile(0.5), p99: quantile(0.99) };
}

function rotationOf(fault: Fault, { requests, events, snapshot }: Recording): Rotation {
  const changes = events.flatMap(({ at, event }) =>
    event.type === 'endpoint_state' && event.address === fault.victim ? [{ at, to: event.to }] : [],
  );
  const stateAt = (time: number): string | undefined => changes.findLast(({ at }) => at <= time)?.to;
  const sent = requests.filter(({ to }) => to === fault.victim);
  const during = sent.filter(({ at }) => at > fault.from && at < fault.to);
  const [probes, calls] = partition(during, ({ at }) => stateAt(at) === 'ejected');
  const noticed = changes.find(({ at, to }) => at > fault.from && at < fault.to && to !== 'ready')?.at;
  const last = Math.max(calls.at(-1)?.at ?? fault.from, noticed ?? fault.from);
  const still = (calls.at(-1)?.at ?? 0) > fault.to - STILL_SHARE * (fault.to - fault.from);
  // Only grpc-lb tells; of the other one it is known by the calls alone.
  const neverOut = still || (snapshot !== null && noticed === undefined);
  const back = sent.find(({ at }) => at > fault.to && stateAt(at) !== 'ejected');
  return {
    fault,
    out: neverOut ? null : last - fault.from,
    used: sent.length > 0,
    probes: probes.length,
    unanswered: sent.filter(({ at, answered }) => !answered && at <= last).length,
    back: back ? back.at - fault.to : null,
  };
}

function partition<T>(list: readonly T[], condition: (each: T) => boolean): [T[], T[]] {
  return [list.filter(condition), list.filter((each) => !condition(each))];
}
