import type { ServerInterceptingCallInterface } from '@grpc/grpc-js';
import { callEach } from '../core/call-each.js';
import { type HandledCall, isHandledCallWanted, runHandling } from '../handled-call/handled-call.js';

/** Milliseconds after the end of a call in which its handler notices it; what runs on then works for no call. */
const NOTICE_MS = 10_000;

/** A call of the server, from which the calls of balanced clients inherit that its handler makes. */
export class ServedCall implements HandledCall {
  cancelled = false;
  #answered = false;
  #cancelledAt = 0;
  #listeners: Set<() => void> | undefined;

  constructor(
    private readonly call: Pick<ServerInterceptingCallInterface, 'getDeadline'>,
    readonly criticality: string | undefined,
  ) {}

  getDeadline(): number {
    return Number(this.call.getDeadline());
  }

  /**
   * A timer or a queue that the handler has started keeps its async context for ever. What it calls later must not end
   * with a call that is long gone.
   */
  get over(): boolean {
    return this.#answered || (this.cancelled && performance.now() - this.#cancelledAt > NOTICE_MS);
  }

  on(_event: 'cancelled', listener: () => void): void {
    (this.#listeners ??= new Set()).add(listener);
  }

  off(_event: 'cancelled', listener: () => void): void {
    this.#listeners?.delete(listener);
  }

  /** Runs a part of the handler. */
  run(part: () => void): void {
    if (isHandledCallWanted()) runHandling(this, part);
    else part();
  }

  /** The handler has answered, also a call that has ended before. Calls that it has left running go on. */
  answered(): void {
    this.#answered = true;
  }

  /** The call has ended, and not by its handler. */
  cancel(): void {
    if (this.cancelled || this.#answered) return;
    this.cancelled = true;
    this.#cancelledAt = performance.now();
    const listeners = this.#listeners;
    this.#listeners = undefined;
    if (listeners) callEach(listeners);
  }
}
