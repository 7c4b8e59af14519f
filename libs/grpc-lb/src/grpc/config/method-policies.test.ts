import type { ChannelOptions } from '@grpc/grpc-js';
import { describe, expect, test } from 'vitest';
import { SINGLE_ATTEMPT } from '../../core/call/call-policy.js';
import { effectiveLoadBalancing, type LoadBalancingOptions } from '../../core/options/load-balancing.js';
import { MethodPolicies } from './method-policies.js';
import type { GivenServiceConfig, MethodInfo } from './service-config.js';

const service = 'orders.v1.Orders';
const METHODS: readonly MethodInfo[] = [
  { service, method: 'Find', responseStream: false, idempotent: true },
  { service, method: 'Place', responseStream: false },
  { service, method: 'Watch', responseStream: true, idempotent: true },
  { service, method: 'Upload', responseStream: false, requestStream: true, idempotent: true },
];

interface Setup {
  readonly given?: GivenServiceConfig;
  readonly channelOptions?: ChannelOptions;
  readonly previous?: MethodPolicies;
}

function policies(options: LoadBalancingOptions, { given = {}, channelOptions = {}, previous }: Setup = {}) {
  return new MethodPolicies(effectiveLoadBalancing(options), METHODS, given, channelOptions, previous);
}

/** What a method does, as in the options; `named` is as in `Find`. */
function of(all: MethodPolicies, named: string) {
  return all.for(`/${service}/${named}`);
}

const RETRY_POLICY = {
  maxAttempts: 4,
  initialBackoff: '0.05s',
  maxBackoff: '1.5s',
  backoffMultiplier: 3,
  retryableStatusCodes: ['UNAVAILABLE', 'aborted', 8],
};

describe('without options', () => {
  test('a method makes one attempt, and has no deadline', () => {
    const all = policies({});
    const common = { timeout: undefined, latency: undefined, inherits: true };
    expect(of(all, 'Find')).toEqual({
      ...common,
      declared: true,
      stream: false,
      responseStream: false,
      call: SINGLE_ATTEMPT,
    });
    expect(of(all, 'Watch')).toMatchObject({ stream: true, responseStream: true });
    expect(of(all, 'Upload')).toMatchObject({ stream: true, responseStream: false });
    expect(of(all, 'Find').call).toBe(SINGLE_ATTEMPT);
  });

  test('there is nothing to throttle, and no budget', () => {
    for (const options of [
      {},
      { deadline: { timeout: 1 } },
      { retry: { maxAttempts: 1 } },
      { hedge: { maxAttempts: 1 } },
    ])
      expect(policies(options)).toMatchObject({ throttling: undefined, budget: undefined });
  });

  test('an unknown method is unknown in either direction', () => {
    expect(policies({}).for('/a.B/C')).toMatchObject({
      stream: false,
      responseStream: undefined,
      call: SINGLE_ATTEMPT,
    });
    expect(policies({}).for('odd').call).toBe(SINGLE_ATTEMPT);
  });
});

