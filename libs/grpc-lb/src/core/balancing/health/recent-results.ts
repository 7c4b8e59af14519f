/** How the attempt of a call ended, as a statement about the endpoint. */
export type ResultKind =
  | 'ok'
  /** An answer that is neither a success nor a failure of the endpoint, such as NOT_FOUND, or the caller cancelled. */
  | 'refused'
  | 'failed'
  /** The deadline passed. */
  | 'timed_out';

/** Results that suffice to judge the current state of an endpoint. */
export const RECENT_RESULTS = 32;

const KINDS: readonly ResultKind[] = ['ok', 'refused', 'failed', 'timed_out'];
const REFUSED = KINDS.indexOf('refused');
const FAILED = KINDS.indexOf('failed');

const NO_KINDS = new Uint8Array(0);
const NO_TIMES = new Float64Array(0);

/** The last results of one endpoint, with their times. */
export class RecentResults {
  /** Created with the first result, because a list may have thousands of endpoints. */
  #kinds = NO_KINDS;
  #times = NO_TIMES;
  #next = 0;
  size = 0;
  /** How many of them are refusals. */
  refused = 0;
  lastAt = -Infinity;

  record(kind: ResultKind, now: number): void {
    if (this.#kinds === NO_KINDS) {
      this.#kinds = new Uint8Array(RECENT_RESULTS);
      this.#times = new Float64Array(RECENT_RESULTS);
    }
    const code = KINDS.indexOf(kind);
    if (this.size < RECENT_RESULTS) this.size++;
    else if (this.#kinds[this.#next] === REFUSED) this.refused--;
    if (code === REFUSED) this.refused++;
    this.#kinds[this.#next] = code;
    this.#times[this.#next] = now;
    this.#next = (this.#next + 1) % RECENT_RESULTS;
    this.lastAt = now;
  }

  /** The number of results since `time`, and the number of failures among them. */
  since(time: number): { readonly calls: number; readonly failures: number } {
    let calls = 0;
    let failures = 0;
    for (; calls < this.size; calls++) {
      const i = (this.#next - 1 - calls + RECENT_RESULTS) % RECENT_RESULTS;
      if (this.#times[i]! < time) break;
      if (this.#kinds[i]! >= FAILED) failures++;
    }
    return { calls, failures };
  }

  clear(): void {
    this.size = this.refused = 0;
    this.lastAt = -Infinity;
  }
}
