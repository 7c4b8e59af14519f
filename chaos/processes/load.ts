import { Metadata, status } from '@grpc/grpc-js';
import { now } from '../clock.js';
import { CALL_KEY, type EchoStub } from '../echo.js';
import type { CallRecord, Repeats } from '../protocol.js';

export interface LoadOptions {
  /** Calls a second. */
  readonly rate: number;
  /** Milliseconds that each call has. */
  readonly deadline: number;
  /** Default: calls are made once. */
  readonly repeats?: Repeats | undefined;
  /** The number of the call is that of its start. */
  readonly onEnd: (record: CallRecord, call: number) => void;
}

const REPEATED: ReadonlySet<status> = new Set([status.UNAVAILABLE, status.DEADLINE_EXCEEDED]);

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
    const { deadline, repeats = { attempts: 1, timeout: deadline }, onEnd } = this.options;
    const until = Date.now() + deadline;
    const ended = new Promise<void>((resolve) => {
      const attempt = (left: number): void => {
        const latest = Math.min(until, Date.now() + repeats.timeout);
        this.echo.Say({ text: 'hello' }, metadata, { deadline: latest }, (error) => {
          const code = error?.code ?? status.OK;
          if (left > 1 && REPEATED.has(code) && Date.now() < until) return attempt(left - 1);
          onEnd({ at, took: now() - at, code, details: error?.details ?? '' }, call);
          resolve();
        });
      };
      attempt(repeats.attempts);
    });
    this.#open.add(ended);
    void ended.then(() => this.#open.delete(ended));
  }
}
