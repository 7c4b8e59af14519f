/**
 * A pool of workers like that of a database or a thread pool: a fixed number of tasks at the same time, the rest in a
 * queue, first come first served. A backend that gets more work than it can do therefore becomes slower.
 */
export class WorkerPool {
  #busy = 0;
  readonly #queue = new Set<() => void>();

  constructor(private readonly slots: number) {}

  get queued(): number {
    return this.#queue.size;
  }

  get inFlight(): number {
    return this.#busy + this.#queue.size;
  }

  /**
   * Resolves when the work has ended, with whether it was done: a caller that gives up frees its slot or its place in
   * the queue at once. The duration is determined when the work starts, not when it is queued.
   */
  run(durationMs: () => number, gone: AbortSignal): Promise<boolean> {
    if (gone.aborted) return Promise.resolve(false);
    return new Promise((resolve) => {
      let timer: NodeJS.Timeout | undefined;
      const begin = (): void => {
        this.#busy++;
        timer = setTimeout(() => {
          gone.removeEventListener('abort', leave);
          this.#free();
          resolve(true);
        }, durationMs());
      };
      const leave = (): void => {
        if (timer === undefined) this.#queue.delete(begin);
        else {
          clearTimeout(timer);
          this.#free();
        }
        resolve(false);
      };
      gone.addEventListener('abort', leave, { once: true });
      if (this.#busy < this.slots) begin();
      else this.#queue.add(begin);
    });
  }

  #free(): void {
    this.#busy--;
    for (const begin of this.#queue) {
      this.#queue.delete(begin);
      return begin();
    }
  }
}
