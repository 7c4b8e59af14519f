import { performance } from 'node:perf_hooks';
import { closeWithTest } from '../run/close-with-test.js';

const BEAT_MS = 2;

/**
 * Measures how long something takes in the time that the machine gives to this process: a process that waits for a CPU
 * beside eight others is not slow. A timer beats, and a beat that comes late counts as one beat, and the CPU that the
 * process used meanwhile.
 */
export class Stopwatch {
  #beatAt = performance.now();
  #cpu = process.cpuUsage();
  #elapsed = 0;
  readonly #timer = setInterval(() => this.#beat(), BEAT_MS);

  constructor() {
    closeWithTest(() => clearInterval(this.#timer));
  }

  async time(work: () => Promise<unknown>): Promise<number> {
    this.#beat();
    this.#elapsed = 0;
    await work();
    this.#beat();
    return this.#elapsed;
  }

  #beat(): void {
    const now = performance.now();
    const { user, system } = process.cpuUsage(this.#cpu);
    this.#elapsed += Math.min(now - this.#beatAt, BEAT_MS + (user + system) / 1000);
    this.#beatAt = now;
    this.#cpu = process.cpuUsage();
  }
}
