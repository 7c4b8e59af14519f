import { RING_HASH_FIELDS, ringHashCheck, type RingHashConfig } from './ring-hash-options.js';
import type { Fault } from '../errors.js';
import { boolean, type Check, didYouMean, fields, integer, isObject, number, shown } from './validation.js';
import {
  WEIGHTED_ROUND_ROBIN_FIELDS,
  weightedRoundRobinCheck,
  type WeightedRoundRobinConfig,
} from './weighted-round-robin-options.js';

/**
 * Least outstanding requests: the endpoint with the fewest calls in flight wins, ties at random (gRFC A48, Envoy
 * LEAST_REQUEST). With unequal weights the greatest `weight / (inFlight + 1) ^ activeRequestBias` wins, and while all are
 * idle calls are shared out in proportion to the weights.
 */
export interface LeastRequestConfig {
  readonly name: 'least_request';
  /**
   * How many distinct endpoints, chosen at random, are compared for each call: a whole number from 2 to 1000. When it
   * reaches the number of endpoints, all are compared; so they are, whatever it says, while weights are unequal. Default:
   * all of them up to 100 endpoints, five above.
   */
  readonly choiceCount?: number;
  /**
   * How strongly calls in flight count against the weight of an endpoint, from 0 (only the weight counts) to 10; it
   * has no effect while all weights are equal. Default 1, as Envoy's `active_request_bias`.
   */
  readonly activeRequestBias?: number;
}

/**
 * The project's own: calls in flight, how fast each endpoint answers in comparison with the others, and what backends
 * report in the trailers of their answers (gRFC A51), in one number; the endpoint with the lowest gets the call.
 */
export interface AdaptiveConfig {
  readonly name: 'adaptive';
}

/** Peak EWMA (Finagle, Linkerd): the lowest product of latency and calls in flight. Latency follows each peak at once. */
export interface PeakEwmaConfig {
  readonly name: 'peak_ewma';
  /** How slowly a peak of latency is forgotten: milliseconds after which a third of it is left, 100 to 600000. Default 10000. */
  readonly decayTime?: number;
}

/**
 * Hot-cold lexicographic (Prequal): of the endpoints that are not too busy the fastest wins; when all are, the least busy.
 * How busy an endpoint is, it reports in the trailers of its answers.
 */
export interface HotColdConfig {
  readonly name: 'hot_cold';
  /**
   * An endpoint is too busy when it has more calls in flight than this share of what was seen lately, from 0 (the least
   * busy wins) to 1 (the fastest wins). Default 0.84.
   */
  readonly hotQuantile?: number;
}

/** One after the other. Weights are not regarded. */
export interface RoundRobinConfig {
  readonly name: 'round_robin';
}

/** An endpoint at random, in proportion to its weight. */
export interface RandomConfig {
  readonly name: 'random';
}

/**
 * The first endpoint in the order of discovery that may be picked; the others stay connected and stand by. Unlike
 * the `pick_first` of grpc-js it goes back to an earlier endpoint as soon as that one is ready again.
 */
export interface PickFirstConfig {
  readonly name: 'pick_first';
  /** Each client puts the endpoints in a random order of its own (gRFC A62), so that clients do not all sit on one. Default false. */
  readonly shuffleAddressList?: boolean;
}

export type PolicyConfig =
  | LeastRequestConfig
  | AdaptiveConfig
  | PeakEwmaConfig
  | HotColdConfig
  | RoundRobinConfig
  | WeightedRoundRobinConfig
  | RingHashConfig
  | RandomConfig
  | PickFirstConfig;
/** A policy that needs nothing but its name; ring hash has to be told what calls are kept together by. */
export type PolicyName = Exclude<PolicyConfig['name'], 'ring_hash'>;

/** What each policy takes beside its name. */
const POLICY_FIELDS: Readonly<Record<PolicyConfig['name'], Readonly<Record<string, Check>>>> = {
  least_request: { choiceCount: integer({ min: 2, max: 1000 }), activeRequestBias: number({ min: 0, max: 10 }) },
  adaptive: {},
  peak_ewma: { decayTime: integer({ min: 100, max: 600_000, unit: 'milliseconds' }) },
  hot_cold: { hotQuantile: number({ min: 0, max: 1 }) },
  round_robin: {},
  weighted_round_robin: WEIGHTED_ROUND_ROBIN_FIELDS,
  ring_hash: RING_HASH_FIELDS,
  random: {},
  pick_first: { shuffleAddressList: boolean },
};

/** What is wrong with options that are right by themselves. */
const TOGETHER: Readonly<Partial<Record<PolicyConfig['name'], Check>>> = {
  weighted_round_robin: weightedRoundRobinCheck,
  ring_hash: ringHashCheck,
};

export const POLICY_NAMES = Object.keys(POLICY_FIELDS) as readonly PolicyConfig['name'][];

/** A policy is its config, or just its name. */
export const policyCheck: Check = (path, value, faults) => {
  if (typeof value !== 'string' && !isObject(value)) {
    faults.push({
      path,
      message: `is ${shown(value)}; use a policy name, or an object with a name: ${POLICY_NAMES.join(', ')}`,
    });
    return;
  }
  const name = typeof value === 'string' ? value : (value as { name?: unknown }).name;
  const namePath = typeof value === 'string' ? path : `${path}.name`;
  if (!isPolicyName(name)) {
    faults.push(misnamed(namePath, name));
    return;
  }
  const config = typeof value === 'string' ? { name } : value;
  fields({ name: () => {}, ...POLICY_FIELDS[name] })(path, config, faults);
  TOGETHER[name]?.(path, config, faults);
};

export function isPolicyName(name: unknown): name is PolicyConfig['name'] {
  return typeof name === 'string' && Object.hasOwn(POLICY_FIELDS, name);
}

function misnamed(path: string, name: unknown): Fault {
  const meant = typeof name === 'string' ? didYouMean(name, POLICY_NAMES) : '';
  return {
    path,
    message: `is ${shown(name)}, which is not a known policy${meant}; use one of ${POLICY_NAMES.join(', ')}`,
  };
}
