import { Metadata, status } from '@grpc/grpc-js';
import { now } from '../clock.js';
import { CALL_KEY, type EchoStub } from '../echo.js';
import type { CallRecord } from '../protocol.js';

export interface LoadOptions {
  /** Calls a second. */
  readonly rate: number;
  /** Milliseconds that each call has. */
  readonly deadline: number;
  /** The number of the call is that of its start. */
  readonly onEnd: (record: CallRecord, call: number) => void;
}

/** Calls at a steady rate, whatever becomes of them (an open loop); their time runs from when they were due. */
export class OpenLoop {
  readonly #open = new Set<Promise<void>>();
  readonly #timer: NodeJS.Timeout;
  #due = now();
  #calls = 0;
  #rate: number;

  constructor(
    private readonly echo: EchoStub,
    private readonly options: LoadOptions,
  ) {
    this.#rate = options.rate;
    this.#timer = setInterval(() => {
      // Calls that become due meanwhile wait for the next turn: on a busy machine this turn would never end.
      const until = now();
      for (; this.#due <= until; this.#due += 1000 / this.#rate) this.#start(this.#due);
    }, 1);
  }

  setRate(rate: number): void {
    this.#rate = rate;
  }

  /** No new calls; resolves when the last has ended. */
  async stop(): Promise<void> {
    clearInterval(this.#timer);
    await Promise.all(this.#open);
  }

  #start(at: number): void {
    const call = this.#calls++;
    const metadata = new Metadata();
    metadata.set(CALL_KEY, String(call));
    const ended = new Promise<void>((resolve) => {
      this.echo.Say({ text: 'hello' }, metadata, { deadline: Date.now() + this.options.deadline }, (error) => {
        const took = now() - at;
        this.options.onEnd({ at, took, code: error?.code ?? status.OK, details: error?.details ?? '' }, call);
        resolve();
      });
    });
    this.#open.add(ended);
    void ended.then(() => this.#open.delete(ended));
  }
}
