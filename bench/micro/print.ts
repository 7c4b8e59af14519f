import { run } from 'mitata';
import { saveResults } from '../results/store.js';

/** Nanoseconds. */
export interface MicroRow {
  readonly name: string;
  readonly p50: number;
  readonly mean: number;
  readonly p99: number;
}

/** Runs what was declared with `bench`, prints it, and keeps it for the page. */
export async function runAndPrint(name: string): Promise<void> {
  const { benchmarks } = await run({ format: 'quiet' });
  const rows = benchmarks.map(({ alias, runs }): MicroRow => {
    const { p50, avg, p99 } = runs[0]!.stats!;
    return { name: alias, p50, mean: avg, p99 };
  });
  console.log(`${'nanoseconds'.padEnd(72)}${['p50', 'mean', 'p99'].map((head) => head.padStart(10)).join('')}`);
  for (const { name: what, p50, mean, p99 } of rows) {
    console.log(`${what.padEnd(72)}${[p50, mean, p99].map((value) => value.toFixed(0).padStart(10)).join('')}`);
  }
  saveResults('micro', `micro-${name}`, { rows });
}
