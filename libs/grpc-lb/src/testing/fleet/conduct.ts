import type { ServiceError } from '@grpc/grpc-js';
import { statusError } from '../status-error.js';
import { after } from './running-time.js';

/** Calls that a backend fails. */
interface Failing {
  readonly error: () => ServiceError;
  /** How many calls still fail. */
  left: number;
}

/** How a backend treats the calls that arrive: it may hold them, delay them, or fail them. */
export class Conduct {
  #delay: (() => number) | undefined;
  #failing: Failing | undefined;
  #hangs = false;
  /** Each lets one held call go on. */
  readonly #held = new Set<() => void>();

  slow(delay: () => number): void {
    this.#delay = delay;
  }

  fail(error: () => ServiceError, times: number): void {
    this.#failing = { error, left: times };
  }

  hang(): void {
    this.#hangs = true;
  }

  recover(): void {
    this.#delay = undefined;
    this.#failing = undefined;
    this.#hangs = false;
    for (const release of this.#held) release();
  }

  /**
   * Resolves when the call may be answered.
   *
   * @param signal Aborts when the call is over.
   * @throws ServiceError the status that ends the call.
   */
  async admit(signal: AbortSignal): Promise<void> {
    if (this.#hangs) await this.#release(signal);
    const delayMs = this.#delay?.() ?? 0;
    if (delayMs > 0) await after(delayMs, signal);
    if (signal.aborted) throw statusError('CANCELLED');
    const failing = this.#failing;
    if (!failing || failing.left <= 0) return;
    failing.left--;
    throw failing.error();
  }

  #release(signal: AbortSignal): Promise<void> {
    return new Promise((resolve) => {
      const release = (): void => {
        this.#held.delete(release);
        signal.removeEventListener('abort', release);
        resolve();
      };
      this.#held.add(release);
      if (signal.aborted) release();
      else signal.addEventListener('abort', release);
    });
  }
}