describe('retries', () => {
  test('apply to every known method, with the defaults filled in', () => {
    const all = policies({ retry: {} });
    const rule = {
      maxAttempts: 3,
      retryableCodes: new Set([14]),
      initialBackoff: 50,
      maxBackoff: 1000,
      backoffMultiplier: 2,
    };
    for (const { method } of METHODS) expect(of(all, method).call).toMatchObject({ retry: rule, hedge: undefined });
    expect(of(all, 'Other').call).toBe(SINGLE_ATTEMPT);
  });

  test('have a longest backoff that is never below the initial one', () => {
    expect(of(policies({ retry: { initialBackoff: 2000 } }), 'Find').call.retry).toMatchObject({ maxBackoff: 2000 });
  });

  test('can be set for one method, and turned off with false', () => {
    const retry = { maxAttempts: 2, methods: { Find: { maxAttempts: 5, attemptTimeout: 9 }, Place: false } } as const;
    const all = policies({ retry });
    expect(of(all, 'Find').call).toMatchObject({ retry: { maxAttempts: 5 }, attemptTimeout: 9 });
    expect(of(all, 'Place').call).toBe(SINGLE_ATTEMPT);
    expect(of(all, 'Watch').call).toMatchObject({ retry: { maxAttempts: 2 }, attemptTimeout: undefined });
  });

  test('are never more than the channel options allow', () => {
    const attempts = (channelOptions: ChannelOptions) =>
      of(policies({ retry: { maxAttempts: 5 } }, { channelOptions }), 'Find').call.retry?.maxAttempts;
    expect(attempts({ 'grpc-node.retry_max_attempts_limit': 3 })).toBe(3);
    expect(attempts({ 'grpc-node.retry_max_attempts_limit': 10 })).toBe(5);
    expect(attempts({ 'grpc-node.retry_max_attempts_limit': 1 })).toBeUndefined();
    expect(attempts({ 'grpc.enable_retries': 1 })).toBe(5);
    expect(attempts({ 'grpc.enable_retries': 0 })).toBeUndefined();
  });

  test('an attempt timeout applies to the only attempt too', () => {
    const channelOptions = { 'grpc.enable_retries': 0 };
    for (const all of [
      policies({ retry: { maxAttempts: 1, attemptTimeout: 50 } }),
      policies({ retry: { attemptTimeout: 50 } }, { channelOptions }),
    ]) {
      expect(of(all, 'Find').call).toEqual({ retry: undefined, hedge: undefined, attemptTimeout: 50 });
      expect(all).toMatchObject({ throttling: undefined, budget: undefined });
    }
  });
});

describe('hedging', () => {
  test('applies to methods that the proto file marks, and do not stream requests', () => {
    const all = policies({ hedge: {} });
    expect(METHODS.map(({ method }) => of(all, method).call.hedge?.maxAttempts)).toEqual([2, undefined, 2, undefined]);
    expect(of(all, 'Find').call.hedge!.nonFatalCodes).toEqual(new Set([14]));
  });

  test('applies to methods that it names, with options of their own, unless it says false', () => {
    const all = policies({
      hedge: { delay: 5, methods: { Find: false, Place: true, Upload: { delay: 7, maxAttempts: 3 } } },
    });
    expect(of(all, 'Find').call).toBe(SINGLE_ATTEMPT);
    expect(of(all, 'Place').call.hedge!.delay()).toBe(5);
    expect(of(all, 'Upload').call.hedge!.delay()).toBe(7);
    expect(of(all, 'Upload').call.hedge).toMatchObject({ maxAttempts: 3 });
    expect(of(all, 'Other').call).toBe(SINGLE_ATTEMPT);
  });

  test('takes precedence over retries, whose attempt timeout applies to both', () => {
    const all = policies({ retry: { attemptTimeout: 70 }, hedge: { delay: 0 } });
    expect(of(all, 'Find').call).toMatchObject({ retry: undefined, hedge: { maxAttempts: 2 }, attemptTimeout: 70 });
    expect(of(all, 'Place').call).toMatchObject({ retry: { maxAttempts: 3 }, hedge: undefined, attemptTimeout: 70 });
  });

  test('is never more than the channel options allow', () => {
    const channelOptions = { 'grpc.enable_retries': 0 };
    const off = policies({ hedge: {} }, { channelOptions });
    expect(of(off, 'Find')).toMatchObject({ call: SINGLE_ATTEMPT, latency: undefined });
    expect(off).toMatchObject({ throttling: undefined, budget: undefined });
    const three = policies(
      { hedge: { maxAttempts: 5 } },
      { channelOptions: { 'grpc-node.retry_max_attempts_limit': 3 } },
    );
    expect(of(three, 'Find').call.hedge).toMatchObject({ maxAttempts: 3 });
  });
});

