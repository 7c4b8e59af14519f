import type { Receiver } from './receiver.js';
import type { StartCall, StartedCall } from './start-call.js';

/** Starts a call with one response; the Promise has what the Observable would emit, or fails as it would. */
export function callPromise(start: StartCall, request: unknown, first: unknown, second: unknown): Promise<unknown> {
  return new Promise((resolve, reject) => {
    const answer = new PromisedAnswer(resolve, reject);
    // What it throws, such as for wrong arguments, rejects the Promise.
    answer.follow(start(request, first, second, answer));
  });
}

/** Settles the Promise of a call when the call ends. */
class PromisedAnswer implements Receiver {
  closed = false;
  #message: unknown;
  #call: StartedCall | undefined;

  constructor(
    private readonly resolve: (message: unknown) => void,
    private readonly reject: (error: unknown) => void,
  ) {}

  /** The call may have ended while it started. */
  follow(call: StartedCall | undefined): void {
    if (this.closed) call?.unsubscribe();
    else this.#call = call;
  }

  next(message: unknown): void {
    this.#message = message;
  }

  error(error: unknown): void {
    this.#close();
    this.reject(error);
  }

  complete(): void {
    this.#close();
    this.resolve(this.#message);
  }

  #close(): void {
    this.closed = true;
    this.#call?.unsubscribe();
  }
}
