const SLICES = 10;

/** Successes and failures over a sliding window, kept in ten slices of it. */
export class SuccessWindow {
  readonly #successes = Array.from({ length: SLICES }, () => 0);
  readonly #failures = Array.from({ length: SLICES }, () => 0);
  /** The number of the newest slice since the beginning of time. */
  #newest = 0;
  /** The window that the slices are parts of; another one begins anew. */
  #windowMs = 0;

  record(failed: boolean, now: number, windowMs: number): void {
    this.#turn(now, windowMs);
    const counts = failed ? this.#failures : this.#successes;
    counts[this.#newest % SLICES]!++;
  }

  /** How many results there are in the window, and which share of them was a success. */
  read(now: number, windowMs: number): { readonly calls: number; readonly rate: number } {
    if (windowMs !== this.#windowMs) return { calls: 0, rate: 1 };
    const oldest = sliceAt(now, windowMs) - SLICES + 1;
    let successes = 0;
    let failures = 0;
    for (let slice = Math.max(oldest, this.#newest - SLICES + 1); slice <= this.#newest; slice++) {
      if (slice < 0) continue;
      successes += this.#successes[slice % SLICES]!;
      failures += this.#failures[slice % SLICES]!;
    }
    const calls = successes + failures;
    return { calls, rate: calls === 0 ? 1 : successes / calls };
  }

  clear(): void {
    this.#successes.fill(0);
    this.#failures.fill(0);
  }

  #turn(now: number, windowMs: number): void {
    const slice = sliceAt(now, windowMs);
    if (windowMs !== this.#windowMs) {
      this.clear();
      this.#windowMs = windowMs;
      this.#newest = slice;
    }
    for (let empty = Math.max(this.#newest + 1, slice - SLICES + 1); empty <= slice; empty++) {
      this.#successes[empty % SLICES] = 0;
      this.#failures[empty % SLICES] = 0;
    }
    this.#newest = Math.max(this.#newest, slice);
  }
}

function sliceAt(now: number, windowMs: number): number {
  return Math.floor((now * SLICES) / windowMs);
}
