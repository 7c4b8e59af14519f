import type { Metadata } from '@grpc/grpc-js';
import type {
  AdaptiveConfig,
  HotColdConfig,
  LeastRequestConfig,
  PeakEwmaConfig,
  PickFirstConfig,
  PolicyConfig,
  RandomConfig,
  RoundRobinConfig,
} from '../../core/options/policy-config.js';
import type { HashKeySource, RingHashConfig } from '../../core/options/ring-hash-options.js';
import type { WeightedRoundRobinConfig } from '../../core/options/weighted-round-robin-options.js';
import { GrpcLbOptionsError } from '../../core/errors.js';
import { isObject, shown } from '../../core/options/validation.js';
import { assertParentheses, type ClientDecorator, declareAspect } from './metadata.js';

export type LeastRequestOptions = Omit<LeastRequestConfig, 'name'>;
export type PeakEwmaOptions = Omit<PeakEwmaConfig, 'name'>;
export type HotColdOptions = Omit<HotColdConfig, 'name'>;
export type WeightedRoundRobinOptions = Omit<WeightedRoundRobinConfig, 'name'>;
export type PickFirstOptions = Omit<PickFirstConfig, 'name'>;

/** Works out the key of a call; `method` is as in `/orders.v1.Orders/Find`, and a stream of requests is no request. */
// The request is of any of the client's methods; who writes the function knows its fields.
// oxlint-disable-next-line typescript/no-explicit-any
export type HashKey = (request: any, metadata: Metadata, method: string) => string | undefined;

export interface RingHashOptions extends Omit<RingHashConfig, 'name' | 'by'> {
  /**
   * The key of a call: the name of a metadata key, as in `'x-session-id'`; a field of the request, as in
   * `{ field: 'customer.id' }`; or a function of request, metadata and method.
   */
  readonly by: Exclude<HashKeySource, (...args: never) => unknown> | HashKey;
}

/** The fewest calls in flight wins; the default policy. For `loadBalancing: { policy: leastRequest() }`. */
export function leastRequest(options: LeastRequestOptions = {}): LeastRequestConfig {
  return { ...options, name: 'least_request' };
}

/** Calls in flight, latency and what backends report, in one number. For `loadBalancing: { policy: adaptive() }`. */
export function adaptive(): AdaptiveConfig {
  return { name: 'adaptive' };
}

/** The lowest product of latency and calls in flight. For `loadBalancing: { policy: peakEwma() }`. */
export function peakEwma(options: PeakEwmaOptions = {}): PeakEwmaConfig {
  return { ...options, name: 'peak_ewma' };
}

/** The fastest of those that are not too busy. For `loadBalancing: { policy: hotCold() }`. */
export function hotCold(options: HotColdOptions = {}): HotColdConfig {
  return { ...options, name: 'hot_cold' };
}

/** One endpoint after the other. For `loadBalancing: { policy: roundRobin() }`. */
export function roundRobin(): RoundRobinConfig {
  return { name: 'round_robin' };
}

/**
 * One endpoint after the other, the stronger ones more often, by what backends report or by weights from discovery. For
 * `loadBalancing: { policy: weightedRoundRobin() }`.
 */
export function weightedRoundRobin(options: WeightedRoundRobinOptions = {}): WeightedRoundRobinConfig {
  return { ...options, name: 'weighted_round_robin' };
}

/** Calls with the same key stay together. For `loadBalancing: { policy: ringHash({ by: 'x-session-id' }) }`. */
export function ringHash(options: RingHashOptions): RingHashConfig {
  return { ...options, name: 'ring_hash' };
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

/** Calls in flight, latency and what backends report, in one number. */
export const Adaptive: () => ClientDecorator = decorator('@Adaptive', adaptive);

/** The lowest product of latency and calls in flight. */
export const PeakEwma: (options?: PeakEwmaOptions) => ClientDecorator = decorator('@PeakEwma', peakEwma);

/** The fastest of those that are not too busy. */
export const HotCold: (options?: HotColdOptions) => ClientDecorator = decorator('@HotCold', hotCold);

/** One endpoint after the other. */
export const RoundRobin: () => ClientDecorator = decorator('@RoundRobin', roundRobin);

/** One endpoint after the other, the stronger ones more often. */
export const WeightedRoundRobin: (options?: WeightedRoundRobinOptions) => ClientDecorator = decorator(
  '@WeightedRoundRobin',
  weightedRoundRobin,
);

/** Calls with the same key stay together. */
export const RingHash: (options: RingHashOptions) => ClientDecorator = decorator('@RingHash', ringHash);

/** An endpoint at random, in proportion to its weight. */
export const Random: () => ClientDecorator = decorator('@Random', random);

/** The first endpoint that is ready, the others stand by. */
export const PickFirst: (options?: PickFirstOptions) => ClientDecorator = decorator('@PickFirst', pickFirst);

function decorator<Options extends unknown[]>(
  name: string,
  policy: (...options: Options) => PolicyConfig,
): (...options: Options) => ClientDecorator {
  return (...options) => {
    assertParentheses(name, options[0]);
    const example = name === '@RingHash' ? ", as in { by: 'x-session-id' }" : ', or no argument';
    if (options[0] !== undefined && !isObject(options[0]))
      throw new GrpcLbOptionsError(name, [
        { path: 'options', message: `is ${shown(options[0])}; use an object with the policy's options${example}` },
      ]);
    return declareAspect(name, { policy: policy(...options) });
  };
}
