import { describe, expect, test } from 'vitest';
import {
  assertLoadBalancing,
  effectiveLoadBalancing,
  loadBalancingCheck,
  type LoadBalancingOptions,
  mergeLoadBalancing,
} from './load-balancing.js';
import { POLICY_NAMES } from './policy-config.js';
import { effectiveEjection } from './ejection-options.js';
import { effectiveHealth } from './health-options.js';
import { effectiveLocality } from './locality-options.js';
import { effectivePool } from './pool-options.js';
import { effectiveSlowStart } from './slow-start-options.js';
import { effectiveStreams } from './stream-options.js';
import { type Fault, GrpcLbOptionsError } from '../errors.js';

function faultsOf(options: unknown, path?: string): string[] {
  try {
    assertLoadBalancing('client ORDERS', options, path);
    return [];
  } catch (error) {
    if (!(error instanceof GrpcLbOptionsError) || error.subject !== 'client ORDERS') throw error;
    return error.faults.map((fault) => `${fault.path} ${fault.message}`);
  }
}

describe('assertLoadBalancing', () => {
  test('accepts no options, and all options', () => {
    expect(faultsOf({})).toEqual([]);
    expect(faultsOf({ policy: undefined, pool: undefined })).toEqual([]);
    expect(faultsOf({ policy: { name: 'least_request', choiceCount: 2 }, pool: { size: 2, maxSize: 2 } })).toEqual([]);
  });

  test('reports all faults at once, each with its path', () => {
    expect(
      faultsOf({ policy: { name: 'least_request', choiceCount: 1 }, pool: { size: 8, maxSize: 4 }, polcy: 1 }),
    ).toEqual([
      'loadBalancing.policy.choiceCount is 1; use a whole number from 2 to 1000',
      'loadBalancing.pool.maxSize is 4, less than size 8; use 8 or more, or remove this option',
      'loadBalancing.polcy is not an option; did you mean "policy"?',
    ]);
  });

  test('accepts a policy for single methods, and no other option for them', () => {
    const methods = {
      Search: { policy: 'peak_ewma' },
      Find: { policy: { name: 'hot_cold', hotQuantile: 0.5 } },
      Place: {},
    };
    expect(faultsOf({ methods })).toEqual([]);
    const wrong = { Search: { policy: 'peak' }, Find: { pool: { size: 2 } }, Place: 'random' };
    expect(faultsOf({ methods: wrong })).toEqual([
      `loadBalancing.methods.Search.policy is "peak", which is not a known policy; use one of ${POLICY_NAMES.join(', ')}`,
      'loadBalancing.methods.Find.pool is not an option; the options here are policy, criticality',
      'loadBalancing.methods.Place is "random"; use an object with policy, criticality',
    ]);
  });

  test('starts the path with the prefix of the caller', () => {
    expect(faultsOf({ policy: 'raundrobin' }, 'grpc_lb')).toEqual([
      `grpc_lb.policy is "raundrobin", which is not a known policy; did you mean "round_robin"?; use one of ${POLICY_NAMES.join(', ')}`,
    ]);
  });

  test.for<unknown>([null, 'round_robin', 1, []])('%j is no object', (options) => {
    expect(faultsOf(options)).toEqual([
      `loadBalancing is ${JSON.stringify(options)}; use an object with policy, methods, pool, health, ejection, slowStart, subset, locality, retry, hedge, throttle, deadline, streams, criticality`,
    ]);
  });
});

describe('a subset from several layers', () => {
  const aperture = { size: 20, algorithm: 'deterministic_aperture' } as const;

  test('may be incomplete in one of them', () => {
    const faults: Fault[] = [];
    for (const subset of [{ index: 3 }, { clients: 10 }, aperture]) loadBalancingCheck('at', { subset }, faults);
    expect(faults).toEqual([]);
    const merged = mergeLoadBalancing({ subset: aperture }, { subset: { clients: 10, index: 3 } } as object);
    expect(faultsOf(merged)).toEqual([]);
    expect(effectiveLoadBalancing(merged).subset).toEqual({ ...aperture, clients: 10, index: 3 });
  });

  test('must be complete as a whole', () => {
    expect(faultsOf({ subset: { algorithm: 'random' } })).toEqual([
      'loadBalancing.subset.size is missing; set the number of endpoints that this client uses, as in 20',
    ]);
    expect(faultsOf({ subset: aperture })).toEqual([
      'loadBalancing.subset.clients is missing; set the highest number of replicas of this client, which deterministic_aperture needs',
      "loadBalancing.subset.index is missing; deterministic_aperture needs it: of a StatefulSet the Downward API gives it: fieldPath metadata.labels['apps.kubernetes.io/pod-index'], as the variable GRPC_LB_<CLIENT>_SUBSET_INDEX",
    ]);
    expect(faultsOf({ subset: { size: 20, index: 3 } })).toEqual([
      'loadBalancing.subset.algorithm is missing; set "deterministic_aperture", to which clients and index belong, or remove them',
    ]);
    // An explicit algorithm overrides the aperture of the code, whose numbers then have no effect.
    expect(faultsOf({ subset: { size: 20, algorithm: 'random', clients: 10, index: 3 } })).toEqual([]);
  });
});

