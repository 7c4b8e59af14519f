import type { Candidate } from './policy.js';

/**
 * Caches what a policy computes for a list of candidates, for as long as the list is in use. Several lists may
 * alternate.
 */
export class PerList<T> {
  #last: readonly Candidate[] | undefined;
  #lastValue: T | undefined;
  readonly #values = new WeakMap<readonly Candidate[], T>();

  constructor(private readonly workOut: (candidates: readonly Candidate[]) => T) {}

  of(candidates: readonly Candidate[]): T {
    if (candidates === this.#last) return this.#lastValue!;
    let value = this.#values.get(candidates);
    if (value === undefined) this.#values.set(candidates, (value = this.workOut(candidates)));
    this.#last = candidates;
    this.#lastValue = value;
    return value;
  }
}
