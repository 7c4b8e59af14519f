import type { Cancel, Clock } from './clock.js';

/** The interval at which the event loop is checked. */
export const BEAT_MS = 100;
/**
 * A beat that is this late was held up. Shorter delays happen on every busy machine, and do not explain a missed
 * deadline.
 */
export const STALL_MS = 200;

/**
 * Detects stalls of this process: its event loop was busy, or the process was stopped. The effects of a stall are not
 * the peer's fault: timers run before sockets are read, so an answer may be unread in a socket, and a deadline or a
 * silence that ends with a stall says nothing about the peer.
 *
 * It does not depend on the order of timers: while the beat itself is overdue, the stall counts as ending now.
 */
export class OwnStall {
  #watchers = 0;
  #cancelBeat: Cancel | undefined;
  #dueAt = 0;
  #endedAt = -Infinity;
  /** When the backlog of the stall has been processed: it takes at most as long as the stall lasted. */
  #workedOffAt = -Infinity;
  #lost = 0;

  constructor(private readonly clock: Clock) {}

  /** Starts detecting stalls; the returned function stops it. All watchers share one timer. */
  watch(): Cancel {
    if (this.#watchers++ === 0) this.#expectBeat();
    let watching = true;
    return () => {
      if (!watching) return;
      watching = false;
      if (--this.#watchers > 0) return;
      this.#cancelBeat?.();
      this.#cancelBeat = undefined;
    };
  }

  /** When the last stall ended, by the clock; -Infinity if there was none. */
  get endedAt(): number {
    return this.#endedBy(this.clock.now());
  }

  /** Whether a stall has ended since `since`; it may have begun earlier. */
  wasStalledSince(since: number): boolean {
    return this.endedAt >= since;
  }

  /**
   * Whether a stall explains the duration of an operation that lasted from `since` until `now`: an answer may have
   * arrived unread. The stall must have ended in the second half of that time, and its backlog must still be in
   * process. An older stall explains nothing: with long deadlines and frequent stalls, it would excuse a peer that
   * never answers.
   */
  explains(since: number, now: number): boolean {
    if (this.#endedBy(now) < (since + now) / 2) return false;
    return now <= this.#workedOffAt || this.#lateAt(now) >= STALL_MS;
  }

  /** The clock minus the time lost to stalls: use it to measure how long a peer has been silent. */
  get awake(): number {
    return this.clock.now() - this.#lost - Math.max(0, this.#lateAt(this.clock.now()) - STALL_MS);
  }

  /**
   * Calls back once this process has been awake for `delayMs`: a wait for a peer that a stall has outlasted goes on, so
   * that what has arrived meanwhile is read first.
   */
  after(delayMs: number, callback: () => void): Cancel {
    const end = this.awake + delayMs;
    const look = (): void => {
      const left = end - this.awake;
      if (left > 0) cancel = this.clock.after(left, look);
      else callback();
    };
    let cancel = this.clock.after(delayMs, look);
    return () => cancel();
  }

  /** How late the beat is. */
  #lateAt(now: number): number {
    return this.#cancelBeat === undefined ? 0 : now - this.#dueAt;
  }

  /** When the last stall ended; a stall that is not over ends now. */
  #endedBy(now: number): number {
    return this.#lateAt(now) >= STALL_MS ? now : this.#endedAt;
  }

  #expectBeat(): void {
    this.#dueAt = this.clock.now() + BEAT_MS;
    this.#cancelBeat = this.clock.after(BEAT_MS, () => {
      const now = this.clock.now();
      const late = this.#lateAt(now);
      if (late >= STALL_MS) {
        this.#endedAt = now;
        this.#workedOffAt = Math.max(this.#workedOffAt, this.#endedAt + BEAT_MS + late);
        this.#lost += late - STALL_MS;
      }
      this.#expectBeat();
    });
  }
}