describe('effectiveLoadBalancing', () => {
  test('by default is least request with health checks, ejection and slow start, without retries or hedges', () => {
    for (const options of [undefined, {}, { policy: undefined, pool: undefined, health: undefined }]) {
      expect(effectiveLoadBalancing(options)).toStrictEqual({
        policy: { name: 'least_request' },
        methods: undefined,
        pool: effectivePool(),
        health: effectiveHealth(),
        ejection: effectiveEjection(),
        slowStart: effectiveSlowStart(),
        subset: undefined,
        locality: effectiveLocality(),
        retry: undefined,
        hedge: undefined,
        throttle: undefined,
        deadline: undefined,
        streams: effectiveStreams(),
        criticality: undefined,
      });
    }
  });

  test('keeps retries, hedges and deadlines as given, since their defaults may differ by method', () => {
    const said = {
      retry: { maxAttempts: 2, methods: { Find: false } },
      hedge: { methods: { Find: true } },
      deadline: { timeout: 1000 },
    } as const;
    expect(effectiveLoadBalancing(said)).toMatchObject(said);
  });

  test('expands a policy given by name, and keeps one with options', () => {
    expect(effectiveLoadBalancing({ policy: 'random' }).policy).toStrictEqual({ name: 'random' });
    const policy = { name: 'least_request', choiceCount: 3 } as const;
    expect(effectiveLoadBalancing({ policy }).policy).toStrictEqual(policy);
  });

  test('fills in the defaults of a pool', () => {
    expect(effectiveLoadBalancing({ pool: { size: 8 } }).pool).toStrictEqual(effectivePool({ size: 8 }));
  });
});

