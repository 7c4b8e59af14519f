const SLICES = 10;

/** Counts successes and failures over a sliding window in ten slices. */
export class SuccessWindow {
  /** Empty before the first result, because a list may have thousands of endpoints. */
  #successes: number[] = [];
  #failures: number[] = [];
  /** The index of the newest slice, counted from time 0. */
  #newest = 0;
  /** The length of the window to which the slices belong; a different length clears them. */
  #windowMs = 0;

  record(failed: boolean, now: number, windowMs: number): void {
    this.#turn(now, windowMs);
    const counts = failed ? this.#failures : this.#successes;
    counts[this.#newest % SLICES]!++;
  }

  /** The number of results in the window, and the share of successes among them. */
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

  #create(): void {
    this.#successes = Array.from({ length: SLICES }, () => 0);
    this.#failures = Array.from({ length: SLICES }, () => 0);
  }

  #turn(now: number, windowMs: number): void {
    const slice = sliceAt(now, windowMs);
    if (this.#successes.length === 0) this.#create();
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
