import { groupBy } from '../../sim/engine/group-by.js';
import { SUBJECTS } from '../subjects.js';
import { SCENARIOS } from '../model/scenario.js';
import { extraAttemptsOf, type Quantiles, type RunResult, unsound } from '../result.js';

/** The median over the rounds, and what lies around it. */
export interface Spread {
  readonly median: number;
  readonly low: number;
  readonly high: number;
}

/** One subject in one scenario with one number of clients, over all rounds. */
export interface Cell {
  readonly scenario: string;
  readonly clients: number;
  readonly subject: string;
  readonly rounds: number;
  /** Rounds in which timers were too late for the figures to mean much. */
  readonly unsound: number;
  readonly calls: number;
  /** Medians over the rounds. */
  readonly latency: Quantiles;
  readonly bound: Quantiles;
  /** Over the bound of the same round. */
  readonly p99: Spread;
  readonly p999: Spread;
  readonly timedOut: Spread;
  readonly failed: Spread;
  /** Shares of all calls that the idlest and the busiest backend got. */
  readonly idlest: number;
  readonly busiest: number;
  /** Attempts beyond the calls, as a share of the calls. */
  readonly extraAttempts: number;
  readonly cpu: Spread;
  readonly resident: number;
  readonly heap: number;
  readonly idleCall: number;
  /** Worst p99 over the rounds. */
  readonly lateStarts: number;
  readonly lateAnswers: number;
  /** Of the worst process over the rounds: the share of the time in which its event loop was not idle. */
  readonly busyClient: number;
  readonly busyBackend: number;
  readonly busyMachine: number;
}

/** In the order of scenarios, clients, subjects. */
export function cellsOf(results: readonly RunResult[]): Cell[] {
  const scenarios = SCENARIOS.map(({ name }) => name);
  const subjects = SUBJECTS.map(({ name }) => name);
  return [...groupBy(results, ({ subject, spec }) => `${spec.scenario}/${spec.clients}/${subject}`).values()]
    .map(cellOf)
    .toSorted(
      (a, b) =>
        scenarios.indexOf(a.scenario) - scenarios.indexOf(b.scenario) ||
        a.clients - b.clients ||
        subjects.indexOf(a.subject) - subjects.indexOf(b.subject),
    );
}

function cellOf(runs: readonly RunResult[]): Cell {
  const { subject, spec } = runs[0]!;
  const over = (value: (run: RunResult) => number): Spread => spreadOf(runs.map(value));
  const median = (value: (run: RunResult) => number): number => over(value).median;
  const quantiles = (of: (run: RunResult) => Quantiles): Quantiles => ({
    p50: median((run) => of(run).p50),
    p90: median((run) => of(run).p90),
    p99: median((run) => of(run).p99),
    p999: median((run) => of(run).p999),
  });
  const came = (run: RunResult): number => run.counts.reduce((sum, count) => sum + count, 0);
  return {
    scenario: spec.scenario,
    clients: spec.clients,
    subject,
    rounds: runs.length,
    unsound: runs.filter((run) => unsound(run) !== undefined).length,
    calls: runs.reduce((sum, { calls }) => sum + calls, 0),
    latency: quantiles(({ latency }) => latency),
    bound: quantiles(({ bound }) => bound),
    p99: over(({ latency, bound }) => latency.p99 / bound.p99),
    p999: over(({ latency, bound }) => latency.p999 / bound.p999),
    timedOut: over(({ timedOut }) => timedOut),
    failed: over(({ failed }) => failed),
    idlest: median((run) => Math.min(...run.counts) / came(run)),
    busiest: median((run) => Math.max(...run.counts) / came(run)),
    extraAttempts: median((run) => extraAttemptsOf(run)),
    cpu: over(({ cpu }) => cpu),
    resident: median(({ resident }) => resident),
    heap: median(({ heap }) => heap),
    idleCall: median(({ idleCall }) => idleCall),
    lateStarts: Math.max(...runs.map(({ lateStarts }) => lateStarts.p99)),
    lateAnswers: Math.max(...runs.map(({ lateAnswers }) => lateAnswers.p99)),
    busyClient: Math.max(...runs.map(({ busyClient }) => busyClient)),
    busyBackend: Math.max(...runs.map(({ busyBackend }) => busyBackend)),
    busyMachine: median(({ busyMachine }) => busyMachine),
  };
}

export function spreadOf(values: readonly number[]): Spread {
  const sorted = values.toSorted((a, b) => a - b);
  const middle = (sorted.length - 1) / 2;
  return {
    median: (sorted[Math.floor(middle)]! + sorted[Math.ceil(middle)]!) / 2,
    low: sorted[0]!,
    high: sorted.at(-1)!,
  };
}
