import { Metadata } from '@grpc/grpc-js';
import type { CallLimits } from '../../core/call/call-limits.js';
import { CRITICALITY_KEY, CRITICALITY_LEVELS, isCriticality } from '../../core/call/criticality.js';
import { GrpcLbArgumentError } from '../../core/errors.js';
import { isObject, shown } from '../../core/options/validation.js';
import { addOwnOptions, type OwnOptions } from '../../grpc/call/own-options.js';
import type { GrpcLbCallOptions } from '../call-options.js';
import { type ArgumentRules, kindOf } from './argument-rules.js';
import { checked, invalid } from './option-checks.js';

/** The options that travel with the metadata of a call, and so pass through interceptors and grpc-js's own client. */
export type Stated = Pick<
  GrpcLbCallOptions,
  'attemptTimeout' | 'compression' | 'criticality' | 'hashKey' | 'hedge' | 'metadata' | 'retry' | 'waitForReady'
>;

/** The metadata of a call with such options; a copy of what the caller passed. */
export function statedMetadata(rules: ArgumentRules, given: Metadata | undefined, stated: Stated): Metadata {
  const metadata = ownMetadata(rules, given, stated.metadata);
  const { criticality, waitForReady } = stated;
  if (criticality !== undefined) {
    if (!isCriticality(criticality))
      throw invalid(rules, 'criticality', shown(criticality), `one of ${CRITICALITY_LEVELS.join(', ')}`);
    metadata.set(CRITICALITY_KEY, criticality);
  }
  if (waitForReady !== undefined)
    metadata.setOptions({ ...metadata.getOptions(), waitForReady: checked.waitForReady(rules, waitForReady) });
  const own = ownOptions(rules, stated);
  if (own) addOwnOptions(metadata, own);
  return metadata;
}

function ownMetadata(rules: ArgumentRules, given: Metadata | undefined, own: Stated['metadata']): Metadata {
  if (own === undefined) return given?.clone() ?? new Metadata();
  if (given)
    throw new GrpcLbArgumentError(`${rules.subject}: options.metadata is set beside metadata; pass one of them`);
  if (own instanceof Metadata) return own.clone();
  // The entries of a Map or of Headers are not properties, and would be lost.
  const isOther = typeof (own as { getMap?: unknown } | null)?.getMap === 'function';
  // Its content may be a secret.
  if (!isObject(own) || isOther || Symbol.iterator in own)
    throw invalid(
      rules,
      'metadata',
      kindOf(own),
      'an object of texts, or a Metadata of the @grpc/grpc-js that this package uses',
    );
  const metadata = new Metadata();
  for (const [key, values] of Object.entries(own)) {
    for (const value of [values].flat()) add(rules, metadata, key, value);
  }
  return metadata;
}

function add(rules: ArgumentRules, metadata: Metadata, key: string, value: unknown): void {
  if (value === undefined) return;
  const isBinary = key.toLowerCase().endsWith('-bin');
  if (isBinary ? !(value instanceof Uint8Array) : typeof value !== 'string') {
    const found = value instanceof Uint8Array ? 'bytes' : value === null ? 'null' : `a ${typeof value}`;
    throw invalid(rules, `metadata.${key}`, found, isBinary ? 'a Buffer, as the name ends in -bin' : 'a text');
  }
  try {
    metadata.add(key, value instanceof Uint8Array ? Buffer.from(value) : (value as string));
  } catch {
    // grpc-js's message shows the value, which may be a secret.
    throw invalid(
      rules,
      `metadata.${key}`,
      'not valid',
      'a key of letters, digits, _, - and ., and a value of printable ASCII',
    );
  }
}

function ownOptions(rules: ArgumentRules, stated: Stated): OwnOptions | undefined {
  const hashKey = stated.hashKey === undefined ? undefined : checked.hashKey(rules, stated.hashKey);
  const compression = stated.compression === undefined ? undefined : encoding(rules, stated.compression);
  const limits = limitsOf(rules, stated);
  if (compression !== undefined || limits) refuseDelegated(rules, stated);
  return hashKey !== undefined || compression !== undefined || limits ? { hashKey, compression, limits } : undefined;
}

function encoding(rules: ArgumentRules, value: NonNullable<Stated['compression']>): typeof value {
  if (value === 'identity' || value === 'deflate' || value === 'gzip') return value;
  throw invalid(rules, 'compression', shown(value), 'gzip, deflate or identity');
}

function limitsOf(rules: ArgumentRules, { retry, hedge, attemptTimeout }: Stated): CallLimits | undefined {
  if (retry === undefined && hedge === undefined && attemptTimeout === undefined) return undefined;
  return {
    retryAttempts: attemptsOf(rules, 'retry', retry),
    hedgeAttempts: attemptsOf(rules, 'hedge', hedge),
    attemptTimeout: attemptTimeoutOf(rules, attemptTimeout),
  };
}

function attemptsOf(rules: ArgumentRules, name: 'hedge' | 'retry', value: Stated['retry']): number | undefined {
  if (value === undefined) return undefined;
  if (value === false) return 1;
  if (!isObject(value) || Object.keys(value).some((key) => key !== 'maxAttempts'))
    throw invalid(
      rules,
      name,
      shown(value),
      'false, or { maxAttempts } for fewer attempts; all else is set for the client',
    );
  const { maxAttempts } = value;
  if (Number.isInteger(maxAttempts) && maxAttempts >= 1 && maxAttempts <= 5) return maxAttempts;
  throw invalid(rules, `${name}.maxAttempts`, shown(maxAttempts), 'a whole number from 1 to 5');
}

function attemptTimeoutOf(rules: ArgumentRules, value: Stated['attemptTimeout']): typeof value {
  if (value === undefined || value === false) return value;
  if (typeof value === 'number' && value >= 1 && value <= 86_400_000) return value;
  throw invalid(rules, 'attemptTimeout', shown(value), 'a number from 1 to 86400000 (milliseconds), or false');
}

/** It would have no effect. */
function refuseDelegated(rules: ArgumentRules, stated: Stated): void {
  if (!rules.delegated) return;
  const name = (['compression', 'retry', 'hedge', 'attemptTimeout'] as const).find(
    (each) => stated[each] !== undefined,
  )!;
  throw new GrpcLbArgumentError(
    `${rules.subject}: options.${name} has no effect with a target of xds:, because grpc-js makes its calls; remove it`,
  );
}
