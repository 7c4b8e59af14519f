import type {
  LeastRequestConfig,
  PickFirstConfig,
  PolicyConfig,
  RandomConfig,
  RoundRobinConfig,
} from '../../core/options/policy-config.js';
import { type ClientDecorator, declareAspect } from './metadata.js';

export type LeastRequestOptions = Omit<LeastRequestConfig, 'name'>;
export type PickFirstOptions = Omit<PickFirstConfig, 'name'>;

/** The fewest calls in flight wins; the default policy. For `loadBalancing: { policy: leastRequest() }`. */
export function leastRequest(options: LeastRequestOptions = {}): LeastRequestConfig {
  return { ...options, name: 'least_request' };
}

/** One endpoint after the other. For `loadBalancing: { policy: roundRobin() }`. */
export function roundRobin(): RoundRobinConfig {
  return { name: 'round_robin' };
}

/** An endpoint at random, in proportion to its weight. For `loadBalancing: { policy: random() }`. */
export function random(): RandomConfig {
  return { name: 'random' };
}

/** The first endpoint that is ready, the others stand by. For `loadBalancing: { policy: pickFirst() }`. */
export function pickFirst(options: PickFirstOptions = {}): PickFirstConfig {
  return { ...options, name: 'pick_first' };
}

/** The fewest calls in flight wins; the default policy. */
export const LeastRequest: (options?: LeastRequestOptions) => ClientDecorator = decorator(
  '@LeastRequest',
  leastRequest,
);

/** One endpoint after the other. */
export const RoundRobin: () => ClientDecorator = decorator('@RoundRobin', roundRobin);

/** An endpoint at random, in proportion to its weight. */
export const Random: () => ClientDecorator = decorator('@Random', random);

/** The first endpoint that is ready, the others stand by. */
export const PickFirst: (options?: PickFirstOptions) => ClientDecorator = decorator('@PickFirst', pickFirst);

function decorator<Options extends unknown[]>(
  name: string,
  policy: (...options: Options) => PolicyConfig,
): (...options: Options) => ClientDecorator {
  return (...options) => {
    // Without the parentheses it is called with the class, and what it returns would take the place of that.
    if (typeof options[0] === 'function') throw new TypeError(`write ${name}()`);
    return declareAspect(name, { policy: policy(...options) });
  };
}
