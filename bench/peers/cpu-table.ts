/** Microseconds a call, of one subject in one round. */
export interface CpuRun {
  readonly cpu: number;
  readonly wall: number;
}

/** As it is shown: the median over the rounds, with the least and the most. */
export interface CpuRow {
  readonly client: string;
  readonly cpu: string;
  /** To the baseline in the same round. */
  readonly ratio: string;
  readonly wall: string;
}

export function cpuRows(results: ReadonlyMap<string, readonly CpuRun[]>, baseline: string): CpuRow[] {
  const bases = results.get(baseline)!;
  return Array.from(results, ([client, runs]) => ({
    client,
    cpu: spread(
      runs.map(({ cpu }) => cpu),
      0,
    ),
    ratio: spread(
      runs.map(({ cpu }, round) => cpu / bases[round]!.cpu),
      2,
    ),
    wall: spread(
      runs.map(({ wall }) => wall),
      0,
    ),
  }));
}

function spread(numbers: readonly number[], digits: number): string {
  const sorted = numbers.toSorted((a, b) => a - b);
  const [low, median, high] = [sorted[0]!, sorted[Math.floor(sorted.length / 2)]!, sorted.at(-1)!];
  return `${median.toFixed(digits)} (${low.toFixed(digits)} to ${high.toFixed(digits)})`;
}
