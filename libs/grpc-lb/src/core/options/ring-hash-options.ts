import { type Check, integer, isObject, number, oneOf, shown } from './validation.js';

/** gRFC A42: "defaults to 1024". */
export const DEFAULT_MIN_RING_SIZE = 1024;
/** gRFC A42: "defaults to 4096, max is 8M". */
export const DEFAULT_MAX_RING_SIZE = 4096;
const RING_SIZE_CAP = 8_388_608;

/** Returns the key of a call, from its request, its metadata and its method, as in `/orders.v1.Orders/Find`. */
// `never` accepts functions of every signature; `unknown` would accept none that reads its arguments.
export type HashKeyFunction = (request: never, metadata: never, method: string) => string | undefined;

/** Where the key of a call comes from: a metadata key, a field of the request, or a function. */
export type HashKeySource = string | { readonly field: string } | HashKeyFunction;

/**
 * Consistent hashing (gRFC A42, Envoy RING_HASH): calls with the same key go to the same endpoint for as long as it may
 * be picked, and few keys move when others come or go. A call without a key goes to a random endpoint (gRFC A76).
 */
export interface RingHashConfig {
  /** The name of the policy. */
  readonly name: 'ring_hash';
  /**
   * The key of a call: the name of a metadata key, as in `'x-session-id'`; a field of the request, as in
   * `{ field: 'customer.id' }`; or a function `(request, metadata, method) => string | undefined`.
   */
  readonly by: HashKeySource;
  /**
   * Bounded load: an endpoint gets at most this multiple of the mean calls in flight, from 1.01 to 10; further calls
   * move along the ring, as with Envoy's `hash_balance_factor` (1.25 is 125 there).
   *
   * @default unbounded, so that a key never leaves its endpoint because of load
   */
  readonly boundedLoad?: number;
  /**
   * `steady`, the default: endpoints are ranked for each key by a hash of both (rendezvous hashing), so that shares are
   * fair and no more keys move than have to. `grpc`: the ring that gRPC's other languages build (A42), so that a key
   * has the same endpoint there; when an endpoint comes or goes, about twice as many keys move.
   *
   * @default `steady`
   */
  readonly ring?: 'steady' | 'grpc';
  /**
   * Minimum ring size, 1 to 8388608; only with `ring: 'grpc'`.
   *
   * @default 1024
   */
  readonly minRingSize?: number;
  /**
   * Maximum ring size, 1 to 8388608; only with `ring: 'grpc'`.
   *
   * @default 4096
   */
  readonly maxRingSize?: number;
}

/** gRFC A76: a name that is not "a valid header name", or is binary, is rejected. */
const HEADER = /^[0-9a-z_.-]+$/i;
const FIELD = /^[a-z_]\w*(?:\.[a-z_]\w*)*$/i;
const EXAMPLES = `'x-session-id', { field: 'customer.id' } or a function`;

const by: Check = (path, value, faults) => {
  if (typeof value === 'function') return;
  if (typeof value === 'string') {
    if (!HEADER.test(value)) {
      faults.push({ path, message: `is ${shown(value)}, which is not a metadata key; write ${EXAMPLES}` });
    } else if (/-bin$/i.test(value)) {
      faults.push({ path, message: `is ${shown(value)}, a binary metadata key; use an ASCII key, or a function` });
    }
    return;
  }
  const { field, ...others } = (isObject(value) ? value : {}) as Record<string, unknown>;
  if (typeof field === 'string' && FIELD.test(field) && Object.keys(others).length === 0) return;
  faults.push({ path, message: `is ${shown(value)}; use a metadata key, a field or a function: ${EXAMPLES}` });
};

export const RING_HASH_FIELDS: Readonly<Record<string, Check>> = {
  by,
  boundedLoad: number({ min: 1.01, max: 10 }),
  ring: oneOf(['steady', 'grpc']),
  minRingSize: integer({ min: 1, max: RING_SIZE_CAP }),
  maxRingSize: integer({ min: 1, max: RING_SIZE_CAP }),
};

/** Checks combinations of fields that are valid by themselves. */
export const ringHashCheck: Check = (path, value, faults) => {
  const config = value as Record<string, unknown>;
  const { minRingSize = DEFAULT_MIN_RING_SIZE, maxRingSize = DEFAULT_MAX_RING_SIZE } = config;
  if (config['by'] === undefined) {
    faults.push({ path: `${path}.by`, message: `is missing; name the key that keeps calls together: ${EXAMPLES}` });
  }
  if (config['ring'] !== 'grpc') {
    for (const name of ['minRingSize', 'maxRingSize']) {
      if (config[name] === undefined) continue;
      faults.push({
        path: `${path}.${name}`,
        message: `has no effect without ring: 'grpc'; set ring: 'grpc', or remove this option`,
      });
    }
  } else if (typeof minRingSize === 'number' && typeof maxRingSize === 'number' && minRingSize > maxRingSize) {
    faults.push({
      path: `${path}.maxRingSize`,
      message: `is ${maxRingSize}, less than minRingSize ${minRingSize}; use minRingSize or more`,
    });
  }
};
