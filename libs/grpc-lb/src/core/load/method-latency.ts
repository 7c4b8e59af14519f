import { RunningMean } from './running-mean.js';

/** Methods that have a mean of their own; a proxy may be called with names that somebody has made up. */
const MAX_METHODS = 1000;

/**
 * What is usual for each method, over all endpoints. A backend that happens to get the slow method is not slow: its
 * latencies are measured by those of the method.
 */
export class MethodLatency {
  readonly #means = new Map<string, RunningMean>();

  /** How many times as long as usual this took: 1 for the first of its method. */
  ratio(method: string, latency: number): number {
    const usual = this.#means.get(this.#nameOf(method))?.value ?? latency;
    return usual > 0 ? latency / usual : 1;
  }

  /** Milliseconds; undefined where no call of it has ended yet. */
  usual(method: string): number | undefined {
    return this.#means.get(this.#nameOf(method))?.value;
  }

  record(method: string, latency: number): void {
    const name = this.#nameOf(method);
    let mean = this.#means.get(name);
    if (!mean) this.#means.set(name, (mean = new RunningMean()));
    mean.record(latency);
  }

  #nameOf(method: string): string {
    return this.#means.size < MAX_METHODS || this.#means.has(method) ? method : '';
  }
}
