import { fileURLToPath } from 'node:url';
import { Child, node } from '../apps/demo-client/src/runner/child-process.js';
import type { LbEvent } from '../libs/grpc-lb/src/core/events.js';
import type { ClientArguments, FromClient, Recording, ToClient } from './protocol.js';

const SCRIPT = fileURLToPath(new URL('processes/client.js', import.meta.url));

/** A client in a process of its own, which makes calls and remembers what it has seen. */
export class Client {
  readonly #child: Child<FromClient, ToClient>;
  readonly #ready: Promise<unknown>;

  constructor(args: ClientArguments) {
    this.#child = new Child(node(SCRIPT, [JSON.stringify(args)]));
    this.#ready = this.#child.next('ready');
  }

  /** Resolves when it is connected. */
  async ready(): Promise<void> {
    await this.#ready;
  }

  setEndpoints(addresses: readonly string[]): void {
    this.#child.tell({ type: 'endpoints', addresses });
  }

  startLoad(): void {
    this.#child.tell({ type: 'load' });
  }

  setRate(rate: number): void {
    this.#child.tell({ type: 'rate', rate });
  }

  async nextEvent(condition: (event: LbEvent) => boolean): Promise<void> {
    await this.#child.next('event', ({ event: { event } }) => condition(event));
  }

  /** No new calls; resolves when the last has ended. */
  async stop(): Promise<Recording> {
    const recording = this.#child.next('recording');
    this.#child.tell({ type: 'stop' });
    return (await recording).recording;
  }

  /** Resolves when it is gone. */
  end(): Promise<void> {
    return this.#child.kill();
  }
}
