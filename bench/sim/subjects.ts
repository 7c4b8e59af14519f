import { resolve } from 'node:path';
import { pathToFileURL } from 'node:url';
import type { Clock } from '../../libs/grpc-lb/src/core/clock.js';
import { assertLoadBalancing, effectiveLoadBalancing } from '../../libs/grpc-lb/src/core/options/load-balancing.js';
import type { PolicyConfig } from '../../libs/grpc-lb/src/core/options/policy-config.js';
import { createPolicy } from '../../libs/grpc-lb/src/core/policy/create-policy.js';
import type { Policy } from '../../libs/grpc-lb/src/core/policy/policy.js';
import type { Random } from '../../libs/grpc-lb/src/core/random.js';

/** Creates the policy of one client. */
export type PolicyFactory = (random: Random, clock: Clock) => Policy;

/** What a run measures: a name for tables, and the source of the policy. */
export type Subject =
  | { readonly kind: 'bound'; readonly name: string }
  | { readonly kind: 'oracle'; readonly name: string }
  | { readonly kind: 'config'; readonly name: string; readonly config: PolicyConfig }
  | { readonly kind: 'module'; readonly name: string; readonly path: string };

/** The reference for all the others. */
export const CENTRAL_QUEUE: Subject = { kind: 'bound', name: 'central queue' };
export const PERFECT_KNOWLEDGE: Subject = { kind: 'oracle', name: 'perfect knowledge' };

/** The policies of the package in the order of the tables: those that ignore load first. */
const CONFIGS: Readonly<Record<string, PolicyConfig>> = {
  random: { name: 'random' },
  round_robin: { name: 'round_robin' },
  weighted_round_robin: { name: 'weighted_round_robin' },
  'least_request, 2 choices': { name: 'least_request', choiceCount: 2 },
  least_request: { name: 'least_request' },
  peak_ewma: { name: 'peak_ewma' },
  hot_cold: { name: 'hot_cold' },
  adaptive: { name: 'adaptive' },
};

export const STANDARD_SUBJECTS: readonly Subject[] = [
  PERFECT_KNOWLEDGE,
  ...Object.entries(CONFIGS).map(([name, config]): Subject => ({ kind: 'config', name, config })),
];

/** Short names for the command line. */
const ALIASES: Readonly<Record<string, Subject>> = {
  central: CENTRAL_QUEUE,
  perfect: PERFECT_KNOWLEDGE,
  p2c: { kind: 'config', name: 'least_request, 2 choices', config: CONFIGS['least_request, 2 choices']! },
};

/**
 * One word of `--policies`: a policy's name or config in JSON, `perfect`, `p2c`, or the path of a module whose default
 * export is a `PolicyFactory`.
 */
export function subjectOf(word: string): Subject {
  const alias = ALIASES[word];
  if (alias) return alias;
  if (/\.[mc]?[jt]s$/.test(word)) return { kind: 'module', name: word.replace(/^.*\/|\.[^.]*$/g, ''), path: word };
  const config: unknown = word.startsWith('{') ? JSON.parse(word) : { name: word };
  assertLoadBalancing('--policies', { policy: config });
  const { policy } = effectiveLoadBalancing({ policy: config as PolicyConfig });
  return { kind: 'config', name: word.startsWith('{') ? describe(policy) : word, config: policy };
}

/** Words between commas; text within braces stays together. */
export function subjectsOf(list: string): Subject[] {
  const words = list.match(/\{[^}]*\}|[^,{}]+/g) ?? [];
  return words.map((word) => subjectOf(word.trim()));
}

export async function policyFactoryOf(subject: Subject): Promise<PolicyFactory | undefined> {
  if (subject.kind === 'config') {
    const { config } = subject;
    return (random, clock) => createPolicy(config, random, clock);
  }
  if (subject.kind !== 'module') return undefined;
  const { default: factory } = (await import(moduleUrl(subject.path))) as { default?: unknown };
  if (typeof factory !== 'function')
    throw new TypeError(`${subject.path} has no default export; export a function (random, clock) => Policy`);
  return factory as PolicyFactory;
}

/** A TypeScript file below `bench/sim` is compiled with the simulator. */
function moduleUrl(path: string): string {
  const compiled = path.endsWith('.ts') ? `dist/sim/${path.replace(/^\.\//, '').replace(/\.ts$/, '.js')}` : path;
  return pathToFileURL(resolve(compiled)).href;
}

function describe({ name, ...options }: PolicyConfig): string {
  const said = Object.entries(options).map(([key, value]) => `${key} ${String(value)}`);
  return [name, ...said].join(', ');
}
