import { fileURLToPath } from 'node:url';
import { Child, node } from '../../apps/demo-client/src/runner/child-process.js';
import type { FromLogBackend } from './protocol.js';
import type { Schedule } from './schedule.js';

const SCRIPT = fileURLToPath(new URL('backend-process.js', import.meta.url));

/** A backend in a process of its own, on one port through all its lives. */
export class LogBackend {
  port = 0;
  #child!: Child<FromLogBackend>;

  constructor(
    private readonly schedule: Schedule,
    private readonly maxStreamAge: number | undefined,
  ) {}

  get address(): string {
    return `127.0.0.1:${this.port}`;
  }

  async start(): Promise<this> {
    const args = JSON.stringify({ port: this.port, schedule: this.schedule, maxStreamAge: this.maxStreamAge });
    this.#child = new Child(node(SCRIPT, [args], ['--no-warnings']));
    ({ port: this.port } = await this.#child.next('listening'));
    return this;
  }

  /** Drains; resolves when it is gone. */
  async terminate(): Promise<void> {
    this.#child.signal('SIGTERM');
    await this.#child.ended;
  }

  /** Dies at once. */
  async kill(): Promise<void> {
    await this.#child.kill();
  }
}
