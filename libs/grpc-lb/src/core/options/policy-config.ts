import { boolean, type Check, didYouMean, type Fault, fields, integer, isObject, number, shown } from './validation.js';

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

export type PolicyConfig = LeastRequestConfig | RoundRobinConfig | RandomConfig | PickFirstConfig;
export type PolicyName = PolicyConfig['name'];

/** What each policy takes beside its name. */
const POLICY_FIELDS: Readonly<Record<PolicyName, Readonly<Record<string, Check>>>> = {
  least_request: { choiceCount: integer({ min: 2, max: 1000 }), activeRequestBias: number({ min: 0, max: 10 }) },
  round_robin: {},
  random: {},
  pick_first: { shuffleAddressList: boolean },
};

export const POLICY_NAMES = Object.keys(POLICY_FIELDS) as readonly PolicyName[];

/** A policy is its config, or just its name. */
export const policyCheck: Check = (path, value, faults) => {
  if (typeof value !== 'string' && !isObject(value)) {
    faults.push({
      path,
      message: `is ${shown(value)}; use the name of a policy or an object with it: ${POLICY_NAMES.join(', ')}`,
    });
    return;
  }
  const name = typeof value === 'string' ? value : (value as { name?: unknown }).name;
  const namePath = typeof value === 'string' ? path : `${path}.name`;
  if (!isPolicyName(name)) {
    faults.push(misnamed(namePath, name));
  } else if (typeof value !== 'string') {
    fields({ name: () => {}, ...POLICY_FIELDS[name] })(path, value, faults);
  }
};

export function isPolicyName(name: unknown): name is PolicyName {
  return typeof name === 'string' && Object.hasOwn(POLICY_FIELDS, name);
}

function misnamed(path: string, name: unknown): Fault {
  const meant = typeof name === 'string' ? didYouMean(name, POLICY_NAMES) : '';
  return { path, message: `is ${shown(name)}, which is no policy${meant}; use one of ${POLICY_NAMES.join(', ')}` };
}
