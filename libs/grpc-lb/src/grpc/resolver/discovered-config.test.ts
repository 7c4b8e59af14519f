import { expect, test } from 'vitest';
import { faultOfConfig } from './discovered-config.js';

const name = [{ service: 'orders.v1.Orders' }];

test('a service config with timeouts and retries is valid', () => {
  const retryPolicy = {
    maxAttempts: 3,
    initialBackoff: '0.1s',
    maxBackoff: '1s',
    backoffMultiplier: 2,
    retryableStatusCodes: ['UNAVAILABLE'],
  };
  expect(faultOfConfig({ methodConfig: [{ name, timeout: '1.5s', retryPolicy }] })).toBeNull();
  expect(faultOfConfig({})).toBeNull();
});

test.each<object>([
  { methodConfig: 'all' },
  { methodConfig: [{}] },
  { methodConfig: [{ name: 'orders' }] },
  { methodConfig: [{ name, timeout: 'soon' }] },
  { methodConfig: [{ name, retryPolicy: { maxAttempts: 1 } }] },
  { retryThrottling: { maxTokens: -1, tokenRatio: 1 } },
])('%j is not', (config) => {
  expect(faultOfConfig(config)).toEqual(expect.any(String));
  // The second call returns the cached result.
  expect(faultOfConfig(config)).toEqual(expect.any(String));
});
