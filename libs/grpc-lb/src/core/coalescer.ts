import type { Cancel, Clock } from './clock.js';
import { TokenBucket } from './token-bucket.js';

/** Acts at once on the first requests, then once per interval for all requests since. */
export class Coalescer {
  readonly #bucket: TokenBucket;
  #cancel: Cancel | undefined;

  constructor(
    burst: number,
    intervalMs: number,
    private readonly clock: Clock,
    private readonly act: () => void,
  ) {
    this.#bucket = new TokenBucket(burst, intervalMs, clock);
  }

  request(): void {
    if (this.#cancel) return;
    if (this.#bucket.take()) this.act();
    else this.#cancel = this.clock.after(this.#bucket.wait, this.#onTimer);
  }

  /** Drops pending requests. */
  stop(): void {
    this.#cancel?.();
    this.#cancel = undefined;
  }

  readonly #onTimer = (): void => {
    this.#cancel = undefined;
    this.#bucket.spend();
    this.act();
  };
}
