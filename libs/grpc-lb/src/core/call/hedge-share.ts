import { LateEndpoints } from './late-endpoints.js';

/** Hedges that may follow each other at once. */
const BURST = 10;
/** The weight of the last hedge in the share of those that win. */
const WEIGHT = 0.2;
/** From this share of wins on a hedge costs one of those that are allowed. A late endpoint begins with it. */
const USEFUL = 0.5;
/** The part of the limit for calls to endpoints that are not known as late, to notice when hedges help them. */
const TRIALS = 0.05;

/**
 * Limits the hedges of one method to a share of its calls, and spends them where they help: on the calls to an endpoint
 * that is late unlike the others, while its hedges win. If a call is late because there is much to do for it, its hedge
 * takes as long, and only doubles the work of the calls that are most work.
 */
export class HedgeShare {
  /** Hedges that may be made now, and those of them that need not be to a late endpoint. */
  #saved = 1;
  #trials = 1;
  readonly #lateEndpoints = new LateEndpoints();
  /** The share of the hedges that win, by the endpoint whose calls were hedged. */
  readonly #wins = new WeakMap<object, number>();

  /** @param limit Hedges for each call, as in 0.03. */
  constructor(private readonly limit: number) {}

  /** Called when a call starts. */
  called(): void {
    this.#saved = Math.min(BURST, this.#saved + this.limit);
    this.#trials = Math.min(BURST, this.#trials + this.limit * TRIALS);
  }

  /** Called when the first attempt of a call is sent. */
  sent(endpoint: object): void {
    this.#lateEndpoints.sent(endpoint);
  }

  /** Called when that attempt has not been answered within the delay. */
  late(endpoint: object): void {
    this.#lateEndpoints.late(endpoint);
  }

  /**
   * Takes one hedge; returns whether there was one left.
   *
   * @param endpoint Where the first attempt of the call is.
   */
  take(endpoint: object): boolean {
    if (this.#lateEndpoints.includes(endpoint) && this.#pay(USEFUL / Math.min(USEFUL, this.#winsOf(endpoint))))
      return true;
    if (this.#trials < 1 || !this.#pay(1)) return false;
    this.#trials--;
    return true;
  }

  /** Called when a hedged call has succeeded. */
  ended(endpoint: object, hedgeWon: boolean): void {
    const wins = this.#winsOf(endpoint);
    this.#wins.set(endpoint, wins + WEIGHT * ((hedgeWon ? 1 : 0) - wins));
  }

  #winsOf(endpoint: object): number {
    return this.#wins.get(endpoint) ?? USEFUL;
  }

  #pay(price: number): boolean {
    if (this.#saved < price) return false;
    this.#saved -= price;
    return true;
  }
}