describe('a learned delay', () => {
  const learn = (all: MethodPolicies, method: string): void => {
    for (let i = 1; i <= 100; i++) of(all, method).latency!.record(i, i);
  };

  test('is unknown until 50 calls have been answered, and separate for each method', () => {
    const all = policies({ hedge: { delay: 'p90' } });
    expect(of(all, 'Find').call.hedge!.delay()).toBeUndefined();
    learn(all, 'Find');
    const learned = of(all, 'Find').call.hedge!.delay()!;
    // The upper end of a bucket that is 9 % wide.
    expect([learned >= 91, learned <= 91 * 1.09]).toEqual([true, true]);
    expect(of(all, 'Watch').call.hedge!.delay()).toBeUndefined();
  });

  test('is learned only where it is used', () => {
    expect(of(policies({ hedge: { delay: 20 } }), 'Find').latency).toBeUndefined();
    expect(of(policies({ hedge: {} }), 'Place').latency).toBeUndefined();
    expect(of(policies({ retry: {} }), 'Find').latency).toBeUndefined();
  });

  test('is kept when the options change, but not for another quantile', () => {
    const previous = policies({ hedge: { delay: 'p90' } });
    learn(previous, 'Find');
    const next = policies({ hedge: { delay: 'p90', maxAttempts: 3 }, retry: {} }, { previous });
    expect(of(next, 'Find').call.hedge!.delay()).toBe(of(previous, 'Find').call.hedge!.delay());
    expect(of(policies({ hedge: { delay: 'p50' } }, { previous }), 'Find').call.hedge!.delay()).toBeUndefined();
  });
});

describe('the share of hedges', () => {
  test('is limited unless it is 1, and kept when other options change', () => {
    const previous = policies({ hedge: {} });
    const { share } = of(previous, 'Find').call.hedge!;
    expect(share!.take({})).toBe(true);
    expect(of(policies({ hedge: { maxAttempts: 3 } }, { previous }), 'Find').call.hedge!.share).toBe(share);
    expect(of(policies({ hedge: { maxShare: 0.1 } }, { previous }), 'Find').call.hedge!.share).not.toBe(share);
    expect(of(policies({ hedge: { maxShare: 1 } }, { previous }), 'Find').call.hedge!.share).toBeUndefined();
  });
});

describe('deadlines', () => {
  test('apply to single responses, and to a stream that is named', () => {
    const all = policies({ deadline: { timeout: 1500, methods: { Find: 1 } } });
    expect(METHODS.map(({ method }) => of(all, method).timeout)).toEqual([1, 1500, undefined, 1500]);
    expect(of(policies({ deadline: { methods: { Watch: 9 } } }), 'Watch').timeout).toBe(9);
  });
});

