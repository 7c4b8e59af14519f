import type { Metadata, MetadataOptions } from '@grpc/grpc-js';
import type { EffectiveLoadBalancing } from '../../core/options/load-balancing.js';
import type { PolicyConfig } from '../../core/options/policy-config.js';
import type { HashKeySource } from '../../core/options/ring-hash-options.js';
import { ownOptionsIn } from './own-options.js';

/**
 * The metadata option in which a stub stores the key that it computes from a request. grpc-js copies metadata options
 * with the metadata, up to the pick of each attempt, and never sends them.
 */
const HASH_KEY = Symbol('nestjs-grpc-lb hash key');

interface KeyedOptions {
  readonly [HASH_KEY]?: string | undefined;
}

/** The key of a call at its pick; an empty key counts as none. */
export function hashKeyOf(by: HashKeySource, metadata: Metadata): string | undefined {
  const key = keyIn(by, metadata);
  return key === '' ? undefined : key;
}

function keyIn(by: HashKeySource, metadata: Metadata): string | undefined {
  const own = ownOptionsIn(metadata.getOptions())?.hashKey;
  if (own !== undefined) return own;
  if (typeof by !== 'string') return (metadata.getOptions() as KeyedOptions)[HASH_KEY];
  // gRFC A76: "If the header contains multiple values, then values are joined with a comma `,` character before
  // hashing."
  const values = metadata.get(by);
  return values.length === 1 ? asKey(values[0]) : values.join(',');
}

/**
 * Returns the metadata of a call with the key from its request; unchanged if no policy uses such a key. Returns a copy,
 * because callers reuse metadata for many calls.
 */
export function withHashKey(
  { policy, methods }: EffectiveLoadBalancing,
  request: unknown,
  metadata: Metadata,
  path: string,
): Metadata {
  const own = methods && methods[path.slice(path.lastIndexOf('/') + 1)]?.policy;
  const by = keyedBy(own ?? policy);
  if (by === undefined || typeof by === 'string') return metadata;
  if (ownOptionsIn(metadata.getOptions())?.hashKey !== undefined) return metadata;
  // A copy, because the function may change it.
  const keyed = metadata.clone();
  const key =
    typeof by === 'function' ? by(request as never, keyed as never, path) : fieldOf(request, by.field.split('.'));
  const options: MetadataOptions & KeyedOptions = { ...metadata.getOptions(), [HASH_KEY]: asKey(key) };
  keyed.setOptions(options);
  return keyed;
}

function keyedBy(policy: PolicyConfig | string): HashKeySource | undefined {
  return typeof policy !== 'string' && policy.name === 'ring_hash' ? policy.by : undefined;
}

function fieldOf(request: unknown, path: readonly string[]): unknown {
  let value = request;
  for (const name of path) {
    if (typeof value !== 'object' || value === null || !Object.hasOwn(value, name)) return undefined;
    value = (value as Record<string, unknown>)[name];
  }
  return value;
}

interface Long {
  toString(radix: number): string;
}

/**
 * A text, a number, bytes or a 64-bit number of protobuf.js as a key; messages have no key, because all would have the
 * same text.
 */
function asKey(value: unknown): string | undefined {
  switch (typeof value) {
    case 'string':
      return value;
    case 'number':
    case 'bigint':
    case 'boolean':
      return String(value);
    case 'object':
      if (value instanceof Uint8Array) return Buffer.from(value).toString('latin1');
      return value !== null && '__isLong__' in value ? (value as Long).toString(10) : undefined;
    default:
      return undefined;
  }
}
