import { RunningMean } from './running-mean.js';

/** Limits the methods with a mean of their own: a proxy may receive calls with arbitrary method names. */
const MAX_METHODS = 1000;

/**
 * The usual latency of each method over all endpoints. An endpoint that happens to get the slow method is not slow: its
 * latencies are measured relative to those of the method.
 */
export class MethodLatency {
  readonly #means = new Map<string, RunningMean>();

  /** The latency as a multiple of the usual one; 1 for the first call of a method. */
  ratio(method: string, latency: number): number {
    const usual = this.#means.get(this.#nameOf(method))?.value ?? latency;
    return usual > 0 ? latency / usual : 1;
  }

  /** The usual latency in milliseconds; undefined before the first call of the method has ended. */
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
