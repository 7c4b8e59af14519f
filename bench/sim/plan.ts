import { type LoadBalancingOptions, mergeLoadBalancing } from '../../libs/grpc-lb/src/core/options/load-balancing.js';
import { CENTRAL_QUEUE, type Subject, policyFactoryOf, STANDARD_SUBJECTS } from './subjects.js';
import type { RunResult } from './result.js';
import { run, type Setting, traceOf } from './run.js';
import { DEFAULT_CLIENTS, DEFAULT_LOADS, type Scenario } from './scenario.js';
import { scenarioNamed } from './scenarios/index.js';

/** The unit of work of one worker: one scenario at one load with one seed, so that its random values are drawn once. */
export interface Task {
  readonly scenario: string;
  readonly load: number;
  readonly clients: readonly number[];
  readonly seed: number;
  readonly subjects: readonly Subject[];
  readonly balancing: LoadBalancingOptions;
  /** The fraction of its duration for which a scenario without a script runs. */
  readonly stretch: number;
}

/** One run, and its place in the plan. */
export interface Entry extends RunResult {
  readonly scenario: string;
  readonly load: number;
  /** A subject without clients has the same result for each number of them. */
  readonly clients: number;
  readonly seed: number;
  readonly subject: string;
}

export interface Plan {
  readonly scenarios: readonly Scenario[];
  /** Undefined: all policies of the package, and those that a scenario adds. */
  readonly subjects: readonly Subject[] | undefined;
  /** Undefined: those of each scenario. */
  readonly loads: readonly number[] | undefined;
  readonly clients: readonly number[] | undefined;
  readonly seeds: readonly number[];
  /** Overrides the options of each scenario. */
  readonly balancing: LoadBalancingOptions;
  /** One situation of each scenario, and shorter. */
  readonly quick: boolean;
}

const QUICK = { load: 0.7, clients: 10, stretch: 0.25 };

export function tasksOf({ scenarios, subjects, loads, clients, seeds, balancing, quick }: Plan): Task[] {
  return scenarios.flatMap((scenario) => {
    const all = scenario.clients ?? DEFAULT_CLIENTS;
    const quickClients = all.includes(QUICK.clients) ? [QUICK.clients] : all.slice(0, 1);
    return (loads ?? (quick ? [QUICK.load] : (scenario.loads ?? DEFAULT_LOADS))).flatMap((load) =>
      seeds.map((seed) => ({
        scenario: scenario.name,
        load,
        clients: clients ?? (quick ? quickClients : all),
        seed,
        subjects: [
          CENTRAL_QUEUE,
          ...(subjects ?? scenario.subjects ?? [...STANDARD_SUBJECTS, ...(scenario.alsoCompared ?? [])]),
        ],
        balancing,
        stretch: quick ? QUICK.stretch : 1,
      })),
    );
  });
}

export async function perform(task: Task): Promise<Entry[]> {
  const { load, seed, subjects, clients, stretch } = task;
  const named = stretched(scenarioNamed(task.scenario), stretch);
  const scenario = { ...named, balancing: mergeLoadBalancing(named.balancing, task.balancing) };
  const trace = traceOf({ scenario, load, clients: 1, seed });
  const entries: Entry[] = [];
  for (const subject of subjects) {
    const createPolicy = await policyFactoryOf(subject);
    const entry = (count: number, result: RunResult): Entry => ({
      scenario: scenario.name,
      load,
      clients: count,
      seed,
      subject: subject.name,
      ...result,
    });
    const simulate = (count: number): RunResult => {
      const setting: Setting = { scenario, load, clients: count, seed };
      return run(setting, trace, subject, createPolicy);
    };
    if (createPolicy) entries.push(...clients.map((count) => entry(count, simulate(count))));
    else {
      const result = simulate(1);
      entries.push(...clients.map((count) => entry(count, result)));
    }
  }
  return entries;
}

function stretched(scenario: Scenario, stretch: number): Scenario {
  if (stretch === 1 || scenario.window || scenario.timeline) return scenario;
  const { workload } = scenario;
  return { ...scenario, workload: { ...workload, duration: workload.duration * stretch } };
}
