import { availableParallelism } from 'node:os';
import { parseArgs } from 'node:util';
import { assertLoadBalancing, type LoadBalancingOptions } from '../../libs/grpc-lb/src/core/options/load-balancing.js';
import { subjectsOf } from './subjects.js';
import type { Plan } from './plan.js';
import { SCENARIOS, scenarioNamed } from './scenarios/index.js';

export interface SimOptions {
  readonly plan: Plan;
  /** Write the page and its plots. */
  readonly write: boolean;
  /** The file for all results, as JSON. */
  readonly json: string | undefined;
  /** The file to read results from, if nothing is to be run. */
  readonly from: readonly string[] | undefined;
  readonly threads: number;
  readonly list: boolean;
  /** The laboratory of long streams instead of that of calls. */
  readonly streams: boolean;
}

export const USAGE = `npm run sim -- [options]

  --scenarios a,b        which ones (--list names them); default all
  --policies a,b         names, configs in JSON, perfect, p2c, or paths of modules; default all of the package;
                         adaptive+hedge, adaptive+p98: with hedging
  --clients 1,10         default: what each scenario says
  --load 0.7,0.85        shares of the capacity; default: what each scenario says
  --balancing {...}      loadBalancing options in JSON, over those of each scenario: '{"ejection":{"enabled":false}}'
  --seeds 3              how many, from 1 on; default 3
  --quick                one seed, ten clients, 70 %, and a quarter of the time where nothing happens in it
  --json file            writes all results there
  --from a.json,b.json   takes them from there, and runs nothing
  --write                docs/measurements/laboratory.md and its plots
  --threads n            default: as many as there are cores
  --list                 the scenarios
  --streams              long streams instead of calls, with --seeds and --write (docs/measurements/streams.md)`;

export function simOptions(argv: readonly string[]): SimOptions {
  const { values } = parseArgs({
    args: [...argv],
    options: {
      scenarios: { type: 'string' },
      policies: { type: 'string' },
      clients: { type: 'string' },
      load: { type: 'string' },
      balancing: { type: 'string' },
      seeds: { type: 'string' },
      threads: { type: 'string' },
      json: { type: 'string' },
      from: { type: 'string' },
      quick: { type: 'boolean', default: false },
      write: { type: 'boolean', default: false },
      list: { type: 'boolean', default: false },
      streams: { type: 'boolean', default: false },
    },
  });
  const { quick } = values;
  const seeds = values.seeds === undefined ? (quick ? 1 : 3) : numberOf('--seeds', values.seeds, 1);
  return {
    plan: {
      scenarios: values.scenarios?.split(',').map((name) => scenarioNamed(name.trim())) ?? SCENARIOS,
      subjects: values.policies === undefined ? undefined : subjectsOf(values.policies),
      clients: numbersOf('--clients', values.clients, 1),
      quick,
      loads: numbersOf('--load', values.load, 0.0001),
      balancing: values.balancing === undefined ? {} : balancingOf(values.balancing),
      seeds: Array.from({ length: seeds }, (_, i) => i + 1),
    },
    write: values.write,
    json: values.json,
    from: values.from?.split(','),
    threads: values.threads === undefined ? availableParallelism() : numberOf('--threads', values.threads, 1),
    list: values.list,
    streams: values.streams,
  };
}

function balancingOf(json: string): LoadBalancingOptions {
  const options: unknown = JSON.parse(json);
  assertLoadBalancing('--balancing', options);
  return options;
}

function numbersOf(option: string, list: string | undefined, least: number): number[] | undefined {
  return list?.split(',').map((word) => numberOf(option, word, least));
}

function numberOf(option: string, word: string, least: number): number {
  const value = Number(word);
  if (word.trim() === '' || !(value >= least)) throw new RangeError(`${option} is ${word}; use ${least} or more`);
  return value;
}
