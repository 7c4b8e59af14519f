import type { Cancel, Clock } from '../../core/clock.js';

/** A time limit for an operation that can be aborted. */
export class Deadline {
  readonly #controller = new AbortController();
  #cancel: Cancel = () => {};

  constructor(
    private readonly clock: Clock,
    private readonly outer: AbortSignal,
  ) {}

  /** Aborts at the deadline, or with the given signal. */
  get signal(): AbortSignal {
    return this.#controller.signal;
  }

  /** Restarts the limit from now, replacing the previous one. */
  set(ms: number): void {
    this.#cancel();
    this.#cancel = this.clock.after(ms, () => this.#controller.abort(new Error(`no answer within ${ms} ms`)));
  }

  /** Rejects as soon as the signal aborts, even if the operation continues. No timer is left afterwards. */
  async hold(work: () => Promise<void>): Promise<void> {
    const { signal } = this.#controller;
    const forward = (): void => this.#controller.abort(this.outer.reason);
    const aborted = new Promise<never>((_, reject) => {
      signal.addEventListener('abort', () => reject(signal.reason as Error));
    });
    this.outer.addEventListener('abort', forward);
    try {
      if (this.outer.aborted) forward();
      await Promise.race([work(), aborted]);
    } finally {
      this.outer.removeEventListener('abort', forward);
      this.#cancel();
    }
  }
}
