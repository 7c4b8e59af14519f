import { type ClientReadableStream, Metadata, status, type StatusObject } from '@grpc/grpc-js';
import { now } from '../clock.js';
import { CALL_KEY, type EchoStub, type Line } from '../echo.js';
import type { CallRecord } from '../protocol.js';

/** Far from the numbers of calls. */
const FIRST_NUMBER = 1e9;
/** Milliseconds before a stream that has ended is opened again. */
const PAUSE_MS = 100;

/** Streams without end, each opened again when it has ended. */
export class Streams {
  readonly #open = new Set<ClientReadableStream<Line>>();
  readonly #timers = new Set<NodeJS.Timeout>();
  #next = FIRST_NUMBER;
  #stopped = false;

  constructor(
    private readonly echo: EchoStub,
    count: number,
    private readonly onEnd: (record: CallRecord, call: number) => void,
  ) {
    for (let i = 0; i < count; i++) this.#start();
  }

  /** Resolves when all have ended. */
  async stop(): Promise<void> {
    this.#stopped = true;
    for (const timer of this.#timers) clearTimeout(timer);
    const ended = [...this.#open].map((stream) => new Promise((resolve) => stream.once('status', resolve)));
    for (const stream of this.#open) stream.cancel();
    await Promise.all(ended);
  }

  #start(): void {
    const [at, number] = [now(), this.#next++];
    const metadata = new Metadata();
    metadata.set(CALL_KEY, String(number));
    const stream = this.echo.Repeat({ text: 'stream' }, metadata);
    this.#open.add(stream);
    stream.on('data', () => {});
    stream.on('error', () => {});
    stream.once('status', ({ code, details }: StatusObject) => {
      this.#open.delete(stream);
      const ended = this.#stopped && code === status.CANCELLED ? status.OK : code;
      this.onEnd({ at, took: now() - at, code: ended, details }, number);
      if (this.#stopped) return;
      const timer = setTimeout(() => {
        this.#timers.delete(timer);
        this.#start();
      }, PAUSE_MS);
      this.#timers.add(timer);
    });
  }
}
