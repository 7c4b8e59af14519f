/** The total for which the times of the steps are written. */
const USUAL_TOTAL_MS = 4500;

const SHORT = 0.05;

/** The time of a whole run. Every step takes its timeout from here, so that all of them together stay within it. */
export class Budget {
  readonly #endsAt: number;

  constructor(private readonly total: number) {
    this.#endsAt = performance.now() + total;
  }

  /** Too little is left for another step: its failure would say nothing about the peer. */
  get spent(): boolean {
    return this.#endsAt - performance.now() < this.total * SHORT;
  }

  /** The timeout of a step that usually gets `ms`: in proportion to the total, and at most what is left. */
  step(ms: number): number {
    const left = this.#endsAt - performance.now();
    return Math.max(1, Math.ceil(Math.min((ms * this.total) / USUAL_TOTAL_MS, left)));
  }
}
