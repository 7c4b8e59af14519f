/** The mean is that of about this many calls, so that it is as certain where calls are few, and no older than needed. */
const CALLS = 8;

/**
 * How long the last calls of a server took, of all clients. Each client has few calls to a slow server, and would have to
 * find out by itself that it is slow.
 */
export class RecentDuration {
  /** Milliseconds; 0 before the first call. */
  mean = 0;
  #calls = 0;

  /** A call has succeeded. */
  record(duration: number): void {
    if (this.#calls < CALLS) this.#calls++;
    this.mean += (duration - this.mean) / this.#calls;
  }

  /** Its caller has given it up: it would have taken at least this long, which counts only if that is long. */
  recordAtLeast(duration: number): void {
    if (duration > this.mean) this.record(duration);
  }
}
