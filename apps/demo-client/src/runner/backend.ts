import { createRequire } from 'node:module';
import type { FromBackend, Knobs, ToBackend } from 'demo-server/control';
import type { BackendProcess } from '../backend-process.js';
import type { Action } from '../action.js';
import { Child, node } from './child-process.js';

const SCRIPT = createRequire(import.meta.url).resolve('demo-server');

/** Longer than it takes until its peers miss its answers, shorter than until they give its connections up. */
const FREEZE_MS = 12_000;

export interface BackendOptions {
  readonly port: number;
  readonly slots: number;
  readonly knobs: Knobs;
  /** The factor that `slow` sets. */
  readonly slowFactor: number;
  readonly onChange: () => void;
  readonly onLine: (line: string) => void;
}

/** One backend at a fixed address, whose process stops and restarts. */
export class Backend {
  readonly address: string;
  #process: BackendProcess['process'] = 'stopped';
  #factor: number;
  #inFlight = 0;
  #child: Child<FromBackend, ToBackend> | undefined;
  /** One action after the other, even if a visitor clicks quickly. */
  #queue: Promise<void> = Promise.resolve();

  constructor(private readonly options: BackendOptions) {
    this.address = `127.0.0.1:${options.port}`;
    this.#factor = options.knobs.factor;
  }

  view(): BackendProcess {
    return { address: this.address, process: this.#process, factor: this.#factor, inFlight: this.#inFlight };
  }

  act(action: Action): Promise<void> {
    const next = this.#queue.then(() => this.#act(action));
    this.#queue = next.catch((error: unknown) =>
      this.options.onLine(error instanceof Error ? error.message : String(error)),
    );
    return this.#queue;
  }

  /** Resolves when it listens; rejects if its process ends before that. */
  async start(): Promise<void> {
    if (this.#child) return;
    this.#become('starting');
    const { port, slots, knobs, onLine } = this.options;
    const env = {
      PORT: String(port),
      SLOTS: String(slots),
      DELAY_MS: String(knobs.delayMs),
      FACTOR: String(this.#factor),
      ERROR_RATE: String(knobs.errorRate),
    };
    const child = new Child<FromBackend, ToBackend>(node(SCRIPT), {
      name: this.address,
      env,
      onLine: (line) => onLine(`${this.address}: ${line}`),
      detached: true,
    });
    this.#child = child;
    void child.ended.then((how) => this.#gone(child, how));
    child.onMessage((message) => {
      if (message.type === 'load') this.#report(message.inFlight);
      if (message.type === 'thawed' && this.#process === 'frozen') this.#become('running');
    });
    await child.next('listening');
    this.#become('running');
  }

  async stop(): Promise<void> {
    if (!this.#child) return;
    this.#become('stopping');
    await this.#child.end({ type: 'shutdown' });
  }

  async #act(action: Action): Promise<void> {
    if (action === 'slow' || action === 'normal') {
      this.#factor = action === 'slow' ? this.options.slowFactor : 1;
      this.#child?.tell({ type: 'knobs', knobs: { factor: this.#factor } });
      return this.options.onChange();
    }
    if (action === 'freeze') return this.#freeze();
    if (action === 'kill') await this.#kill();
    else if (action !== 'start') await this.stop();
    if (action === 'restart' || action === 'start') await this.start();
  }

  #freeze(): void {
    if (this.#process !== 'running') return;
    this.#child?.tell({ type: 'freeze', ms: FREEZE_MS });
    this.#become('frozen');
  }

  async #kill(): Promise<void> {
    if (!this.#child) return;
    this.#become('stopping');
    await this.#child.kill();
  }

  #gone(child: Child<FromBackend, ToBackend>, how: string): void {
    if (this.#child !== child) return;
    // It was not told to exit: it was killed, or it crashed.
    if (this.#process === 'running') this.options.onLine(`${this.address} ended: ${how}`);
    this.#child = undefined;
    this.#inFlight = 0;
    this.#become('stopped');
  }

  #report(inFlight: number): void {
    this.#inFlight = inFlight;
    this.options.onChange();
  }

  #become(process: BackendProcess['process']): void {
    this.#process = process;
    this.options.onChange();
  }
}
