import type { Call } from './call.js';
import { mean, quantile } from './engine/quantiles.js';
import type { Scenario } from './scenario.js';
import type { Server } from './servers/server.js';
import type { Trace } from './workload.js';

/** The result of one run: one scenario, one policy, one seed. Times in milliseconds. */
export interface RunResult {
  /** Calls that count: with a single answer, and within the window. */
  readonly calls: number;
  /** The share of them that failed. */
  readonly failed: number;
  /** Attempts per call of those that count. */
  readonly attempts: number;
  /** Latencies of the calls that succeeded. */
  readonly mean: number;
  readonly p50: number;
  readonly p99: number;
  readonly p999: number;
  /** The share of the calls that ended at each server. */
  readonly shares: readonly number[];
  /** The share of the calls that ended in another zone than that of their client. */
  readonly crossed: number;
  /** The maximum number of calls that one server had at the same time. */
  readonly maxInFlight: number;
  /** The same for each method of the workload. */
  readonly methods: readonly { readonly failed: number; readonly p99: number }[];
  /** One value for each second, if the scenario is drawn over time. */
  readonly timeline: readonly number[];
}

/** The index of the server of a call that its client refused. */
const REFUSED = -1;

/** Collects how calls end. */
export class Collector {
  readonly #latencies: Float64Array;
  readonly #servers: Int16Array;
  readonly #attempts: Uint8Array;
  #left: number;

  constructor(
    private readonly trace: Trace,
    private readonly isStream: (call: number) => boolean,
    private readonly onLast: () => void,
    /** Whether a server is in another zone than the client of a call. */
    private readonly crosses: (call: number, server: number) => boolean = () => false,
  ) {
    this.#latencies = new Float64Array(trace.size);
    this.#servers = new Int16Array(trace.size);
    this.#attempts = new Uint8Array(trace.size);
    this.#left = trace.size;
  }

  ended(call: Call, failed: boolean, server: Server | undefined, now: number): void {
    this.#latencies[call.index] = failed ? NaN : now - call.at;
    this.#servers[call.index] = server?.index ?? REFUSED;
    this.#attempts[call.index] = call.attempts;
    if (--this.#left === 0) this.onLast();
  }

  result(scenario: Scenario, servers: readonly Server[]): RunResult {
    const { window = [0, Infinity] } = scenario;
    const counted: number[] = [];
    for (let i = 0; i < this.trace.size; i++) {
      const at = this.trace.at[i]!;
      if (at >= window[0] && at < window[1] && !this.isStream(i)) counted.push(i);
    }
    const sorted = this.#sorted(counted);
    const shares = servers.map(() => 0);
    for (const i of counted) if (this.#servers[i] !== REFUSED) shares[this.#servers[i]!]! += 1 / counted.length;
    return {
      calls: counted.length,
      failed: 1 - sorted.length / counted.length,
      attempts: mean(counted.map((i) => this.#attempts[i]!)),
      mean: mean(sorted),
      p50: quantile(sorted, 0.5),
      p99: quantile(sorted, 0.99),
      p999: quantile(sorted, 0.999),
      shares,
      crossed: mean(counted.map((i) => Number(this.#servers[i] !== REFUSED && this.crosses(i, this.#servers[i]!)))),
      maxInFlight: Math.max(...servers.map(({ maxInFlight }) => maxInFlight)),
      methods: scenario.workload.methods.map((_, method) => {
        const own = counted.filter((i) => this.trace.method[i] === method);
        const latencies = this.#sorted(own);
        return { failed: 1 - latencies.length / own.length, p99: quantile(latencies, 0.99) };
      }),
      timeline: this.#timeline(scenario),
    };
  }

  #sorted(calls: readonly number[]): Float64Array {
    return Float64Array.from(
      calls.map((i) => this.#latencies[i]!).filter((latency) => !Number.isNaN(latency)),
    ).toSorted();
  }

  #timeline({ timeline, workload }: Scenario): number[] {
    if (timeline === undefined) return [];
    const seconds = Array.from({ length: Math.ceil(workload.duration / 1000) }, (): number[] => []);
    for (let i = 0; i < this.trace.size; i++) {
      if (!this.isStream(i)) seconds[Math.floor(this.trace.at[i]! / 1000)]?.push(i);
    }
    if (timeline === 'latency') return seconds.map((calls) => quantile(this.#sorted(calls), 0.99));
    if (timeline === 'attempts') return seconds.map((calls) => mean(calls.map((i) => this.#attempts[i]!)));
    const counts =
      timeline === 'failures'
        ? (i: number) => Number.isNaN(this.#latencies[i])
        : (i: number) => this.#servers[i]! >= timeline.shareFrom;
    return seconds.map((calls) => calls.filter(counts).length / calls.length);
  }
}
