import type { Cancel, Clock } from '../clock.js';

/** How often the event loop is looked at. */
export const BEAT_MS = 100;
/** A beat that is late by so much was held up. Less happens on every busy machine, and explains no missed deadline. */
export const STALL_MS = 200;

/**
 * Notices that this process itself stood still: its event loop was busy, or the process was stopped. What such a stall
 * explains is not the peer's fault: an answer may lie unread in a socket, as timers run before sockets are read, so a
 * deadline or a silence that ends with a stall teaches nothing.
 *
 * It needs no order among timers: while the beat itself is overdue, the stall is taken to end now.
 */
export class OwnStall {
  #watchers = 0;
  #cancelBeat: Cancel | undefined;
  #dueAt = 0;
  #endedAt = -Infinity;
  #lost = 0;

  constructor(private readonly clock: Clock) {}

  /** Notices stalls from now on, until what it returns is called. It costs one timer, however many watch. */
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

  /** When the last stall ended, on the clock; -Infinity if there was none. */
  get endedAt(): number {
    return this.#late >= STALL_MS ? this.clock.now() : this.#endedAt;
  }

  /** Whether a stall has ended since that time, which it may have begun before. */
  wasStalledSince(since: number): boolean {
    return this.endedAt >= since;
  }

  /** The clock without the time that was lost to stalls: a peer has been silent only for as long as this has moved. */
  get awake(): number {
    return this.clock.now() - this.#lost - Math.max(0, this.#late - STALL_MS);
  }

  /** How late the beat is as things stand. */
  get #late(): number {
    return this.#cancelBeat === undefined ? 0 : this.clock.now() - this.#dueAt;
  }

  #expectBeat(): void {
    this.#dueAt = this.clock.now() + BEAT_MS;
    this.#cancelBeat = this.clock.after(BEAT_MS, () => {
      if (this.#late >= STALL_MS) {
        this.#endedAt = this.clock.now();
        this.#lost += this.#late - STALL_MS;
      }
      this.#expectBeat();
    });
  }
}
