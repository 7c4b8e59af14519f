import { parseArgs } from 'node:util';
import { type Subject, SUBJECTS, subjectNamed } from './subjects.js';
import { type Scenario, scenarioNamed, SCENARIOS } from './model/scenario.js';
import type { HedgeDelay, RunSpec } from './model/run-spec.js';

export interface TailOptions {
  readonly scenarios: readonly Scenario[];
  readonly subjects: readonly Subject[];
  readonly rounds: number;
  /** Numbers of client processes, one after the other. */
  readonly clients: readonly number[];
  /** Processes that the backends are spread over. */
  readonly processes: number;
  /** All but scenario, seed and clients. */
  readonly base: Pick<RunSpec, 'load' | 'work' | 'warmUp' | 'seconds' | 'deadline' | 'hedgeDelay'>;
  readonly write: boolean;
  readonly quick: boolean;
}

export const USAGE = `npm run bench tail -- [options]

  --scenarios a,b     ${SCENARIOS.map(({ name }) => name).join(', ')}; default all
  --subjects "a;b" names as in the table; default all but proxies
  --proxies           haproxy and nginx too, which have to be installed
  --rounds 3          of all subjects, each with calls of its own
  --clients 1,6       numbers of client processes; default 1,6
  --seconds 7         that count in a run, after --warm-up 3
  --load 0.7          share of what all backends together can do
  --work 30           milliseconds of a call in the mean
  --processes 4       that the eight backends are spread over
  --hedging           policies with and without hedging, while one backend is slow: long runs of one client
  --hedge-delay p95   milliseconds or a quantile, of subjects that hedge; default that of the package
  --quick             under a minute: what matters most, one round, one client
  --write             docs/measurements/benchmarks.md and its plots`;

const QUICK = {
  scenarios: ['two_slow'],
  subjects: ['central queue, over sockets', 'Nest, round_robin', 'least_request', 'adaptive'],
};
const HEDGING = {
  scenarios: ['one_slow'],
  subjects: ['least_request', 'least_request, hedged', 'adaptive', 'adaptive, hedged'],
};

export function tailOptions(argv: readonly string[]): TailOptions {
  const { values } = parseArgs({
    args: [...argv],
    options: {
      scenarios: { type: 'string' },
      subjects: { type: 'string' },
      proxies: { type: 'boolean', default: false },
      rounds: { type: 'string' },
      clients: { type: 'string' },
      seconds: { type: 'string' },
      'warm-up': { type: 'string' },
      load: { type: 'string', default: '0.7' },
      work: { type: 'string', default: '30' },
      processes: { type: 'string', default: '4' },
      hedging: { type: 'boolean', default: false },
      'hedge-delay': { type: 'string' },
      quick: { type: 'boolean', default: false },
      write: { type: 'boolean', default: false },
    },
  });
  const { quick, proxies, hedging } = values;
  const hedgeDelay = values['hedge-delay'];
  const preset = hedging ? HEDGING : quick ? QUICK : undefined;
  const scenarios = values.scenarios?.split(',') ?? preset?.scenarios;
  const named = values.subjects?.split(';') ?? preset?.subjects;
  return {
    scenarios: scenarios?.map((name) => scenarioNamed(name.trim())) ?? SCENARIOS,
    subjects:
      named?.map((name) => subjectNamed(name.trim())) ?? SUBJECTS.filter(({ kind }) => proxies || kind !== 'proxy'),
    rounds: numberOf('--rounds', values.rounds ?? (quick ? '1' : '3'), 1, 100),
    clients: (values.clients ?? (preset ? '1' : '1,6')).split(',').map((word) => numberOf('--clients', word, 1, 64)),
    processes: numberOf('--processes', values.processes, 1, 8),
    base: {
      load: numberOf('--load', values.load, 0.01, 0.99),
      work: numberOf('--work', values.work, 1, 1000),
      warmUp: numberOf('--warm-up', values['warm-up'] ?? (quick ? '2' : '3'), 1, 60),
      // Of seven seconds only four or five calls are beyond p99.9.
      seconds: numberOf('--seconds', values.seconds ?? (hedging ? '20' : quick ? '5' : '7'), 1, 600),
      deadline: 2000,
      hedgeDelay:
        hedgeDelay === undefined || Number.isNaN(Number(hedgeDelay)) ? (hedgeDelay as HedgeDelay) : Number(hedgeDelay),
    },
    write: values.write,
    quick,
  };
}

function numberOf(option: string, word: string, least: number, most: number): number {
  const value = Number(word);
  if (word.trim() === '' || !(value >= least && value <= most)) {
    throw new RangeError(`${option} is ${word}; use ${least} to ${most}`);
  }
  return value;
}
