import { Metadata, status } from '@grpc/grpc-js';
import { LearnedDelay } from '../core/call/learned-delay.js';
import type { Refusal } from './refusal.js';

/**
 * With no more than this left, in milliseconds, an answer comes too late. The deadline of the caller is earlier than it seems
 * here by the time that the request took, as `grpc-timeout` counts from when it is read.
 */
const LEAST_MS = 1;
/** One of so many hopeless calls is served, so that a method that has become faster is noticed. */
const PROBE_EVERY = 10;

/** What a method took is forgotten after this long without a call: yesterday's outage says nothing about today. */
const FORGET_MS = 60_000;

/** What the server knows of the durations of one method. */
interface Method {
  readonly median: LearnedDelay;
  /** Hopeless calls since the last one that was served. */
  hopeless: number;
  /** When a call of it has arrived or succeeded last, by `performance.now()`. */
  seenAt: number;
}

/** Refuses calls whose deadline has passed, or which the method would not end in time. */
export class DeadlineGuard {
  /** The methods that the server has: others are refused before. */
  readonly #methods = new Map<string, Method>();

  constructor(
    /** Whether a call is refused if less time is left than half of the calls of its method lately took. */
    private readonly refuseHopeless: boolean,
    /** Deadlines are times of day; durations must not depend on them. */
    private readonly timeOfDay: () => number = () => Date.now(),
    private readonly now: () => number = () => performance.now(),
  ) {}

  /** Called when a call arrives, before its request is decoded. */
  onArrival(path: string, deadline: number): Refusal | undefined {
    if (deadline === Infinity) return undefined;
    const left = deadline - this.timeOfDay();
    if (left <= LEAST_MS) return passed();
    if (!this.refuseHopeless) return undefined;
    const method = this.#seen(path);
    const median = method?.median.value;
    if (median === undefined || left >= median || ++method!.hopeless % PROBE_EVERY === 0) return undefined;
    const details = `Deadline cannot be met: ${Math.round(left)} ms are left, and half of the calls take over ${Math.round(median)} ms; the handler was not started`;
    return { code: status.DEADLINE_EXCEEDED, details, metadata: new Metadata(), reason: 'deadline_hopeless' };
  }

  /** Called when the request is complete, and its handler would start. */
  beforeHandler(deadline: number): Refusal | undefined {
    return deadline !== Infinity && deadline <= this.timeOfDay() + LEAST_MS ? passed() : undefined;
  }

  /**
   * Called when a call with one response has succeeded.
   *
   * @param startedAt By `performance.now()`.
   */
  succeeded(path: string, startedAt: number): void {
    if (!this.refuseHopeless) return;
    const now = this.now();
    let method = this.#seen(path);
    if (!method) this.#methods.set(path, (method = { median: new LearnedDelay(0.5), hopeless: 0, seenAt: now }));
    method.median.record(now - startedAt, now);
  }

  /** What is known of a method that has a call now. */
  #seen(path: string): Method | undefined {
    const method = this.#methods.get(path);
    if (!method) return undefined;
    const now = this.now();
    if (now - method.seenAt >= FORGET_MS) {
      this.#methods.delete(path);
      return undefined;
    }
    method.seenAt = now;
    return method;
  }
}

function passed(): Refusal {
  const details = 'Deadline exceeded before the handler was started';
  return { code: status.DEADLINE_EXCEEDED, details, metadata: new Metadata(), reason: 'deadline_passed' };
}
