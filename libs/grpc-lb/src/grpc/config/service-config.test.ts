import { describe, expect, test } from 'vitest';
import { effectiveLoadBalancing, type LoadBalancingOptions } from '../../core/options/load-balancing.js';
import { type GivenServiceConfig, type MethodInfo, serviceConfigFor } from './service-config.js';

const service = 'orders.v1.Orders';
const FIND: MethodInfo = { service, method: 'Find', responseStream: false };
const PLACE: MethodInfo = { service, method: 'Place', responseStream: false };
const WATCH: MethodInfo = { service, method: 'Watch', responseStream: true };
const ALL = [FIND, PLACE, WATCH];

const configOf = (options: LoadBalancingOptions, given: GivenServiceConfig = {}, methods = ALL) =>
  serviceConfigFor(effectiveLoadBalancing(options), methods, given);

/** One setting of each method that sets it. */
function byMethod<K extends 'timeout' | 'retryPolicy'>(options: LoadBalancingOptions, key: K): Record<string, unknown> {
  const settings = configOf(options).methodConfig.map(
    (config) => [config.name[0]!.method!, config[key] as unknown] as const,
  );
  return Object.fromEntries(settings.filter(([, setting]) => setting !== undefined));
}

test('without options the config holds only the load balancing policy', () => {
  expect(configOf({})).toEqual({ loadBalancingConfig: [{ grpc_lb: {} }], methodConfig: [] });
});

describe('retries', () => {
  const DEFAULT = {
    maxAttempts: 3,
    initialBackoff: '0.05s',
    maxBackoff: '1s',
    backoffMultiplier: 2,
    retryableStatusCodes: ['UNAVAILABLE'],
  };

  test('apply to every method, including streams, with the defaults filled in', () => {
    expect(byMethod({ retry: {} }, 'retryPolicy')).toEqual({ Find: DEFAULT, Place: DEFAULT, Watch: DEFAULT });
    expect(configOf({ retry: {} }).methodConfig.map(({ name }) => name)).toEqual(
      ALL.map(({ method }) => [{ service, method }]),
    );
  });

  test('can be overridden for a method, and turned off with false', () => {
    const retry = { maxAttempts: 2, methods: { Find: { maxBackoff: 5000, maxAttempts: 5 }, Place: false } } as const;
    expect(byMethod({ retry }, 'retryPolicy')).toEqual({
      Find: { ...DEFAULT, maxAttempts: 5, maxBackoff: '5s' },
      Watch: { ...DEFAULT, maxAttempts: 2 },
    });
  });

  test('have a longest backoff as configured, but never below the initial backoff', () => {
    expect(byMethod({ retry: { initialBackoff: 2000 } }, 'retryPolicy')['Find']).toMatchObject({
      initialBackoff: '2s',
      maxBackoff: '2s',
    });
    expect(byMethod({ retry: { initialBackoff: 1, maxBackoff: 15 } }, 'retryPolicy')['Find']).toMatchObject({
      initialBackoff: '0.001s',
      maxBackoff: '0.015s',
    });
  });

  test.each([
    [undefined, { maxTokens: 100, tokenRatio: 0.1 }],
    [{}, { maxTokens: 100, tokenRatio: 0.1 }],
    [{ maxTokens: 10 }, { maxTokens: 10, tokenRatio: 0.1 }],
    [{ tokenRatio: 1 }, { maxTokens: 100, tokenRatio: 1 }],
    [false as const, undefined],
  ])('are throttled: %j is %j', (throttling, expected) => {
    expect(configOf({ retry: { throttling } }).retryThrottling).toEqual(expected);
  });

  test('without retries there is nothing to throttle', () => {
    expect(configOf({ deadline: { timeout: 1 } })).not.toHaveProperty('retryThrottling');
  });
});

describe('deadlines', () => {
  test('apply to unary responses, not to response streams', () => {
    expect(byMethod({ deadline: { timeout: 1500 } }, 'timeout')).toEqual({
      Find: { seconds: 1, nanos: 500_000_000 },
      Place: { seconds: 1, nanos: 500_000_000 },
    });
  });

  test('of a method override the common one, and may apply to a stream', () => {
    expect(byMethod({ deadline: { timeout: 1000, methods: { Find: 1, Watch: 60_000 } } }, 'timeout')).toEqual({
      Find: { seconds: 0, nanos: 1_000_000 },
      Place: { seconds: 1, nanos: 0 },
      Watch: { seconds: 60, nanos: 0 },
    });
    expect(byMethod({ deadline: { methods: { Watch: 999 } } }, 'timeout')).toEqual({
      Watch: { seconds: 0, nanos: 999_000_000 },
    });
  });

  test('and retries of a method share one entry', () => {
    const { methodConfig } = configOf({ deadline: { timeout: 1000 }, retry: { methods: { Watch: false } } });
    expect(methodConfig.map((config) => Object.keys(config))).toEqual([
      ['name', 'retryPolicy', 'timeout'],
      ['name', 'retryPolicy', 'timeout'],
    ]);
  });
});

describe("the user's own service config", () => {
  const ours: LoadBalancingOptions = { retry: {}, deadline: { timeout: 1000 } };

  test('takes precedence for a method that it lists', () => {
    const theirs = { name: [{ service, method: 'Find' }], waitForReady: true };
    const { methodConfig } = configOf(ours, { methodConfig: [theirs] });
    expect(methodConfig[0]).toEqual(theirs);
    expect(methodConfig.slice(1).map(({ name }) => name)).toEqual([
      [{ service, method: 'Place' }],
      [{ service, method: 'Watch' }],
    ]);
  });

  test('may list several methods in one entry', () => {
    const name = ALL.map(({ method }) => ({ service, method }));
    expect(configOf(ours, { methodConfig: [{ name }] }).methodConfig).toEqual([{ name }]);
  });

  test('keeps all other fields except the load balancing', () => {
    const given = { retryThrottling: { maxTokens: 5, tokenRatio: 0.5 }, loadBalancingConfig: [{ round_robin: {} }] };
    expect(configOf({}, given as never)).toMatchObject({
      retryThrottling: { maxTokens: 5, tokenRatio: 0.5 },
      loadBalancingConfig: [{ grpc_lb: {} }],
    });
  });

  test.each([
    ['0.05s', { seconds: 0, nanos: 50_000_000 }],
    ['1.500s', { seconds: 1, nanos: 500_000_000 }],
    ['30s', { seconds: 30, nanos: 0 }],
  ])('has a timeout of %s read as a decimal fraction, where grpc-js reads nanoseconds', (timeout, duration) => {
    const { methodConfig } = configOf({}, { methodConfig: [{ name: [{ service }], timeout }] });
    expect(methodConfig).toEqual([{ name: [{ service }], timeout: duration }]);
  });

  test('may have a timeout as a Duration, or none', () => {
    const duration = { seconds: 1, nanos: 5 };
    const methodConfig = [{ name: [{ service }], timeout: duration }, { name: [{ service: 'other' }] }];
    expect(configOf({}, { methodConfig }).methodConfig).toEqual(methodConfig);
  });
});
