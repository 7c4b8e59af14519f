/** A measurement expires. Without calls there is none, and none is needed. */
const FRESH_MS = 1000;

/**
 * How long work currently waits for the event loop. Each arriving call asks how long the rest of this turn takes; a
 * timer would have to run very often to be as accurate.
 */
export class MomentaryLag {
  #askedAt: number | undefined;
  #measured = 0;
  #measuredAt = -Infinity;

  constructor(
    private readonly now: () => number,
    /** Calls back when the event loop has done all due work. */
    private readonly afterThisTurn: (callback: () => void) => void,
    /** Is told of each measurement. */
    private readonly measured: (milliseconds: number) => void = () => {},
  ) {}

  sample(): void {
    if (this.#askedAt !== undefined) return;
    this.#askedAt = this.now();
    this.afterThisTurn(this.#measure);
  }

  /** Milliseconds. An unfinished turn counts too. */
  read(): number {
    const now = this.now();
    const last = now - this.#measuredAt <= FRESH_MS ? this.#measured : 0;
    return this.#askedAt === undefined ? last : Math.max(last, now - this.#askedAt);
  }

  readonly #measure = (): void => {
    this.#measuredAt = this.now();
    this.#measured = this.#measuredAt - this.#askedAt!;
    this.#askedAt = undefined;
    this.measured(this.#measured);
  };
}
