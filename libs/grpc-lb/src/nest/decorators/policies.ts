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

/** Options of `least_request`, without its name. */
export type LeastRequestOptions = Omit<LeastRequestConfig, 'name'>;
/** Options of `peak_ewma`, without its name. */
export type PeakEwmaOptions = Omit<PeakEwmaConfig, 'name'>;
/** Options of `hot_cold`, without its name. */
export type HotColdOptions = Omit<HotColdConfig, 'name'>;
/** Options of `weighted_round_robin`, without its name. */
export type WeightedRoundRobinOptions = Omit<WeightedRoundRobinConfig, 'name'>;
/** Options of `pick_first`, without its name. */
export type PickFirstOptions = Omit<PickFirstConfig, 'name'>;

/**
 * Returns the key of a call; `method` is as in `/orders.v1.Orders/Find`. A stream of requests has no single request.
 */
// The request may be of any method of the client; the author of the function knows its fields.
// oxlint-disable-next-line typescript/no-explicit-any
export type HashKey = (request: any, metadata: Metadata, method: string) => string | undefined;

/** Options of `ring_hash`, without its name. */
export interface RingHashOptions extends Omit<RingHashConfig, 'name' | 'by'> {
  /**
   * The key of a call: the name of a metadata key, such as `'x-session-id'`; a field of the request, such as `{ field:
   * 'customer.id' }`; or a function of request, metadata and method.
   */
  readonly by: Exclude<HashKeySource, (...args: never) => unknown> | HashKey;
}

/**
 * The fewest calls in flight wins; the default policy.
 *
 * @example
 *   loadBalancing: { policy: leastRequest() }
 */
export function leastRequest(options: LeastRequestOptions = {}): LeastRequestConfig {
  return { ...options, name: 'least_request' };
}

/**
 * Calls in flight, latency and reported load in one number; the lowest wins.
 *
 * @example
 *   loadBalancing: { policy: adaptive() }
 */
export function adaptive(): AdaptiveConfig {
  return { name: 'adaptive' };
}

/**
 * The lowest product of latency and calls in flight wins.
 *
 * @example
 *   loadBalancing: { policy: peakEwma() }
 */
export function peakEwma(options: PeakEwmaOptions = {}): PeakEwmaConfig {
  return { ...options, name: 'peak_ewma' };
}

/**
 * The fastest of the endpoints that are not too busy wins.
 *
 * @example
 *   loadBalancing: { policy: hotCold() }
 */
export function hotCold(options: HotColdOptions = {}): HotColdConfig {
  return { ...options, name: 'hot_cold' };
}

/**
 * One endpoint after the other.
 *
 * @example
 *   loadBalancing: { policy: roundRobin() }
 */
export function roundRobin(): RoundRobinConfig {
  return { name: 'round_robin' };
}

/**
 * One endpoint after the other, in proportion to weights from load reports or discovery.
 *
 * @example
 *   loadBalancing: { policy: weightedRoundRobin() }
 */
export function weightedRoundRobin(options: WeightedRoundRobinOptions = {}): WeightedRoundRobinConfig {
  return { ...options, name: 'weighted_round_robin' };
}

/**
 * Calls with the same key go to the same endpoint.
 *
 * @example
 *   loadBalancing: { policy: ringHash({ by: 'x-session-id' }) }
 */
export function ringHash(options: RingHashOptions): RingHashConfig {
  return { ...options, name: 'ring_hash' };
}

/**
 * A random endpoint, in proportion to its weight.
 *
 * @example
 *   loadBalancing: { policy: random() }
 */
export function random(): RandomConfig {
  return { name: 'random' };
}

/**
 * The first ready endpoint; the others are standbys.
 *
 * @example
 *   loadBalancing: { policy: pickFirst() }
 */
export function pickFirst(options: PickFirstOptions = {}): PickFirstConfig {
  return { ...options, name: 'pick_first' };
}

/** The fewest calls in flight wins; the default policy. Decorates a client class: `@LeastRequest()`. */
export const LeastRequest: (options?: LeastRequestOptions) => ClientDecorator = decorator(
  '@LeastRequest',
  leastRequest,
);

/**
 * Calls in flight, latency and reported load in one number; the lowest wins. Decorates a client class: `@Adaptive()`.
 */
export const Adaptive: () => ClientDecorator = decorator('@Adaptive', adaptive);

/** The lowest product of latency and calls in flight wins. Decorates a client class: `@PeakEwma()`. */
export const PeakEwma: (options?: PeakEwmaOptions) => ClientDecorator = decorator('@PeakEwma', peakEwma);

/** The fastest of the endpoints that are not too busy wins. Decorates a client class: `@HotCold()`. */
export const HotCold: (options?: HotColdOptions) => ClientDecorator = decorator('@HotCold', hotCold);

/** One endpoint after the other. Decorates a client class: `@RoundRobin()`. */
export const RoundRobin: () => ClientDecorator = decorator('@RoundRobin', roundRobin);

/**
 * One endpoint after the other, in proportion to weights from load reports or discovery. Decorates a client class:
 * `@WeightedRoundRobin()`.
 */
export const WeightedRoundRobin: (options?: WeightedRoundRobinOptions) => ClientDecorator = decorator(
  '@WeightedRoundRobin',
  weightedRoundRobin,
);

/** Calls with the same key go to the same endpoint. Decorates a client class: `@RingHash({ by: 'x-session-id' })`. */
export const RingHash: (options: RingHashOptions) => ClientDecorator = decorator('@RingHash', ringHash);

/** A random endpoint, in proportion to its weight. Decorates a client class: `@Random()`. */
export const Random: () => ClientDecorator = decorator('@Random', random);

/** The first ready endpoint; the others are standbys. Decorates a client class: `@PickFirst()`. */
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
