import { expect, test } from 'vitest';
import {
  effectiveLoadBalancing,
  type LoadBalancingOptions,
  mergeLoadBalancing,
} from '../core/options/load-balancing.js';
import { type OptionInForce, type OptionLayer, optionsInForce } from './option-origins.js';

/** The options in force of merged layers, by path. */
function inForce(...layers: readonly OptionLayer[]): Record<string, OptionInForce> {
  const merged = layers.reduce<LoadBalancingOptions>((base, [, over]) => mergeLoadBalancing(base, over), {});
  return Object.fromEntries(optionsInForce(effectiveLoadBalancing(merged), layers).map((each) => [each.path, each]));
}

test('each option has the origin of the strongest layer that sets it', () => {
  const options = inForce(
    ['module', { pool: { size: 2, maxSize: 3 }, policy: 'round_robin' }],
    ['client', { pool: { maxSize: 4 } }],
    ['overrides', { policy: 'random', subset: undefined }],
  );
  expect(options['pool.size']).toEqual({ path: 'pool.size', value: 2, origin: 'module' });
  expect(options['pool.maxSize']).toEqual({ path: 'pool.maxSize', value: 4, origin: 'client' });
  expect(options['policy']).toEqual({ path: 'policy', value: { name: 'random' }, origin: 'overrides' });
  expect(options['pool.idleTimeout']).toMatchObject({ origin: 'default' });
  expect(options['subset']).toEqual({ path: 'subset', value: undefined, origin: 'default' });
});

test('parts of a budget that a stronger layer has switched on again are defaults', () => {
  const options = inForce(
    ['module', { retry: { maxAttempts: 2, throttling: { maxTokens: 7 } } }],
    ['client', { retry: { throttling: false } }],
    ['overrides', { retry: { throttling: { tokenRatio: 0.5 } } }],
  );
  expect(options['retry.throttling.tokenRatio']).toMatchObject({ value: 0.5, origin: 'overrides' });
  expect(options['retry.throttling.maxTokens']).toMatchObject({ origin: 'default' });
  expect(options['retry.throttling.maxTokens']!.value).not.toBe(7);
  expect(options['retry.maxAttempts']).toMatchObject({ value: 2, origin: 'module' });
});

test('an override that configure() on the handle has replaced is not shown as its origin', () => {
  const effective = effectiveLoadBalancing({ policy: 'random', pool: { size: 2 } });
  const layers: OptionLayer[] = [
    ['configure', { policy: 'random', pool: { size: 2 } }],
    ['overrides', { policy: 'round_robin', pool: { size: 2 } }],
  ];
  const options = Object.fromEntries(optionsInForce(effective, layers).map(({ path, origin }) => [path, origin]));
  expect(options).toMatchObject({ policy: 'configure', 'pool.size': 'overrides', 'pool.maxSize': 'default' });
});
