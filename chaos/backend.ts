import { fileURLToPath } from 'node:url';
import { Child, node } from '../apps/demo-client/src/runner/child-process.js';
import { now } from './clock.js';
import type { FromBackend, Knobs, ToBackend } from './protocol.js';

const SCRIPT = fileURLToPath(new URL('processes/backend.js', import.meta.url));

/** 20 ms a call, serving. */
export const HEALTHY: Knobs = {
  delay: 20,
  failWith: null,
  failShare: 1,
  hung: false,
  slots: 1_000_000,
  health: 'SERVING',
};

export interface BackendOptions {
  readonly knobs?: Partial<Knobs>;
  /** Where it listens. Default: this machine's loopback. */
  readonly host?: string;
  /** A command to run it with, as `ip netns exec NAME`. */
  readonly prefix?: readonly string[];
}

/** A backend in a process of its own, on one port through all its lives. */
export class Backend {
  port = 0;
  #child!: Child<FromBackend, ToBackend>;

  constructor(private readonly options: BackendOptions = {}) {}

  get host(): string {
    return this.options.host ?? '127.0.0.1';
  }

  get address(): string {
    return `${this.host}:${this.port}`;
  }

  /** Resolves when it listens; on the port it had before when it is started again. */
  async start(): Promise<this> {
    const { knobs, prefix = [] } = this.options;
    const args = { host: this.host, port: this.port, knobs: { ...HEALTHY, ...knobs } };
    this.#child = new Child([...prefix, ...node(SCRIPT, [JSON.stringify(args)])]);
    ({ port: this.port } = await this.#child.next('listening'));
    return this;
  }

  /** Returns when it took effect. */
  async set(knobs: Partial<Knobs>): Promise<number> {
    const set = this.#child.next('set');
    this.#child.tell({ set: knobs });
    return (await set).at;
  }

  /** Stands still, without a word to anyone. Returns when. */
  stop(): number {
    const at = now();
    this.#child.signal('SIGSTOP');
    return at;
  }

  /** Goes on. Returns when. */
  continue(): number {
    const at = now();
    this.#child.signal('SIGCONT');
    return at;
  }

  /** Drains and ends. Returns when it said NOT_SERVING, when it closed its port, and resolves when it is gone. */
  async terminate(): Promise<{ readonly draining: number; readonly closing: number }> {
    const [draining, closing] = [this.#child.next('draining'), this.#child.next('closing')];
    this.#child.signal('SIGTERM');
    const times = { draining: (await draining).at, closing: (await closing).at };
    await this.#child.ended;
    return times;
  }

  /** Dies at once. Resolves when it is gone. */
  end(): Promise<void> {
    return this.#child.kill();
  }
}

export function startBackends(count: number): Promise<Backend[]> {
  return Promise.all(Array.from({ length: count }, () => new Backend().start()));
}
