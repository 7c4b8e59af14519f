import type { AnyCall } from './service-implementation.js';

/** The calls that a backend serves now. */
export class RunningCalls {
  /** The most of them at a time. */
  most = 0;
  readonly #all = new Set<AbortController>();

  get count(): number {
    return this.#all.size;
  }

  /** A call begins. Its signal aborts when its client cancels it, or the backend ends. */
  begin(call: AnyCall): { readonly signal: AbortSignal; readonly done: () => void } {
    const running = new AbortController();
    this.#all.add(running);
    this.most = Math.max(this.most, this.count);
    call.once('cancelled', () => running.abort());
    const done = (): void => void this.#all.delete(running);
    running.signal.addEventListener('abort', done);
    return { signal: running.signal, done };
  }

  /** Ends all of them. */
  abort(): void {
    for (const running of this.#all) running.abort();
  }

  /** Forgets how many there have been. */
  clear(): void {
    this.most = this.count;
  }
}
