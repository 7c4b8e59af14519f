/**
 * Calls that wait for their call credentials. Credentials that are at hand come in the turn of the event loop in which
 * they are asked, and a caller may make any number of calls in one turn; so only calls that wait longer are limited.
 */
export class AuthorizingCalls<T> {
  /** Those that have asked in this turn. */
  #fresh = new Set<T>();
  readonly #late = new Set<T>();
  #turnEnds = false;

  constructor(
    /** How many calls may wait beyond the turn in which they have asked. */
    private readonly places: () => number,
    /** Called with a call for which there is no place. */
    private readonly refuse: (call: T) => void,
  ) {}

  get size(): number {
    return this.#fresh.size + this.#late.size;
  }

  /** Calls that have asked in an earlier turn. */
  get late(): number {
    return this.#late.size;
  }

  /** Whether a call that waits longer than this turn has no place. */
  get full(): boolean {
    return this.#late.size >= this.places();
  }

  add(call: T): void {
    this.#fresh.add(call);
    if (this.#turnEnds) return;
    this.#turnEnds = true;
    setImmediate(this.#turnOver);
  }

  remove(call: T): void {
    if (!this.#fresh.delete(call)) this.#late.delete(call);
  }

  /** Removes and returns all calls. */
  drain(): T[] {
    const all = [...this.#late, ...this.#fresh];
    this.#late.clear();
    this.#fresh.clear();
    return all;
  }

  readonly #turnOver = (): void => {
    this.#turnEnds = false;
    const asked = this.#fresh;
    this.#fresh = new Set();
    const refused: T[] = [];
    for (const call of asked) {
      if (this.full) refused.push(call);
      else this.#late.add(call);
    }
    for (const call of refused) this.refuse(call);
  };
}
