/**
 * Servers allow a PING each five minutes while they send no HEADERS or DATA, or each two hours while no stream is open
 * (the defaults of grpc-go, grpc-java and C-core, gRFC A8). The rest is for clocks and networks that differ.
 */
const BETWEEN_PINGS_MS = 5 * 60_000 + 10_000;
const BETWEEN_IDLE_PINGS_MS = 2 * 60 * 60_000 + 10_000;
/** The third strike ends the connection. One is left for a keepalive PING that follows too soon on one of ours. */
const STRIKES = 1;

/**
 * Which PINGs the peer of one connection puts up with. It counts as the server does: each PING that follows too soon on
 * another is a strike, strikes do not lapse, and only HEADERS or DATA that the server sends reset them; its answers to
 * PINGs do not. The first PING after such a reset is free, so that a silence has two at once, and later one for each five
 * minutes.
 */
export class PingBudget {
  #lastAt: number | undefined;
  #strikes = 0;

  allows(now: number, streamOpen: boolean): boolean {
    return this.#strikes + this.#cost(now, streamOpen) <= STRIKES;
  }

  /** A PING has been sent, allowed or not: keepalive does not ask. */
  sent(now: number, streamOpen: boolean): void {
    this.#strikes += this.#cost(now, streamOpen);
    this.#lastAt = now;
  }

  /**
   * HEADERS or DATA have come from the peer. `pinging`: while a PING was under way, which may have reached the server
   * after it had sent those, and has used up the free one then.
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
