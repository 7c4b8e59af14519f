import * as fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import {
  effectiveLoadBalancing,
  type LoadBalancingOptions,
  loadBalancingCheck,
  mergeLoadBalancing,
} from '../../libs/grpc-lb/src/core/options/load-balancing.js';
import { POLICY_NAMES } from '../../libs/grpc-lb/src/core/options/policy-config.js';
import { FAILURE_STATUS_NAMES } from '../../libs/grpc-lb/src/core/options/status-names.js';
import type { Fault } from '../../libs/grpc-lb/src/core/errors.js';
import { didYouMean, shown } from '../../libs/grpc-lb/src/core/options/validation.js';
import { check } from './check.js';

function faultsOf(options: unknown): Fault[] {
  const faults: Fault[] = [];
  loadBalancingCheck('loadBalancing', options, faults);
  return faults;
}

const anything = fc.anything({
  withBigInt: true,
  withDate: true,
  withMap: true,
  withNullPrototype: true,
  withSparseArray: true,
});
/** Something that has at least the names of some options. */
const near = fc.oneof(
  anything,
  fc.record(
    { size: anything, maxSize: anything, baseEjectionTime: anything, maxEjectionTime: anything, methods: anything },
    { requiredKeys: [] },
  ),
);
const maybe = <T>(arbitrary: fc.Arbitrary<T>): fc.Arbitrary<T | undefined> => fc.option(arbitrary, { nil: undefined });
const optional = { requiredKeys: [] };

/** A layer of options that is valid on its own. */
const layer: fc.Arbitrary<LoadBalancingOptions> = fc.record(
  {
    policy: maybe(
      fc.oneof(
        fc.constantFrom(...POLICY_NAMES.filter((name) => name !== 'ring_hash')),
        fc.record({ name: fc.constant('ring_hash' as const), by: fc.constantFrom('x-id', { field: 'id' }) }),
        fc.record({ name: fc.constant('least_request' as const), choiceCount: fc.integer({ min: 2, max: 1000 }) }),
        fc.record({ name: fc.constant('pick_first' as const), shuffleAddressList: fc.boolean() }),
      ),
    ),
    pool: maybe(
      fc
        .record(
          {
            size: maybe(fc.integer({ min: 1, max: 100 })),
            maxSize: maybe(fc.integer({ min: 1, max: 100 })),
            maxPending: maybe(fc.nat({ max: 1_000_000 })),
            idleTimeout: maybe(fc.integer({ min: 1000, max: 86_400_000 })),
          },
          optional,
        )
        .filter(({ size = 1, maxSize = 100 }) => maxSize >= size),
    ),
    health: maybe(
      fc.record(
        {
          enabled: maybe(fc.boolean()),
          service: maybe(fc.string()),
          metadata: maybe(fc.dictionary(fc.constantFrom('x-key', 'x-other'), fc.constantFrom('a', 'b'))),
          panicThreshold: maybe(fc.nat({ max: 100 })),
        },
        optional,
      ),
    ),
    ejection: maybe(
      fc.record(
        { enabled: maybe(fc.boolean()), failureCodes: maybe(fc.subarray([...FAILURE_STATUS_NAMES])) },
        optional,
      ),
    ),
    slowStart: maybe(fc.record({ window: maybe(fc.integer({ min: 100, max: 3_600_000 })) }, optional)),
    subset: maybe(
      fc.record({
        size: fc.integer({ min: 1, max: 1000 }),
        algorithm: maybe(fc.constantFrom('random' as const, 'deterministic_aperture' as const)),
      }),
    ),
    locality: maybe(fc.record({ enabled: maybe(fc.boolean()), spillRatio: maybe(fc.constant(2)) }, optional)),
    retry: maybe(
      fc.record(
        {
          maxAttempts: maybe(fc.integer({ min: 1, max: 5 })),
          methods: maybe(fc.dictionary(fc.string(), fc.constant(false as const))),
          throttling: maybe(fc.constant(false as const)),
          attemptTimeout: maybe(fc.integer({ min: 1, max: 86_400_000 })),
          budget: maybe(
            fc.oneof(
              fc.constant(false as const),
              fc.record(
                {
                  ratio: maybe(fc.double({ min: 0, max: 1, noNaN: true })),
                  minPerSecond: maybe(fc.nat({ max: 1000 })),
                },
                optional,
              ),
            ),
          ),
        },
        optional,
      ),
    ),
    hedge: maybe(
      fc.record(
        {
          maxAttempts: maybe(fc.integer({ min: 1, max: 5 })),
          delay: maybe(fc.oneof(fc.nat({ max: 60_000 }), fc.constantFrom('p50' as const, 'p99.9' as const))),
          maxShare: maybe(fc.double({ min: 0.001, max: 1, noNaN: true })),
          methods: maybe(fc.dictionary(fc.string(), fc.boolean())),
        },
        optional,
      ),
    ),
    deadline: maybe(fc.record({ timeout: maybe(fc.integer({ min: 1, max: 86_400_000 })) }, optional)),
  },
  optional,
);

