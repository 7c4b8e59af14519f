import type { Task } from './plan.js';

/**
 * Tells how far a simulation is: on a terminal how many tasks are done, elsewhere each scenario when its last task is.
 * The seconds are those of one thread.
 */
export class Progress {
  readonly #left = new Map<string, number>();
  readonly #seconds = new Map<string, number>();
  readonly #scenarios: number;
  readonly #tasks: number;
  #done = 0;

  constructor(
    tasks: readonly Task[],
    private readonly out: { readonly isTTY?: boolean; write(words: string): unknown },
  ) {
    for (const { scenario } of tasks) this.#left.set(scenario, (this.#left.get(scenario) ?? 0) + 1);
    this.#scenarios = this.#left.size;
    this.#tasks = tasks.length;
  }

  done({ scenario }: Task, seconds: number): void {
    this.#done++;
    const total = (this.#seconds.get(scenario) ?? 0) + seconds;
    this.#seconds.set(scenario, total);
    const left = this.#left.get(scenario)! - 1;
    this.#left.set(scenario, left);
    if (left === 0) this.#left.delete(scenario);
    if (this.out.isTTY) this.out.write(`\r${this.#done} of ${this.#tasks} `);
    else if (left === 0) {
      const over = this.#scenarios - this.#left.size;
      this.out.write(`${scenario}: ${total.toFixed(1)} s; ${over} of ${this.#scenarios} scenarios\n`);
    }
  }

  end(): void {
    if (this.out.isTTY) this.out.write('\r');
  }
}
