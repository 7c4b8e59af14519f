/** A run of failures is conclusive if chance explains it with less than this probability. */
const CHANCE = 1e-6;
/** Fewer failures are never conclusive. */
const LEAST = 3;
/** How many calls make up the usual share of failures. */
const MEMORY = 1000;

/**
 * How many calls of a server have failed one after the other, over all clients: each of them would have to find out by
 * itself that the server fails everything.
 */
export class FailureRun {
  #run = 0;
  /** Calls before the run, the older ones counting less. */
  #calls = 0;
  #failures = 0;

  ended(failed: boolean): void {
    if (failed) {
      this.#run++;
      return;
    }
    this.#calls += this.#run + 1;
    this.#failures += this.#run;
    this.#run = 0;
    if (this.#calls < 2 * MEMORY) return;
    const forgotten = MEMORY / this.#calls;
    this.#calls *= forgotten;
    this.#failures *= forgotten;
  }

  /** 0 while chance explains the failures, given how many calls fail usually. */
  get length(): number {
    if (this.#run < LEAST) return 0;
    // Laplace's rule of succession, which gives one half without calls.
    const usual = (this.#failures + 1) / (this.#calls + 2);
    return usual ** this.#run <= CHANCE ? this.#run : 0;
  }
}