describe('arbitrary options', () => {
  test('get faults from the check, which never throws', () => {
    const close = fc.record(
      {
        policy: fc.oneof(anything, fc.record({ name: anything })),
        ...Object.fromEntries(
          [
            'pool',
            'health',
            'ejection',
            'slowStart',
            'subset',
            'locality',
            'retry',
            'hedge',
            'deadline',
            'streams',
          ].map((aspect) => [aspect, near]),
        ),
      },
      optional,
    );
    check(
      fc.property(fc.oneof(anything, close), (value) => {
        for (const { path, message } of faultsOf(value)) {
          expect(path).toMatch(/^loadBalancing/);
          expect(message).toMatch(/^is /);
        }
      }),
      500,
    );
  });

  test('have a fault for an unknown option', () => {
    check(
      fc.property(fc.string(), anything, (key, value) => {
        fc.pre(!Object.keys(effectiveLoadBalancing()).includes(key));
        expect(faultsOf(Object.fromEntries([[key, value]]))).toMatchObject([{ path: `loadBalancing.${key}` }]);
      }),
    );
  });

  test('have values shown in at most 60 characters on one line', () => {
    check(
      fc.property(anything, (value) => {
        expect(shown(value).length).toBeLessThanOrEqual(60);
        expect(shown(value)).not.toMatch(/[\r\n]/);
      }),
      500,
    );
  });

  test('keep the faults of the upper layer when merged', () => {
    // Without undefined, which counts as absent even under an unknown name.
    const values = [fc.boolean(), fc.integer(), fc.double(), fc.string(), fc.constant(null)];
    const something = fc.anything({ values });
    const malformed = fc.oneof(
      something,
      fc.record({ policy: something, pool: something, health: something, retry: something }, optional),
    );
    check(
      fc.property(layer, malformed, (base, over) => {
        expect(faultsOf(mergeLoadBalancing(base, over as LoadBalancingOptions))).toEqual(
          expect.arrayContaining(faultsOf(over)),
        );
      }),
      500,
    );
  });
});

describe('valid layers', () => {
  test('have no faults', () => {
    check(
      fc.property(layer, (options) => {
        expect(faultsOf(options)).toEqual([]);
      }),
    );
  });

  test('merge in any grouping to the same options', () => {
    check(
      fc.property(layer, layer, layer, (a, b, c) => {
        const left = mergeLoadBalancing(mergeLoadBalancing(a, b), c);
        const right = mergeLoadBalancing(a, mergeLoadBalancing(b, c));
        expect(left).toEqual(right);
      }),
    );
  });

  test('merge to the value of the uppermost layer that has one, for the policy and for each field of an aspect', () => {
    check(
      fc.property(fc.array(layer, { maxLength: 4 }), (layers) => {
        const merged = effectiveLoadBalancing(
          layers.reduce<LoadBalancingOptions>((a, b) => mergeLoadBalancing(a, b), {}),
        );
        const last = <T>(say: (options: LoadBalancingOptions) => T | undefined): T | undefined =>
          layers.map(say).findLast((said) => said !== undefined);
        const policy = last((each) => each.policy) ?? 'least_request';
        expect(merged.policy).toEqual(typeof policy === 'string' ? { name: policy } : policy);
        const size = last((each) => each.pool?.size) ?? 1;
        expect(merged.pool).toMatchObject({
          size,
          maxSize: last((each) => each.pool?.maxSize) ?? Math.max(4, size),
          maxPending: last((each) => each.pool?.maxPending) ?? 1000,
          idleTimeout: last((each) => each.pool?.idleTimeout) ?? 60_000,
        });
        expect(merged.health).toEqual({
          enabled: last((each) => each.health?.enabled) ?? true,
          service: last((each) => each.health?.service) ?? '',
          metadata: last((each) => each.health?.metadata) ?? {},
          panicThreshold: last((each) => each.health?.panicThreshold) ?? 50,
          overprovisioningFactor: 2,
        });
        expect(merged.ejection.enabled).toBe(last((each) => each.ejection?.enabled) ?? true);
        expect(merged.slowStart.window).toBe(last((each) => each.slowStart?.window) ?? 10_000);
        expect(merged.subset?.size).toBe(last((each) => each.subset?.size));
        expect(merged.locality.enabled).toBe(last((each) => each.locality?.enabled) ?? true);
        expect(merged.retry?.methods).toEqual(last((each) => each.retry?.methods));
        expect(merged.deadline?.timeout).toBe(last((each) => each.deadline?.timeout));
      }),
    );
  });

  test('merge to a valid pool, or to the single fault that they contradict each other', () => {
    check(
      fc.property(layer, layer, (base, over) => {
        const merged = mergeLoadBalancing(base, over);
        const faults = faultsOf(merged);
        const { size, maxSize } = effectiveLoadBalancing(merged).pool;
        expect(faults.map(({ path }) => path)).toEqual(maxSize < size ? ['loadBalancing.pool.maxSize'] : []);
      }),
    );
  });
});

test('a name with one typo gets the right name as a suggestion', () => {
  check(
    fc.property(fc.constantFrom(...POLICY_NAMES), fc.nat(), fc.constantFrom('', 'x', 'xy'), (name, at, typed) => {
      const i = at % name.length;
      const slip = name.slice(0, i) + typed + name.slice(i + 1);
      expect(didYouMean(slip, POLICY_NAMES)).toBe(`; did you mean "${name}"?`);
    }),
  );
});
