/**
 * The latency of an endpoint, which jumps to each peak and decays slowly (Finagle's Peak EWMA): `if rtt > cost: cost =
 * rtt else cost = cost·e^(−Δt/τ) + rtt·(1 − e^(−Δt/τ))`.
 */
export class PeakLatency {
  #cost = 0;
  #at = 0;
  #known = false;

  /** @param decayTime τ, in milliseconds. */
  constructor(private readonly decayTime: number) {}

  /** Whether it has been measured at least once. */
  get known(): boolean {
    return this.#known;
  }

  record(rtt: number, now: number): void {
    const decay = this.#decay(now);
    this.#cost = rtt > this.#cost ? rtt : this.#cost * decay + rtt * (1 - decay);
    this.#at = now;
    this.#known = true;
  }

  /**
   * Decays to 0 without new measurements, so that an endpoint that was slow is tried again. Reading changes nothing.
   */
  read(now: number): number {
    return this.#cost * this.#decay(now);
  }

  #decay(now: number): number {
    return Math.exp(-Math.max(0, now - this.#at) / this.decayTime);
  }
}
