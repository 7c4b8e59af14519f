import { freePort } from 'nestjs-grpc-lb/testing';
import type { BackendProcess } from '../backend-process.js';
import type { Action } from '../action.js';
import { Backend } from './backend.js';
import type { Flags } from './flags.js';

/** Another process may take a port before the backend binds it. */
const ATTEMPTS = 3;
/** The factor of `slow` if all backends were started alike. */
const DEFAULT_SLOW_FACTOR = 3;

/** The backends of the demo. The last one is slow. */
export class Fleet {
  readonly #backends: Backend[] = [];
  onChange: () => void = () => {};

  constructor(
    private readonly flags: Flags,
    private readonly onLine: (line: string) => void,
  ) {}

  get addresses(): string[] {
    return this.#backends.map((backend) => backend.address);
  }

  view(): BackendProcess[] {
    return this.#backends.map((backend) => backend.view());
  }

  async start(): Promise<void> {
    const { backends } = this.flags;
    const started = Array.from({ length: backends }, (_, index) => this.#startOne(index === backends - 1));
    const results = await Promise.allSettled(started);
    for (const result of results) {
      if (result.status === 'rejected') throw result.reason;
      this.#backends.push(result.value);
    }
  }

  act(address: string, action: Action): void {
    void this.#backends.find((backend) => backend.address === address)?.act(action);
  }

  async stop(): Promise<void> {
    await Promise.all(this.#backends.map((backend) => backend.act('stop')));
  }

  async #startOne(slow: boolean, attempt = 1): Promise<Backend> {
    const { delayMs, slots, errorRate, slow: slowness } = this.flags;
    const backend = new Backend({
      port: await freePort(),
      slots,
      knobs: { delayMs, errorRate, factor: slow ? slowness : 1 },
      slowFactor: slowness > 1 ? slowness : DEFAULT_SLOW_FACTOR,
      onChange: () => this.onChange(),
      onLine: this.onLine,
    });
    try {
      await backend.start();
      return backend;
    } catch (error) {
      if (attempt === ATTEMPTS) throw error;
      return this.#startOne(slow, attempt + 1);
    }
  }
}