describe("the user's own service config", () => {
  const OURS: LoadBalancingOptions = { retry: { attemptTimeout: 5 }, hedge: {}, deadline: { timeout: 1000 } };

  test('takes precedence for a method that it names', () => {
    const given = {
      methodConfig: [{ name: [{ service, method: 'Find' }], timeout: '0.25s', retryPolicy: RETRY_POLICY }],
    };
    const all = policies(OURS, { given });
    expect(of(all, 'Find')).toEqual({
      declared: true,
      inherits: true,
      stream: false,
      responseStream: false,
      timeout: 250,
      latency: undefined,
      call: {
        retry: {
          maxAttempts: 4,
          retryableCodes: new Set([14, 10, 8]),
          initialBackoff: 50,
          maxBackoff: 1500,
          backoffMultiplier: 3,
        },
        hedge: undefined,
        attemptTimeout: undefined,
      },
    });
    expect(of(all, 'Watch')).toMatchObject({ stream: true, call: { hedge: { maxAttempts: 2 } } });
  });

  test('replaces what the options say of a method that it names, also where it has none of it', () => {
    const methodConfig = [{ name: [{ service, method: 'Find' }], timeout: '0.25s' }];
    expect(of(policies(OURS, { given: { methodConfig } }), 'Find')).toMatchObject({
      timeout: 250,
      call: SINGLE_ATTEMPT,
    });
  });

  test('is completed by the options where it names a service, or all', () => {
    const given = (name: object) => ({ methodConfig: [{ name: [name], timeout: '30s', retryPolicy: RETRY_POLICY }] });
    for (const name of [{ service }, {}]) {
      const all = policies({ retry: { maxAttempts: 2 } }, { given: given(name) });
      expect(of(all, 'Find')).toMatchObject({ timeout: 30_000, call: { retry: { maxAttempts: 2 } } });
      expect(of(policies({ deadline: { timeout: 7 } }, { given: given(name) }), 'Find')).toMatchObject({
        timeout: 7,
        call: { retry: { maxAttempts: 4 } },
      });
    }
    const off = policies({ retry: { methods: { Place: false } } }, { given: given({}) });
    expect(of(off, 'Place')).toMatchObject({ timeout: 30_000, call: SINGLE_ATTEMPT });
  });

  test('applies to unknown methods, by the most specific entry', () => {
    const methodConfig = [
      { name: [{}], timeout: '3s' },
      { name: [{ service: 'a.B' }], timeout: '2s' },
      { name: [{ service: 'a.B', method: 'C' }], timeout: '1s', retryPolicy: RETRY_POLICY },
    ];
    const all = policies({}, { given: { methodConfig } });
    expect(['/a.B/C', '/a.B/D', '/x.Y/Z'].map((path) => all.for(path).timeout)).toEqual([1000, 2000, 3000]);
    expect(all.for('/a.B/C').call.retry).toMatchObject({ maxAttempts: 4 });
    expect(all.for('/a.B/C').responseStream).toBeUndefined();
  });

  test('may hedge', () => {
    const hedging = (hedgingPolicy: object) => ({
      methodConfig: [{ name: [{}], hedgingPolicy: hedgingPolicy as never }],
    });
    const policy = { maxAttempts: 9, hedgingDelay: '0.5s', nonFatalStatusCodes: [14, 'INTERNAL'] };
    const { call } = of(policies({}, { given: hedging(policy) }), 'Place');
    expect(call).toMatchObject({ retry: undefined, hedge: { maxAttempts: 5, nonFatalCodes: new Set([14, 13]) } });
    expect(call.hedge!.delay()).toBe(500);
    const all = policies({ hedge: { methods: { Place: false } } }, { given: hedging({ maxAttempts: 2 }) });
    expect(of(all, 'Place').call).toBe(SINGLE_ATTEMPT);
    expect(of(all, 'Upload').call.hedge!.delay()).toBe(0);
    expect(of(policies({ retry: {} }, { given: hedging(policy) }), 'Place').call).toMatchObject({ hedge: undefined });
  });

  test('gives thousands of made-up methods the same policy', () => {
    const all = policies({}, { given: { methodConfig: [{ name: [{}], retryPolicy: RETRY_POLICY }] } });
    const policy = all.for('/a.B/0');
    for (let i = 0; i < 3000; i++) expect(all.for(`/a.B/${i}`)).toBe(policy);
  });
});

describe('throttling and budget', () => {
  const retryThrottling = { maxTokens: 5, tokenRatio: 0.5 };
  const methodConfig = [{ name: [{}], retryPolicy: RETRY_POLICY }];

  test('have defaults as soon as there are retries or hedges', () => {
    const defaults = { throttling: { maxTokens: 100, tokenRatio: 0.1 }, budget: { ratio: 0.2, minPerSecond: 10 } };
    for (const options of [{ retry: {} }, { hedge: {} }, { retry: { maxAttempts: 1 }, hedge: {} }])
      expect(policies(options)).toMatchObject(defaults);
  });

  test('may be set, and turned off', () => {
    const retry = { throttling: { maxTokens: 10 }, budget: { ratio: 0.5 } };
    expect(policies({ retry })).toMatchObject({
      throttling: { maxTokens: 10, tokenRatio: 0.1 },
      budget: { ratio: 0.5, minPerSecond: 10 },
    });
    const off = { throttling: false, budget: false } as const;
    expect(policies({ retry: off }, { given: { retryThrottling } })).toMatchObject({
      throttling: undefined,
      budget: undefined,
    });
  });

  test("the user's own retryThrottling is kept if the options have none", () => {
    expect(policies({ retry: {} }, { given: { retryThrottling } }).throttling).toEqual(retryThrottling);
    expect(policies({}, { given: { retryThrottling, methodConfig } }).throttling).toEqual(retryThrottling);
    expect(policies({ retry: { throttling: {} } }, { given: { retryThrottling } }).throttling).toMatchObject({
      maxTokens: 100,
    });
  });

  test('retries of the service config alone are not throttled, but have a budget', () => {
    expect(policies({}, { given: { methodConfig } })).toMatchObject({
      throttling: undefined,
      budget: { ratio: 0.2, minPerSecond: 10 },
    });
  });
});
