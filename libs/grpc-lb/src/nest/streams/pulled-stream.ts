import type { Sink } from './sink.js';

/** How many messages wait for the consumer before the server has to. */
const MAX_WAITING = 16;

/** What a sink controls. */
export interface PulledCall {
  start(): void;
  /** Called when the sink takes messages again. */
  pump(): void;
  unsubscribe(): void;
}

interface Consumer {
  readonly resolve: (result: IteratorResult<unknown, undefined>) => void;
  readonly reject: (error: unknown) => void;
}

/**
 * A stream that its consumer pulls. A few messages wait for it; the others wait at the server, as HTTP/2 flow control
 * sees to. The call starts when the first message is asked for.
 */
export class PulledStream implements AsyncIterableIterator<unknown>, Sink {
  readonly #waiting: unknown[] = [];
  readonly #consumers: Consumer[] = [];
  #call: PulledCall | undefined;
  /** How it ended; undefined while it has not. */
  #end: { readonly error?: Error } | undefined;

  /** @param open Creates the call; it is started afterwards. */
  constructor(private readonly open: (sink: Sink) => PulledCall) {}

  [Symbol.asyncIterator](): this {
    return this;
  }

  // What the consumer calls.

  next(): Promise<IteratorResult<unknown, undefined>> {
    if (this.#waiting.length > 0) {
      const value = this.#waiting.shift();
      this.#call?.pump();
      return Promise.resolve({ value, done: false });
    }
    const end = this.#end;
    if (end) {
      // The error is told once, as generators do.
      this.#end = {};
      return end.error ? Promise.reject(end.error) : Promise.resolve({ value: undefined, done: true });
    }
    return new Promise((resolve, reject) => {
      this.#consumers.push({ resolve, reject });
      if (this.#call) return this.#call.pump();
      this.#call = this.open(this);
      this.#call.start();
    });
  }

  /** The consumer leaves its loop. */
  return(): Promise<IteratorResult<unknown, undefined>> {
    this.#end = {};
    this.#waiting.length = 0;
    this.#call?.unsubscribe();
    this.#settle();
    return Promise.resolve({ value: undefined, done: true });
  }

  // What the call calls.

  get wantsMore(): boolean {
    return this.#waiting.length < MAX_WAITING;
  }

  take(message: unknown): void {
    const consumer = this.#consumers.shift();
    if (consumer) consumer.resolve({ value: message, done: false });
    else this.#waiting.push(message);
  }

  fail(error: unknown): void {
    this.#end = { error: error as Error };
    this.#settle();
  }

  complete(): void {
    this.#end = {};
    this.#settle();
  }

  /** Nothing follows: tells the consumers that wait. */
  #settle(): void {
    for (const { resolve, reject } of this.#consumers.splice(0)) {
      const end = this.#end!;
      this.#end = {};
      if (end.error) reject(end.error);
      else resolve({ value: undefined, done: true });
    }
  }
}
