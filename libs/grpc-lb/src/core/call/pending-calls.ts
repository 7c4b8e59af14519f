/** What became of a call that was offered to an endpoint. `blocked`: the calls behind it would have to wait as well. */
export type Offer = 'taken' | 'waits' | 'blocked';

/**
 * Calls that wait for an endpoint: first come, first served. A call leaves at once when it is canceled or its deadline
 * passes.
 */
export class PendingCalls<T> {
  readonly #waiting = new Set<T>();
  #blocked = false;
  #waking = false;
  #wakeAgain = false;

  constructor(
    /** Sends a call, if it can be sent now. */
    private readonly offer: (call: T) => Offer,
  ) {}

  get size(): number {
    return this.#waiting.size;
  }

  /** How many calls wait, with one that may be about to. */
  sizeWith(call: T): number {
    return this.#waiting.size + (this.#waiting.has(call) ? 0 : 1);
  }

  /** Whether a call waits for something that those behind it need as well, so that none may overtake it. */
  get blocked(): boolean {
    return this.#blocked;
  }

  /** The calls that wait behind this one. */
  *behind(call: T): Iterable<T> {
    let found = false;
    for (const each of this.#waiting) {
      if (found) yield each;
      else found = each === call;
    }
  }

  /** Sends a new call at once, or puts it in the queue; false if it would have to wait and `limit` calls already do. */
  add(call: T, limit: number): boolean {
    const offered = this.#blocked ? 'blocked' : this.offer(call);
    if (offered === 'taken') return true;
    if (this.#waiting.size >= limit) return false;
    this.#waiting.add(call);
    if (offered === 'blocked') this.#blocked = true;
    return true;
  }

  remove(call: T): void {
    if (this.#waiting.delete(call) && this.#waiting.size === 0) this.#blocked = false;
  }

  /** Offers the waiting calls again, in their order, because something has changed. */
  wake(): void {
    this.#wakeAgain = true;
    // Sending a call may show that a connection is broken, which wakes the queue.
    if (this.#waking) return;
    this.#waking = true;
    try {
      while (this.#wakeAgain) {
        this.#wakeAgain = false;
        this.#offerAll();
      }
    } finally {
      this.#waking = false;
    }
  }

  /** Removes and returns all calls. */
  drain(): T[] {
    const all = [...this.#waiting];
    this.#waiting.clear();
    this.#blocked = false;
    return all;
  }

  #offerAll(): void {
    this.#blocked = false;
    for (const call of this.#waiting) {
      const offered = this.offer(call);
      if (offered === 'taken') this.#waiting.delete(call);
      if (offered !== 'blocked') continue;
      this.#blocked = true;
      return;
    }
  }
}
