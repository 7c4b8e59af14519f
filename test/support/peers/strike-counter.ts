const MIN_TIME_MS = 5 * 60_000;
const IDLE_MIN_TIME_MS = 2 * 60 * 60_000;
const MAX_STRIKES = 2;

/** Counts PINGs exactly as grpc-go's server does by default (`handlePing` in internal/transport/http2_server.go). */
export class StrikeCounter {
  #lastPingAt = -Infinity;
  #strikes = 0;
  #reset = false;
  /** It has sent GOAWAY `too_many_pings`. */
  cut = false;

  /** It has sent HEADERS or DATA. */
  replied(): void {
    this.#reset = true;
  }

  ping(now: number, streamOpen: boolean): void {
    const sinceLast = now - this.#lastPingAt;
    this.#lastPingAt = now;
    if (this.#reset) {
      this.#reset = false;
      this.#strikes = 0;
      return;
    }
    if (sinceLast < (streamOpen ? MIN_TIME_MS : IDLE_MIN_TIME_MS)) this.#strikes++;
    if (this.#strikes > MAX_STRIKES) this.cut = true;
  }
}
