import type { PulledCall } from '../streams/pulled-stream.js';
import type { Sink } from '../streams/sink.js';
import type { Receiver } from './receiver.js';
import type { StartCall, StartedCall } from './start-call.js';

/** A call with a stream of requests whose messages a sink takes when it wants them. */
export class PulledRequestsCall implements PulledCall, Receiver {
  closed = false;
  #call: StartedCall | undefined;

  constructor(
    private readonly startCall: StartCall,
    private readonly requests: unknown,
    private readonly rest: readonly unknown[],
    private readonly sink: Sink,
  ) {}

  start(): void {
    try {
      const call = this.startCall(this.requests, this.rest[0], this.rest[1], this);
      // It may have ended while it started.
      if (this.closed) call?.unsubscribe();
      else this.#call = call;
    } catch (error) {
      this.error(error);
    }
  }

  pump(): void {
    this.#call?.resume?.();
  }

  unsubscribe(): void {
    this.closed = true;
    this.#call?.unsubscribe();
  }

  // What the call tells.

  get wantsMore(): boolean {
    return this.sink.wantsMore;
  }

  next(message: unknown): void {
    this.sink.take(message);
  }

  error(error: unknown): void {
    this.unsubscribe();
    this.sink.fail(error);
  }

  complete(): void {
    this.unsubscribe();
    this.sink.complete();
  }
}
