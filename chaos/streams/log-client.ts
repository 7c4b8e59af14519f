import { fileURLToPath } from 'node:url';
import { Child, node } from '../../apps/demo-client/src/runner/child-process.js';
import type { FromLogClient, LogClientArguments, StreamRecording, ToLogClient } from './protocol.js';

const SCRIPT = fileURLToPath(new URL('client-process.js', import.meta.url));

/** A client in a process of its own. */
export class LogClientProcess {
  readonly #child: Child<FromLogClient, ToLogClient>;
  readonly #ready: Promise<unknown>;

  constructor(args: LogClientArguments) {
    this.#child = new Child(node(SCRIPT, [JSON.stringify(args)], ['--no-warnings']));
    this.#ready = this.#child.next('ready');
  }

  async open(): Promise<void> {
    await this.#ready;
    this.#child.tell({ type: 'open' });
  }

  eject(address: string, duration: number): void {
    this.#child.tell({ type: 'eject', address, duration });
  }

  restore(address: string): void {
    this.#child.tell({ type: 'restore', address });
  }

  /** How many streams got their last message from each port; 0 is the port of those that got none. */
  async places(): Promise<Readonly<Record<string, number>>> {
    const places = this.#child.next('places');
    this.#child.tell({ type: 'places' });
    return (await places).places;
  }

  async stop(): Promise<StreamRecording> {
    const recording = this.#child.next('recording');
    this.#child.tell({ type: 'stop' });
    return (await recording).recording;
  }

  end(): Promise<void> {
    return this.#child.kill();
  }
}
