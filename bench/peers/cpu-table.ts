import type { CpuRun } from './run-spec.js';

/** One subject in one round; microseconds for each message. */
export interface CpuRound {
  readonly cpu: number;
  readonly wall: number;
  /** To the baseline: the median over the slices, so that a disturbance of some does not count. */
  readonly ratio: number;
}

/** @param slices Of one subject, each next in turn to the one of the baseline. */
export function roundOf(slices: readonly CpuRun[], baseline: readonly CpuRun[], messagesOfSlice: number): CpuRound {
  const messages = slices.length * messagesOfSlice;
  return {
    cpu: slices.reduce((sum, { cpu }) => sum + cpu, 0) / messages,
    wall: slices.reduce((sum, { wall }) => sum + wall, 0) / messages,
    ratio: median(slices.map(({ cpu }, i) => cpu / baseline[i]!.cpu)),
  };
}

/** As it is shown: the median over the rounds, with the least and the most. */
export interface CpuRow {
  readonly client: string;
  readonly cpu: string;
  /** To the baseline in the same round. */
  readonly ratio: string;
  /** What the ratio should be at most; empty for subjects that have no goal. */
  readonly goal: string;
  readonly wall: string;
}

export interface CpuTable {
  readonly title: string;
  /** CPU_HEAD if there is none. */
  readonly head?: readonly string[];
  readonly rows: readonly CpuRow[];
}

export const CPU_HEAD = ['client', 'CPU µs', 'over Nest, round_robin', 'goal', 'µs, wall'];

export function cpuRows(
  results: ReadonlyMap<string, readonly CpuRound[]>,
  goals: ReadonlyMap<string, number>,
): CpuRow[] {
  return Array.from(results, ([client, runs]) => ({
    client,
    cpu: spread(
      runs.map(({ cpu }) => cpu),
      1,
    ),
    ratio: spread(
      runs.map(({ ratio }) => ratio),
      2,
    ),
    goal: goals.has(client) ? `≤ ${goals.get(client)!.toFixed(2)}` : '',
    wall: spread(
      runs.map(({ wall }) => wall),
      1,
    ),
  }));
}

export function cellsOf({ client, cpu, ratio, goal, wall }: CpuRow): string[] {
  return [client, cpu, ratio, goal, wall];
}

function spread(numbers: readonly number[], digits: number): string {
  const [low, high] = [Math.min(...numbers), Math.max(...numbers)];
  return `${median(numbers).toFixed(digits)} (${low.toFixed(digits)} to ${high.toFixed(digits)})`;
}

function median(numbers: readonly number[]): number {
  const sorted = numbers.toSorted((a, b) => a - b);
  const middle = (sorted.length - 1) / 2;
  return (sorted[Math.floor(middle)]! + sorted[Math.ceil(middle)]!) / 2;
}
