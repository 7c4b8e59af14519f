import type { Clock } from '../clock.js';
import type { MethodOptions } from '../options/load-balancing.js';
import type { PolicyConfig } from '../options/policy-config.js';
import type { Random } from '../random.js';
import { createPolicy } from './create-policy.js';
import type { LoadReport } from './load-report.js';
import type { CallInfo, Candidate, Policy } from './policy.js';
import type { WeightsUpdate } from './weights-update.js';

/** Limits the cached paths: a proxy may receive calls with arbitrary method names. */
const MAX_PATHS = 1000;

/** The policies of one client: one common policy, and one for each method that configures its own. */
export class PolicySet {
  /** For all methods without their own policy. */
  readonly common: Policy;
  readonly all: readonly Policy[];
  readonly #byName: ReadonlyMap<string, Policy>;
  readonly #byPath = new Map<string, Policy>();

  constructor(common: Policy, byName: ReadonlyMap<string, Policy> = new Map()) {
    this.common = common;
    this.#byName = byName;
    this.all = [common, ...byName.values()];
  }

  static of(
    {
      policy,
      methods = {},
    }: { readonly policy: PolicyConfig; readonly methods?: Readonly<Record<string, MethodOptions>> | undefined },
    random: Random,
    clock: Clock,
    onWeights?: (update: WeightsUpdate) => void,
  ): PolicySet {
    const common = createPolicy(policy, random, clock, onWeights);
    const own = Object.entries(methods).flatMap(([name, { policy: other }]): [string, Policy][] => {
      if (other === undefined) return [];
      const config = typeof other === 'string' ? { name: other } : other;
      return [[name, createPolicy(config, random, clock, onWeights)]];
    });
    return new PolicySet(common, new Map(own));
  }

  for({ method }: CallInfo): Policy {
    return this.all.length === 1 ? this.common : (this.#byPath.get(method) ?? this.#find(method));
  }

  /** How often backends should report out of band; undefined if no policy needs it. */
  get reportInterval(): number | undefined {
    const intervals = this.all.flatMap(({ reportInterval }) => reportInterval ?? []);
    return intervals.length > 0 ? Math.min(...intervals) : undefined;
  }

  report(candidate: Candidate, report: LoadReport): void {
    for (const policy of this.all) policy.report?.(candidate, report);
  }

  members(all: readonly Candidate[]): void {
    for (const policy of this.all) policy.members?.(all);
  }

  ready(candidate: Candidate): void {
    for (const policy of this.all) policy.ready?.(candidate);
  }

  forget(candidate: Candidate): void {
    for (const policy of this.all) policy.forget?.(candidate);
  }

  #find(path: string): Policy {
    const policy = this.#byName.get(path.slice(path.lastIndexOf('/') + 1)) ?? this.common;
    if (this.#byPath.size < MAX_PATHS) this.#byPath.set(path, policy);
    return policy;
  }
}
