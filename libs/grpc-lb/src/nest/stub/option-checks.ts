import { GrpcLbArgumentError } from '../../core/errors.js';
import { didYouMean, shown } from '../../core/options/validation.js';
import type { GrpcLbCallOptions } from '../call-options.js';
import { type ArgumentRules, kindOf } from './argument-rules.js';

/** Checks of the options of one call: each returns the value, or throws a GrpcLbArgumentError. */
type Check<T> = (rules: ArgumentRules, value: unknown) => T;

/** @param isRight Whether the value is right. @param remedy What to pass instead. */
function option<K extends keyof GrpcLbCallOptions>(
  name: K,
  isRight: (value: unknown) => boolean,
  remedy: string,
  show: (value: unknown) => string = shown,
): Check<NonNullable<GrpcLbCallOptions[K]>> {
  return (rules, value) => {
    if (isRight(value)) return value as NonNullable<GrpcLbCallOptions[K]>;
    throw invalid(rules, name, show(value), remedy);
  };
}

/** @param found What the value is; not its content, if that may be a secret. */
export function invalid({ subject }: ArgumentRules, name: string, found: string, remedy: string): GrpcLbArgumentError {
  return new GrpcLbArgumentError(`${subject}: options.${name} is ${found}; pass ${remedy}`);
}

const isFunction = (value: unknown): boolean => typeof value === 'function';
const isNumberFrom = (min: number, max: number) => (value: unknown) =>
  typeof value === 'number' && value >= min && value <= max;
const hasMethod = (name: string) => (value: unknown) =>
  typeof (value as Record<string, unknown> | null)?.[name] === 'function';
const isInstant = (value: unknown): boolean =>
  (typeof value === 'number' || value instanceof Date) && !Number.isNaN(Number(value));
const isBoolean = (value: unknown): boolean => typeof value === 'boolean';

export const checked = {
  timeout: option('timeout', isNumberFrom(1, 2_147_483_647), 'a number from 1 to 2147483647 (milliseconds)'),
  signal: option(
    'signal',
    hasMethod('addEventListener'),
    'an AbortSignal, such as the signal of an AbortController',
    kindOf,
  ),
  onMetadata: option('onMetadata', isFunction, 'a function, as in (metadata) => { ... }'),
  onStatus: option('onStatus', isFunction, 'a function, as in (status) => { ... }'),
  inherit: option('inherit', isBoolean, 'true or false'),
  waitForReady: option('waitForReady', isBoolean, 'true or false'),
  hashKey: option('hashKey', (value) => typeof value === 'string', 'a text', kindOf),
};

const GRPC_OPTIONS: Readonly<Record<string, Check<unknown>>> = {
  deadline: option('deadline', isInstant, 'a Date, or a number of milliseconds since 1970; or use timeout'),
  // It may hold a secret.
  credentials: option('credentials', hasMethod('generateMetadata'), 'call credentials of @grpc/grpc-js', kindOf),
  host: option('host', (value) => typeof value === 'string', 'a text'),
  parent: option('parent', hasMethod('getDeadline'), 'the call that a handler of grpc-js gets', kindOf),
  propagate_flags: option('propagate_flags', isNumberFrom(0, 0xffff_ffff), 'flags of propagate of @grpc/grpc-js'),
  interceptors: option('interceptors', Array.isArray, 'a list of interceptors', kindOf),
  interceptor_providers: option('interceptor_providers', Array.isArray, 'a list of interceptor providers', kindOf),
};

/** In 1973: a number of milliseconds from now, where a point in time belongs. */
const EARLIEST = 1e11;

/** Returns whether it is an option of grpc-js. @throws GrpcLbArgumentError if it is, and its value is wrong. */
export function checkGrpcOption(rules: ArgumentRules, name: string, value: unknown): boolean {
  if (!Object.hasOwn(GRPC_OPTIONS, name)) return false;
  if (value !== null) GRPC_OPTIONS[name]!(rules, value);
  if (name === 'deadline' && typeof value === 'number' && value > 0 && value < EARLIEST) throw tooEarly(rules, value);
  return true;
}

function tooEarly({ subject }: ArgumentRules, deadline: number): GrpcLbArgumentError {
  const year = new Date(deadline).getUTCFullYear();
  return new GrpcLbArgumentError(
    `${subject}: options.deadline is ${deadline}, a point in time in ${year}; pass { timeout: ${deadline} } for milliseconds from now, or Date.now() + ${deadline}`,
  );
}

const NAMES = [
  ...Object.keys(checked),
  'metadata',
  'retry',
  'hedge',
  'attemptTimeout',
  'criticality',
  'compression',
  ...Object.keys(GRPC_OPTIONS),
];

/** Its value may be a secret: metadata in the place of options. */
export function unknownOption({ subject }: ArgumentRules, name: string): GrpcLbArgumentError {
  const remedy = didYouMean(name, NAMES) || '; headers go into options.metadata';
  return new GrpcLbArgumentError(`${subject}: options.${name} is not an option of calls${remedy}`);
}
