import { groupBy } from '../engine/group-by.js';
import { mean } from '../engine/quantiles.js';
import { CENTRAL_QUEUE } from '../subjects.js';
import type { Entry } from '../plan.js';

/** One subject in one situation, over all seeds. Ratios are relative to the central queue on the same draws. */
export interface Cell {
  readonly scenario: string;
  readonly load: number;
  readonly clients: number;
  readonly subject: string;
  readonly mean: number;
  readonly p50: number;
  readonly p99: number;
  readonly p999: number;
  /** Lowest and highest p99 over the seeds. */
  readonly spread: readonly [number, number];
  readonly failed: number;
  readonly attempts: number;
  /** The share of the calls at the busiest and at the least busy server. */
  readonly busiest: number;
  readonly idlest: number;
  /** The share of the calls that left the zone of their client. */
  readonly crossed: number;
  readonly maxInFlight: number;
  /** Milliseconds, not ratios. */
  readonly absolute: { readonly p50: number; readonly p99: number; readonly p999: number };
  readonly methods: readonly { readonly failed: number; readonly p99: number }[];
  readonly timeline: readonly number[];
}

export function cellsOf(entries: readonly Entry[]): Cell[] {
  const bounds = new Map(
    entries.filter(({ subject }) => subject === CENTRAL_QUEUE.name).map((entry) => [runKey(entry), entry]),
  );
  const groups = groupBy(entries, (entry) => `${situationKey(entry)}/${entry.subject}`);
  return [...groups.values()].map((runs) => cellOf(runs, bounds));
}

export function situationKey({ scenario, load, clients }: Pick<Entry, 'scenario' | 'load' | 'clients'>): string {
  return `${scenario}/${load}/${clients}`;
}

function runKey(entry: Entry): string {
  return `${situationKey(entry)}/${entry.seed}`;
}

function cellOf(runs: readonly Entry[], bounds: ReadonlyMap<string, Entry>): Cell {
  const { scenario, load, clients, subject } = runs[0]!;
  const over = (value: (run: Entry) => number): number => mean(runs.map(value));
  const ratio = (measure: 'mean' | 'p50' | 'p99' | 'p999') => (run: Entry) =>
    run[measure] / bounds.get(runKey(run))![measure];
  const p99s = runs.map(ratio('p99'));
  return {
    scenario,
    load,
    clients,
    subject,
    mean: over(ratio('mean')),
    p50: over(ratio('p50')),
    p99: mean(p99s),
    p999: over(ratio('p999')),
    spread: [Math.min(...p99s), Math.max(...p99s)],
    failed: over((run) => run.failed),
    attempts: over((run) => run.attempts),
    busiest: over(({ shares }) => Math.max(...shares)),
    idlest: over(({ shares }) => Math.min(...shares)),
    crossed: over((run) => run.crossed),
    maxInFlight: Math.max(...runs.map((run) => run.maxInFlight)),
    absolute: { p50: over((run) => run.p50), p99: over((run) => run.p99), p999: over((run) => run.p999) },
    methods: runs[0]!.methods.map((_, i) => ({
      failed: over(({ methods }) => methods[i]!.failed),
      p99: over(({ methods }) => methods[i]!.p99),
    })),
    timeline: runs[0]!.timeline.map((_, second) => over((run) => run.timeline[second]!)),
  };
}
