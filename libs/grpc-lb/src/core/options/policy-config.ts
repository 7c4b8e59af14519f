import { RING_HASH_FIELDS, ringHashCheck, type RingHashConfig } from './ring-hash-options.js';
import type { Fault } from '../errors.js';
import { boolean, type Check, didYouMean, fields, integer, isObject, number, shown } from './validation.js';
import {
  WEIGHTED_ROUND_ROBIN_FIELDS,
  weightedRoundRobinCheck,
  type WeightedRoundRobinConfig,
} from './weighted-round-robin-options.js';

/**
 * Least outstanding requests: the endpoint with the fewest calls in flight wins; ties are broken at random (gRFC A48,
 * Envoy LEAST_REQUEST). With unequal weights the greatest `weight / (inFlight + 1) ^ activeRequestBias` wins, and while
 * all are idle calls are shared out in proportion to the weights.
 */
export interface LeastRequestConfig {
  /** The name of the policy. */
  readonly name: 'least_request';
  /**
   * Distinct endpoints, chosen at random, that are compared for each call: a whole number from 2 to 1000. All endpoints
   * are compared if there are not more, or while weights are unequal.
   *
   * @default all of them up to 100 endpoints, five above
   */
  readonly choiceCount?: number;
  /**
   * How strongly calls in flight count against the weight of an endpoint, from 0 (only the weight counts) to 10; it has
   * no effect while all weights are equal.
   *
   * @default 1, as Envoy's `active_request_bias`
   */
  readonly activeRequestBias?: number;
}

/**
 * This project's own policy: combines calls in flight, latency relative to the other endpoints, and the load that
 * backends report in trailers (gRFC A51) into one number. The endpoint with the lowest one gets the call.
 */
export interface AdaptiveConfig {
  /** The name of the policy. */
  readonly name: 'adaptive';
}

/**
 * Peak EWMA (Finagle, Linkerd): the lowest product of latency and calls in flight. Latency follows each peak at once.
 */
export interface PeakEwmaConfig {
  /** The name of the policy. */
  readonly name: 'peak_ewma';
  /**
   * Time constant of the latency average in milliseconds, 100 to 600000: after this time a third of a peak is left.
   *
   * @default 10000
   */
  readonly decayTime?: number;
}

/**
 * Hot-cold lexicographic rule (Prequal): the fastest of the endpoints that are not hot wins; if all are hot, the least
 * busy one. Endpoints report how busy they are in the trailers of their responses.
 */
export interface HotColdConfig {
  /** The name of the policy. */
  readonly name: 'hot_cold';
  /**
   * Quantile of the recent loads above which an endpoint is hot, from 0 (the least busy endpoint wins) to 1 (the
   * fastest wins).
   *
   * @default 0.84
   */
  readonly hotQuantile?: number;
}

/** One endpoint after the other. Ignores weights. */
export interface RoundRobinConfig {
  /** The name of the policy. */
  readonly name: 'round_robin';
}

/** An endpoint at random, in proportion to its weight. */
export interface RandomConfig {
  /** The name of the policy. */
  readonly name: 'random';
}

/**
 * The first ready endpoint in the order of discovery; the others stay connected as standbys. Unlike the `pick_first` of
 * grpc-js it returns to an earlier endpoint as soon as that one is ready again.
 */
export interface PickFirstConfig {
  /** The name of the policy. */
  readonly name: 'pick_first';
  /**
   * Whether each client shuffles the endpoints (gRFC A62), so that not all clients use the same one.
   *
   * @default false
   */
  readonly shuffleAddressList?: boolean;
}

/** A policy with its options. */
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
/** A policy that works without options; `ring_hash` needs a key. */
export type PolicyName = Exclude<PolicyConfig['name'], 'ring_hash'>;

/** The fields of each policy beside its name. */
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

/** Checks combinations of fields that are valid by themselves. */
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
