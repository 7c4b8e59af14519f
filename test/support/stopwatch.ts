import { performance } from 'node:perf_hooks';
import { onTestFinished } from 'vitest';

const BEAT_MS = 5;

/**
 * Measures how long something takes, less what the machine took away: a process that waits for a CPU beside eight others
 * is not slow. While it runs, a timer beats; by how much a beat comes late in the worst case is not counted.
 */
export class Stopwatch {
  #beatAt = performance.now();
  #worst = 0;
  readonly #timer = setInterval(() => this.#beat(), BEAT_MS);

  constructor() {
    onTestFinished(() => clearInterval(this.#timer));
  }

  async time(work: () => Promise<unknown>): Promise<number> {
    this.#beatAt = performance.now();
    this.#worst = 0;
    const start = performance.now();
    await work();
    const took = performance.now() - start;
    this.#beat();
    return Math.max(0, took - this.#worst);
  }

  #beat(): void {
    const now = performance.now();
    this.#worst = Math.max(this.#worst, now - this.#beatAt - BEAT_MS);
    this.#beatAt = now;
  }
}