describe('mergeLoadBalancing', () => {
  test('merges every aspect field by field; a list or a table in it is taken as a whole', () => {
    const base: LoadBalancingOptions = {
      health: { service: 'orders.v1.Orders' },
      ejection: { consecutiveFailures: 3, failureCodes: ['UNAVAILABLE'] },
      slowStart: { window: 1000 },
      retry: { maxAttempts: 2, methods: { Find: false } },
      deadline: { timeout: 1000 },
    };
    const over: LoadBalancingOptions = {
      health: { enabled: false },
      ejection: { failureCodes: ['INTERNAL'] },
      slowStart: { minShare: 0.1 },
      retry: { methods: { Place: { maxAttempts: 3 } } },
      deadline: { methods: { Place: 5000 } },
    };
    expect(mergeLoadBalancing(base, over)).toEqual({
      health: { service: 'orders.v1.Orders', enabled: false },
      ejection: { consecutiveFailures: 3, failureCodes: ['INTERNAL'] },
      slowStart: { window: 1000, minShare: 0.1 },
      retry: { maxAttempts: 2, methods: { Place: { maxAttempts: 3 } } },
      deadline: { timeout: 1000, methods: { Place: 5000 } },
    });
  });

  test('merges the pool field by field, and takes the policy as a whole', () => {
    const base: LoadBalancingOptions = {
      policy: { name: 'least_request', choiceCount: 2 },
      pool: { size: 2, maxPending: 10 },
    };
    const over: LoadBalancingOptions = { policy: { name: 'least_request', activeRequestBias: 2 }, pool: { size: 3 } };
    expect(mergeLoadBalancing(base, over)).toEqual({
      policy: { name: 'least_request', activeRequestBias: 2 },
      pool: { size: 3, maxPending: 10 },
    });
  });

  test('takes what one layer omits from the other', () => {
    expect(mergeLoadBalancing({ policy: 'random' }, { pool: { size: 2 } })).toEqual({
      policy: 'random',
      pool: { size: 2 },
    });
    expect(mergeLoadBalancing({ pool: { size: 2 } }, { policy: 'random' })).toEqual({
      policy: 'random',
      pool: { size: 2 },
    });
    expect(mergeLoadBalancing({ pool: { size: 2 } }, {})).toEqual({ pool: { size: 2 } });
    expect(mergeLoadBalancing(undefined, { pool: { size: 2 } })).toEqual({ pool: { size: 2 } });
    expect(mergeLoadBalancing()).toEqual({});
  });

  test('treats undefined as absent', () => {
    const base: LoadBalancingOptions = { policy: 'random', pool: { size: 2 } };
    expect(mergeLoadBalancing(base, { policy: undefined, pool: { size: undefined, maxSize: 3 } })).toEqual({
      policy: 'random',
      pool: { size: 2, maxSize: 3 },
    });
    expect(mergeLoadBalancing(base, { pool: undefined })).toEqual(base);
    expect(mergeLoadBalancing({ policy: undefined, pool: undefined }, base)).toEqual(base);
  });

  test('treats zero as a value', () => {
    expect(mergeLoadBalancing({ pool: { maxPending: 5 } }, { pool: { maxPending: 0 } })).toEqual({
      pool: { maxPending: 0 },
    });
  });

  test('completes the rebalancing of streams, unless the layer above turns it off', () => {
    const base = { streams: { rebalance: { interval: 5000 } } };
    const of = (over: LoadBalancingOptions) => mergeLoadBalancing(base, over).streams;
    expect(of({ streams: { rebalance: { threshold: 0.2 } } })).toEqual({
      rebalance: { interval: 5000, threshold: 0.2 },
    });
    expect(of({ streams: { rebalance: true } })).toEqual(base.streams);
    expect(of({ streams: { rebalance: undefined } })).toEqual(base.streams);
    expect(of({ streams: { rebalance: false } })).toEqual({ rebalance: false });
    const off = { streams: { rebalance: false } };
    expect(mergeLoadBalancing(off, base).streams).toEqual(base.streams);
    expect(mergeLoadBalancing(off, { streams: { rebalance: true } }).streams).toEqual({ rebalance: {} });
    expect(mergeLoadBalancing({ streams: { rebalance: true } }, base).streams).toEqual(base.streams);
  });

  test('completes throttling and budget of retries, unless one of the layers turns them off', () => {
    const base = { retry: { maxAttempts: 2, budget: { ratio: 0.5 }, throttling: false } } as const;
    const over = { retry: { budget: { minPerSecond: 1, ratio: undefined }, throttling: { maxTokens: 9 } } } as const;
    expect(mergeLoadBalancing(base, over as object).retry).toEqual({
      maxAttempts: 2,
      budget: { ratio: 0.5, minPerSecond: 1 },
      throttling: { maxTokens: 9, tokenRatio: 0.1 },
    });
    expect(mergeLoadBalancing(base, { retry: { budget: false } }).retry).toEqual({ ...base.retry, budget: false });
    expect(mergeLoadBalancing(base, { retry: {} })).toEqual(base);
    expect(faultsOf(mergeLoadBalancing(base, { retry: { budget: 5 as never } }))).toEqual([
      'loadBalancing.retry.budget is 5; use an object with ratio, minPerSecond',
    ]);
  });

  test('modifies no layer', () => {
    const base = Object.freeze({ pool: Object.freeze({ size: 2 }) });
    const over = Object.freeze({ policy: 'random' as const, pool: Object.freeze({ maxSize: 3 }) });
    expect(mergeLoadBalancing(base, over)).toEqual({ policy: 'random', pool: { size: 2, maxSize: 3 } });
    expect([base, over]).toEqual([{ pool: { size: 2 } }, { policy: 'random', pool: { maxSize: 3 } }]);
  });

  test('reports layers that are valid on their own but contradict each other', () => {
    const [base, over] = [{ pool: { maxSize: 4 } }, { pool: { size: 8 } }];
    expect([...faultsOf(base), ...faultsOf(over)]).toEqual([]);
    expect(faultsOf(mergeLoadBalancing(base, over))).toEqual([
      'loadBalancing.pool.maxSize is 4, less than size 8; use 8 or more, or remove this option',
    ]);
    // Over the default, which grows with the size, they do not contradict each other.
    expect(effectiveLoadBalancing(mergeLoadBalancing({ pool: {} }, over)).pool).toMatchObject({ size: 8, maxSize: 8 });
  });

  test.each<[unknown, string]>([
    [
      null,
      'loadBalancing is null; use an object with policy, methods, pool, health, ejection, slowStart, subset, locality, retry, hedge, throttle, deadline, streams, criticality',
    ],
    [
      5,
      'loadBalancing is 5; use an object with policy, methods, pool, health, ejection, slowStart, subset, locality, retry, hedge, throttle, deadline, streams, criticality',
    ],
    [
      'random',
      'loadBalancing is "random"; use an object with policy, methods, pool, health, ejection, slowStart, subset, locality, retry, hedge, throttle, deadline, streams, criticality',
    ],
    [
      ['random'],
      'loadBalancing is ["random"]; use an object with policy, methods, pool, health, ejection, slowStart, subset, locality, retry, hedge, throttle, deadline, streams, criticality',
    ],
    [{ pool: null }, 'loadBalancing.pool is null; use an object with '],
    [{ pool: 5 }, 'loadBalancing.pool is 5; use an object with '],
    [{ pool: 'x' }, 'loadBalancing.pool is "x"; use an object with '],
    [{ pool: { sise: 1 } }, 'loadBalancing.pool.sise is not an option; did you mean "size"?'],
    [{ policy: null }, 'loadBalancing.policy is null; use a policy name'],
    [{ polcy: 'random' }, 'loadBalancing.polcy is not an option; did you mean "policy"?'],
  ])('reports a layer of %j, whether it is the upper or the lower one', (layer, fault) => {
    const malformed = layer as LoadBalancingOptions;
    for (const other of [undefined, {}, { pool: {} }, { pool: { maxSize: 4 } }]) {
      for (const merged of [mergeLoadBalancing(malformed, other), mergeLoadBalancing(other, malformed)]) {
        expect(faultsOf(merged)).toEqual([expect.stringContaining(fault)]);
      }
    }
  });
});
