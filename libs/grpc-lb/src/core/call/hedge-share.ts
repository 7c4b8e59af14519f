/** Hedges that may follow each other at once. */
const BURST = 10;
/** The weight of the last hedge in the share of those that win. */
const WEIGHT = 0.2;
/** From this share of wins on the whole limit is used. */
const USEFUL = 0.5;
/** The part of the limit that is used while no hedge wins, to notice when they do. */
const LEAST = 0.05;

/**
 * Limits the hedges of one method to a share of its calls, and to less where they do not help. If a call is late because
 * of its endpoint, its hedge wins; if there is much to do for it, the hedge takes as long, and only doubles the work of
 * the calls that are most work.
 */
export class HedgeShare {
  #saved = 1;
  /** The share of the hedges that win. */
  #wins = 0;

  /** @param limit Hedges for each call, as in 0.03. */
  constructor(private readonly limit: number) {}

  /** Called when a call starts. */
  called(): void {
    const used = Math.max(LEAST, Math.min(1, this.#wins / USEFUL));
    this.#saved = Math.min(BURST, this.#saved + this.limit * used);
  }

  /** Takes one hedge; returns whether there was one left. */
  take(): boolean {
    if (this.#saved < 1) return false;
    this.#saved--;
    return true;
  }

  /** Called when a hedged call has succeeded. */
  ended(hedgeWon: boolean): void {
    this.#wins += WEIGHT * ((hedgeWon ? 1 : 0) - this.#wins);
  }
}
