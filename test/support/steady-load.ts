import { setTimeout as delay } from 'node:timers/promises';
import { onTestFinished } from 'vitest';

/** Calls at a steady rate, whatever the answers do, until it is stopped or the test has ended. */
export class SteadyLoad {
  succeeded = 0;
  readonly failures: Error[] = [];
  readonly #open = new Set<Promise<void>>();
  readonly #timer: NodeJS.Timeout;
  #due = performance.now();

  constructor(call: () => Promise<unknown>, perSecond: number) {
    onTestFinished(() => clearInterval(this.#timer));
    this.#timer = setInterval(() => {
      for (; this.#due <= performance.now(); this.#due += 1000 / perSecond) this.#start(call);
    }, 2);
  }

  /** Goes on until that many more calls have succeeded (or any failed). */
  async run(calls: number): Promise<void> {
    const target = this.succeeded + calls;
    while (this.succeeded < target && this.failures.length === 0) await delay(5);
  }

  /** No new calls; waits for those that are open. */
  async stop(): Promise<void> {
    clearInterval(this.#timer);
    await Promise.all(this.#open);
  }

  #start(call: () => Promise<unknown>): void {
    const done = call().then(
      () => void this.succeeded++,
      (error: unknown) => void this.failures.push(error as Error),
    );
    this.#open.add(done);
    void done.then(() => this.#open.delete(done));
  }
}
