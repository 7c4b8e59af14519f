import { createHistogram } from 'node:perf_hooks';

/** How one call ended. */
export interface CallOutcome {
  readonly ok: boolean;
  /** From the intended start. */
  readonly latencyMs: number;
  /** The backend that answered; null when none did. */
  readonly address: string | null;
}

/** The figures of a phase, which `--json` writes. */
export interface PhaseSummary {
  readonly phase: string;
  readonly policy: string;
  /** Calls that have ended, errors included. */
  readonly calls: number;
  readonly errors: number;
  /** Milliseconds, of the calls that succeeded; null when none did. */
  readonly p50: number | null;
  readonly p99: number | null;
  /** Calls by the backend that answered them; an error that no backend sent counts only in `errors`. */
  readonly endpoints: Readonly<Record<string, number>>;
}

/** Counts a whole phase in constant memory. */
export class Tally {
  #calls = 0;
  #errors = 0;
  readonly #endpoints: Map<string, number>;
  /** In microseconds, to three significant figures. */
  readonly #latencies = createHistogram({ figures: 3 });

  constructor(
    readonly phase: string,
    readonly policy: string,
    addresses: readonly string[],
  ) {
    this.#endpoints = new Map(addresses.map((address) => [address, 0]));
  }

  add({ ok, latencyMs, address }: CallOutcome): void {
    this.#calls++;
    if (ok) this.#latencies.record(Math.max(1, Math.round(latencyMs * 1000)));
    else this.#errors++;
    if (address !== null) this.#endpoints.set(address, (this.#endpoints.get(address) ?? 0) + 1);
  }

  summary(): PhaseSummary {
    return {
      phase: this.phase,
      policy: this.policy,
      calls: this.#calls,
      errors: this.#errors,
      p50: this.#percentile(50),
      p99: this.#percentile(99),
      endpoints: Object.fromEntries(this.#endpoints),
    };
  }

  #percentile(percent: number): number | null {
    if (this.#latencies.count === 0) return null;
    return Math.round(this.#latencies.percentile(percent) / 100) / 10;
  }
}
