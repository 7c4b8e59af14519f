/**
 * Servers allow one PING per five minutes while they send no HEADERS or DATA, or per two hours while no stream is open
 * (the defaults of grpc-go, grpc-java and C-core, gRFC A8). The margin covers differences of clocks and networks.
 */
const BETWEEN_PINGS_MS = 5 * 60_000 + 10_000;
const BETWEEN_IDLE_PINGS_MS = 2 * 60 * 60_000 + 10_000;
/** The third strike ends the connection. One is reserved for a keepalive PING that follows one of ours too soon. */
const STRIKES = 1;

/**
 * Tracks which PINGs the peer of one connection tolerates. It counts as the server does: each PING that follows another
 * too soon is a strike, strikes do not expire, and only HEADERS or DATA from the server reset them; its answers to
 * PINGs do not. The first PING after such a reset is free, so the budget allows two PINGs at once in a silent period,
 * and then one per five minutes.
 */
export class PingBudget {
  #lastAt: number | undefined;
  #strikes = 0;

  allows(now: number, streamOpen: boolean): boolean {
    return this.#strikes + this.#cost(now, streamOpen) <= STRIKES;
  }

  /** Records a PING, whether it was allowed or not: keepalive does not ask. */
  sent(now: number, streamOpen: boolean): void {
    this.#strikes += this.#cost(now, streamOpen);
    this.#lastAt = now;
  }

  /**
   * Records HEADERS or DATA from the peer. `pinging`: a PING is in flight; it may have reached the server after the
   * server sent those frames, and then it has used up the free one.
   */
  replied(pinging: boolean): void {
    this.#strikes = 0;
    if (!pinging) this.#lastAt = undefined;
  }

  #cost(now: number, streamOpen: boolean): number {
    if (this.#lastAt === undefined) return 0;
    return now - this.#lastAt < (streamOpen ? BETWEEN_PINGS_MS : BETWEEN_IDLE_PINGS_MS) ? 1 : 0;
  }
}
