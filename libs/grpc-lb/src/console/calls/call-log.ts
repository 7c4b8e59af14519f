import type { CallRecord } from './call-record.js';

const FAILED_KEPT = 20;
const SLOW_KEPT = 10;
/** The slowest calls are those of the last one to two of these. */
const SLOW_WINDOW_MS = 30_000;

/** The last failed calls of a client, and the slowest of the last minute, in constant memory. */
export class CallLog {
  readonly #failed: CallRecord[] = [];
  /** The slowest first, of this window and of the one before. */
  #slow: CallRecord[] = [];
  #slowBefore: CallRecord[] = [];
  #windowBegan = -Infinity;

  addFailed(call: CallRecord): void {
    this.#failed.unshift(call);
    if (this.#failed.length > FAILED_KEPT) this.#failed.pop();
  }

  /** Whether a call that succeeded belongs to the slowest; ask before a record of it is created. */
  isSlow(durationMs: number, now: number): boolean {
    this.#turn(now);
    return this.#slow.length < SLOW_KEPT || durationMs > this.#slow.at(-1)!.durationMs;
  }

  addSlow(call: CallRecord): void {
    const at = this.#slow.findIndex(({ durationMs }) => durationMs < call.durationMs);
    this.#slow.splice(at === -1 ? this.#slow.length : at, 0, call);
    if (this.#slow.length > SLOW_KEPT) this.#slow.pop();
  }

  /** The latest first. */
  get failed(): readonly CallRecord[] {
    return this.#failed;
  }

  /** The slowest first. */
  slow(now: number): readonly CallRecord[] {
    this.#turn(now);
    return [...this.#slow, ...this.#slowBefore]
      .toSorted((one, other) => other.durationMs - one.durationMs)
      .slice(0, SLOW_KEPT);
  }

  #turn(now: number): void {
    const age = now - this.#windowBegan;
    if (age < SLOW_WINDOW_MS) return;
    this.#slowBefore = age < 2 * SLOW_WINDOW_MS ? this.#slow : [];
    this.#slow = [];
    this.#windowBegan = now;
  }
}
