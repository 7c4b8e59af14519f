import type { Cancel, Clock } from './clock.js';

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
  /** When what had piled up has been worked off: for as long again as the stall has lasted at most. */
  #workedOffAt = -Infinity;
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

  /**
   * Whether a stall explains how long something has taken since then that ends now: an answer may have come and not been
   * read. The stall has ended in the second half of that time, and what had piled up is still being worked off. One of
   * long ago explains nothing: where deadlines are long and stalls are common, it would excuse a peer that never answers.
   */
  explains(since: number): boolean {
    const now = this.clock.now();
    return this.wasStalledSince((since + now) / 2) && (this.#late >= STALL_MS || now <= this.#workedOffAt);
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
      const late = this.#late;
      if (late >= STALL_MS) {
        this.#endedAt = this.clock.now();
        this.#workedOffAt = Math.max(this.#workedOffAt, this.#endedAt + BEAT_MS + late);
        this.#lost += late - STALL_MS;
      }
      this.#expectBeat();
    });
  }
}
