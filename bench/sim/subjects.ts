import { resolve } from 'node:path';
import { pathToFileURL } from 'node:url';
import type { Clock } from '../../libs/grpc-lb/src/core/clock.js';
import {
  assertLoadBalancing,
  effectiveLoadBalancing,
  type LoadBalancingOptions,
} from '../../libs/grpc-lb/src/core/options/load-balancing.js';
import type { PolicyConfig } from '../../libs/grpc-lb/src/core/options/policy-config.js';
import { createPolicy } from '../../libs/grpc-lb/src/core/policy/create-policy.js';
import type { Policy } from '../../libs/grpc-lb/src/core/policy/policy.js';
import type { Random } from '../../libs/grpc-lb/src/core/random.js';
import type { EffectiveSheddingOptions } from '../../libs/grpc-lb/src/server/options.js';
import type { CallModel, HedgeModel } from './clients/call-model.js';

/** Creates the policy of one client. */
export type PolicyFactory = (random: Random, clock: Clock) => Policy;

/** What a run measures: a name for tables, and the source of the policy. */
export type Subject =
  | { readonly kind: 'bound'; readonly name: string }
  | { readonly kind: 'oracle'; readonly name: string }
  | {
      readonly kind: 'config';
      readonly name: string;
      readonly config: PolicyConfig;
      readonly hedge?: HedgeModel;
      readonly limits?: Limits;
    }
  | { readonly kind: 'module'; readonly name: string; readonly path: string; readonly hedge?: HedgeModel };

/** What is compared where it is not policies: how clients and servers limit calls, or other options of the client. */
export interface Limits {
  readonly calls?: CallModel;
  /** Over the options of the scenario. */
  readonly balancing?: LoadBalancingOptions;
  /** Servers shed load as the server side does with these options. Default: none is shed. */
  readonly shedding?: EffectiveSheddingOptions;
}

/** A word of the command line for hedging, after the policy: `adaptive+hedge`, `adaptive+p98`. */
const HEDGE_WORD = /\+(hedge|p\d+)$/;
/** What the name of a subject with hedging contains. */
const HEDGING = ', hedge ';
const DEFAULT_QUANTILE = 'p95';

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

/** The same policy with hedging after a quantile of the latencies, such as `p98`. */
export function hedged(subject: Subject, quantile = DEFAULT_QUANTILE): Subject {
  if (subject.kind !== 'config' && subject.kind !== 'module') throw new RangeError(`${subject.name} has no clients`);
  const hedge = { quantile: Number(`0.${quantile.slice(1)}`), maxAttempts: 2, share: 0.03 };
  return { ...subject, name: `${subject.name}${HEDGING}${quantile}`, hedge };
}

export function isHedged(subject: string): boolean {
  return subject.includes(HEDGING);
}

/** `least_request` with these limits. */
export function limited(name: string, limits: Limits): Subject {
  return { kind: 'config', name, config: CONFIGS['least_request']!, limits };
}

/**
 * One word of `--policies`: a policy's name or config in JSON, `perfect`, `p2c`, or the path of a module whose default
 * export is a `PolicyFactory`; with `+hedge` or `+p98` behind it, its calls are hedged.
 */
export function subjectOf(word: string): Subject {
  const [suffix, quantile] = HEDGE_WORD.exec(word) ?? [];
  if (suffix !== undefined)
    return hedged(subjectOf(word.slice(0, -suffix.length)), quantile === 'hedge' ? undefined : quantile);
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
  const words = list.match(/\{[^}]*\}(?:\+\w+)?|[^,{}]+/g) ?? [];
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
