import { quantile } from '../../sim/engine/quantiles.js';

/** By how much timers were late, in milliseconds. */
export interface LatenessSummary {
  readonly p50: number;
  readonly p99: number;
  readonly max: number;
}

export class Lateness {
  #values: number[] = [];

  add(value: number): void {
    this.#values.push(value);
  }

  reset(): void {
    this.#values = [];
  }

  summary(): LatenessSummary {
    const sorted = Float64Array.from(this.#values).toSorted();
    if (sorted.length === 0) return { p50: 0, p99: 0, max: 0 };
    return { p50: quantile(sorted, 0.5), p99: quantile(sorted, 0.99), max: sorted.at(-1)! };
  }
}

/** That of the worst. */
export function worstOf(summaries: readonly LatenessSummary[]): LatenessSummary {
  const most = (key: keyof LatenessSummary): number => Math.max(...summaries.map((summary) => summary[key]));
  return { p50: most('p50'), p99: most('p99'), max: most('max') };
}
