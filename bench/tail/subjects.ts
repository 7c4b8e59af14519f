import type { PolicyConfig } from '../../libs/grpc-lb/src/core/options/policy-config.js';

/** Who balances the calls of a run. */
export type Subject =
  /** The bound, for real: a client that alone knows every slot. What it loses, the machine and the wire lose. */
  | { readonly kind: 'queue'; readonly name: string }
  /** Nest's own client with a policy of grpc-js. */
  | { readonly kind: 'stock'; readonly name: string; readonly config: object }
  /** Nest's own client as it is, with one connection to a proxy that balances. */
  | { readonly kind: 'proxy'; readonly name: string; readonly proxy: ProxyName }
  /** `hedges`: the name of the same subject without hedging. */
  | { readonly kind: 'own'; readonly name: string; readonly policy: PolicyConfig; readonly hedges?: string };

export type ProxyName = 'haproxy' | 'nginx';

export const QUEUE_OVER_SOCKETS = 'central queue, over sockets';

/** Within a run as short as these, weights are used after two seconds, not ten. */
const BLACKOUT_MS = 2000;

/** Out of band: with reports in trailers grpc-js 1.14 parses a .proto file for each answer, and the client stands still. */
const GRPC_JS_WEIGHTED = {
  enable_oob_load_report: true,
  oob_load_reporting_period: '1s',
  blackout_period: `${BLACKOUT_MS / 1000}s`,
};

const stock = (policy: string, config: object = {}): Subject => ({
  kind: 'stock',
  name: `Nest, ${policy}`,
  config: { [policy]: config },
});
const own = (policy: PolicyConfig, name: string = policy.name): Subject => ({ kind: 'own', name, policy });
const hedged = (policy: PolicyConfig): Subject => ({
  kind: 'own',
  name: `${policy.name}, hedged`,
  policy,
  hedges: policy.name,
});

export const SUBJECTS: readonly Subject[] = [
  { kind: 'queue', name: QUEUE_OVER_SOCKETS },
  stock('pick_first'),
  stock('round_robin'),
  stock('weighted_round_robin', GRPC_JS_WEIGHTED),
  { kind: 'proxy', name: 'haproxy, leastconn', proxy: 'haproxy' },
  { kind: 'proxy', name: 'nginx, least_conn', proxy: 'nginx' },
  own({ name: 'ring_hash', by: { field: 'session' }, boundedLoad: 1.25 }),
  own({ name: 'weighted_round_robin', blackoutPeriod: BLACKOUT_MS }),
  own({ name: 'least_request', choiceCount: 2 }, 'least_request, 2 choices'),
  own({ name: 'least_request' }),
  hedged({ name: 'least_request' }),
  own({ name: 'peak_ewma' }),
  own({ name: 'hot_cold' }),
  own({ name: 'adaptive' }),
  hedged({ name: 'adaptive' }),
];

export function subjectNamed(name: string): Subject {
  const subject = SUBJECTS.find((each) => each.name === name);
  if (subject) return subject;
  throw new RangeError(`There is no subject "${name}"; use ${SUBJECTS.map((each) => `"${each.name}"`).join(', ')}`);
}
