/** How many times as long as at full speed a job takes that begins at that time. */
export type SlownessAt = (time: number) => number;

/**
 * A backend that works on a fixed number of calls at a time, first come, first served. When a job will be done is known
 * when it comes, so that timers only deliver answers: a timer that is late makes its own answer late, and takes nothing
 * from what the backend can do.
 */
export class Slots {
  /** When each slot has done what is before it. */
  readonly #freeAt: Float64Array;
  #scheduled = 0;

  constructor(
    slots: number,
    private readonly slownessAt: SlownessAt,
  ) {
    this.#freeAt = new Float64Array(slots);
  }

  /** When a job that arrives now will finish. A caller who gives up does not stop it: a handler is seldom told. */
  take(now: number, work: number): number {
    const freeAt = this.#freeAt;
    let first = 0;
    for (let i = 1; i < freeAt.length; i++) if (freeAt[i]! < freeAt[first]!) first = i;
    const start = Math.max(now, freeAt[first]!);
    const length = work * this.slownessAt(start);
    this.#scheduled += length;
    return (freeAt[first] = start + length);
  }

  /** Milliseconds that its slots have worked until now, all together. */
  worked(now: number): number {
    return this.#freeAt.reduce((sum, freeAt) => sum - Math.max(0, freeAt - now), this.#scheduled);
  }
}
