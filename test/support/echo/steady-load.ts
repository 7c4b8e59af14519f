import { closeWithTest } from '../run/close-with-test.js';
import { patiently } from '../time/patience.js';

/**
 * Calls one after the other at a steady rate, whatever the answers do, until it is stopped or the test has ended. On a
 * busy machine the rate is lower: it does not catch up, as that would be bursts and not a steady load.
 */
export class SteadyLoad {
  succeeded = 0;
  readonly failures: Error[] = [];
  /** The most calls that were open at a time: what a pause of the calls shows, however fast the machine is. */
  mostOpen = 0;
  readonly #open = new Set<Promise<void>>();
  readonly #timer: NodeJS.Timeout;
  #ended: () => void = () => {};

  constructor(call: () => Promise<unknown>, perSecond: number) {
    const every = 1000 / perSecond;
    let due = performance.now();
    this.#timer = setInterval(() => {
      const now = performance.now();
      if (now < due) return;
      due = Math.max(due + every, now);
      this.#start(call);
    }, 1);
    closeWithTest(() => clearInterval(this.#timer));
  }

  /** Runs until that many more calls have succeeded (or any failed). */
  async run(calls: number): Promise<void> {
    const target = this.succeeded + calls;
    await this.until(() => this.succeeded >= target || this.failures.length > 0);
  }

  /** Runs until the condition holds, which is checked after each call. */
  async until(condition: () => boolean): Promise<void> {
    while (!condition()) {
      const ended = new Promise<void>((resolve) => (this.#ended = resolve));
      await patiently(ended, () => ({ succeeded: this.succeeded, open: this.#open.size }));
    }
  }

  /** No new calls; waits for those that are open. */
  async stop(): Promise<void> {
    clearInterval(this.#timer);
    await Promise.all(this.#open);
  }

  #start(call: () => Promise<unknown>): void {
    const done = call()
      .then(
        () => void this.succeeded++,
        (error: unknown) => void this.failures.push(error as Error),
      )
      .finally(() => {
        this.#open.delete(done);
        this.#ended();
      });
    this.#open.add(done);
    this.mostOpen = Math.max(this.mostOpen, this.#open.size);
  }
}
