import { isDeepStrictEqual } from 'node:util';
import type { EffectiveLoadBalancing, LoadBalancingOptions } from '../core/options/load-balancing.js';
import { isObject } from '../core/options/validation.js';

/**
 * Where the value of an option comes from. `default`: nothing sets it. `module`: `loadBalancing` of `forRoot()`.
 * `client`: the decorators of the client, or its item. `overrides`: the overrides of `forRoot()`, which
 * `nestjs-grpc-lb/config` reads from the environment. `configure`: the last `configure()`.
 */
export type OptionOrigin = 'default' | 'module' | 'client' | 'overrides' | 'configure';

/** An option in force. */
export interface OptionInForce {
  /** As in `pool.size`. */
  readonly path: string;
  /** Undefined if the feature is off. */
  readonly value: unknown;
  /** Where the value comes from. */
  readonly origin: OptionOrigin;
}

/** Options that one place sets, from the weakest place to the strongest. */
export type OptionLayer = readonly [origin: OptionOrigin, options: LoadBalancingOptions | undefined];

/** Merged as wholes, so that their parts have one origin. */
const WHOLE = new Set(['policy']);
/** Merged field by field, one level deeper than the rest. */
const DEEPER = new Set(['retry.throttling', 'retry.budget']);

/**
 * The options in force with their origins, in the order of the documents.
 *
 * @param layers As they were merged by `mergeLoadBalancing`.
 */
export function optionsInForce(effective: EffectiveLoadBalancing, layers: readonly OptionLayer[]): OptionInForce[] {
  const strongestFirst = layers.toReversed();
  return leavesOf(effective).map(([path, value]) => ({
    path: path.join('.'),
    value,
    origin: originOf(path, value, strongestFirst),
  }));
}

type Leaf = readonly [path: readonly string[], value: unknown];

function leavesOf(effective: EffectiveLoadBalancing): Leaf[] {
  return Object.entries(effective).flatMap(([aspect, value]: [string, unknown]): Leaf[] => {
    if (!isObject(value) || WHOLE.has(aspect)) return [[[aspect], value]];
    return Object.entries(value).flatMap(([field, inner]: [string, unknown]): Leaf[] => {
      if (!isObject(inner) || !DEEPER.has(`${aspect}.${field}`)) return [[[aspect, field], inner]];
      return Object.entries(inner).map(([name, each]: [string, unknown]): Leaf => [[aspect, field, name], each]);
    });
  });
}

function originOf(path: readonly string[], value: unknown, strongestFirst: readonly OptionLayer[]): OptionOrigin {
  for (const [origin, options] of strongestFirst) {
    const [found, isEnd] = lookUp(path, options);
    if (found === undefined) continue;
    // `false` higher up: what is on now has been switched on by a stronger layer, and starts from the defaults.
    if (!isEnd) return 'default';
    // An override that a later configure() on the handle itself did not regard.
    if (origin === 'overrides' && strongestFirst.some(([other]) => other === 'configure') && !isSame(found, value))
      continue;
    return origin;
  }
  return 'default';
}

function lookUp(path: readonly string[], options: unknown): readonly [found: unknown, isEnd: boolean] {
  let found = options;
  for (const name of path) {
    if (found === false) return [found, false];
    if (!isObject(found)) return [undefined, false];
    found = (found as Readonly<Record<string, unknown>>)[name];
  }
  return [found, true];
}

/** A policy may be given by its name alone. */
function isSame(given: unknown, inForce: unknown): boolean {
  return isDeepStrictEqual(typeof given === 'string' && isObject(inForce) ? { name: given } : given, inForce);
}
