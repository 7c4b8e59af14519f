import { createRequire } from 'node:module';
import type { PhaseSummary } from '../load/tally.js';
import type { FromClient, ToClient } from '../runner-messages.js';
import { type Settings, SETTINGS_VARIABLE } from '../settings.js';
import { Child, node } from './child-process.js';
import type { Flags } from './flags.js';
import { Fleet } from './fleet.js';
import type { View } from './view.js';

const CLIENT = createRequire(import.meta.url).resolve('demo-client');
const DEFAULT_PORT = 3000;
const DEFAULT_BASELINE_SECONDS = 15;

/** The backends, the client, and the messages between them. */
export class Demo {
  /** The last figures that the client sent. */
  phases: readonly PhaseSummary[] = [];
  readonly #fleet: Fleet;
  #client: Child<FromClient, ToClient> | undefined;
  readonly #stop = new AbortController();

  constructor(
    private readonly flags: Flags,
    private readonly view: View,
  ) {
    this.#fleet = new Fleet(flags, (line) => view.line(line));
  }

  /** Resolves when the demo is over and every process has exited. */
  async run(): Promise<void> {
    try {
      await this.#fleet.start();
      await this.#runClient();
    } finally {
      await this.#client?.end({ type: 'shutdown' });
      await this.#fleet.stop();
    }
  }

  stop(): void {
    this.#stop.abort();
  }

  /** The children exit on their own when their channels break. */
  kill(): never {
    this.view.close();
    process.exit(130);
  }

  /** Resolves when the client has finished, or is told to stop; rejects if it ends before that. */
  async #runClient(): Promise<void> {
    const stopped = new Promise<void>((resolve) => this.#stop.signal.addEventListener('abort', () => resolve()));
    if (this.#stop.signal.aborted) return;
    let finished = (): void => {};
    const done = new Promise<void>((resolve) => (finished = resolve));
    const client = new Child<FromClient, ToClient>(node(CLIENT), {
      name: 'the client',
      env: this.#environment(),
      onLine: (line) => this.view.line(`client: ${line}`),
      detached: true,
    });
    this.#client = client;
    client.onMessage((message) => {
      switch (message.type) {
        case 'listening':
          this.view.line(`page: ${message.url}`);
          this.view.line(`metrics: ${new URL('/metrics', message.url).href}`);
          return this.view.line('dashboards: docs/operations/dashboards.md');
        case 'frame':
          return this.view.frame(message.frame);
        case 'command':
          return this.#fleet.act(message.address, message.action);
        case 'done':
          this.phases = message.phases;
          return finished();
      }
    });
    this.#fleet.onChange = () => client.tell({ type: 'backends', backends: this.#fleet.view() });
    this.#fleet.onChange();
    await client.unlessEnded(Promise.race([done, stopped]));
  }

  #environment(): NodeJS.ProcessEnv {
    return {
      [SETTINGS_VARIABLE]: JSON.stringify(this.#settings()),
      // As in a deployment: the code names a client, the environment names its backends.
      GRPC_LB_ORDERS_CLIENT_TARGET: `static:///${this.#fleet.addresses.join(',')}`,
      GRPC_LB_ORDERS_CLIENT_POLICY: this.flags.policy,
    };
  }

  #settings(): Settings {
    const { seconds, rate, deadlineMs, port, slots, delayMs } = this.flags;
    const half = seconds === null ? DEFAULT_BASELINE_SECONDS : seconds / 2;
    const baselineSeconds = this.flags.baselineSeconds ?? half;
    return {
      addresses: this.#fleet.addresses,
      hosts: [],
      httpPort: port ?? DEFAULT_PORT,
      anyPort: port === null,
      rate,
      deadlineMs,
      capacity: (slots * 1000) / delayMs,
      baselineSeconds,
      balancedSeconds: seconds === null ? null : seconds - baselineSeconds,
    };
  }
}
