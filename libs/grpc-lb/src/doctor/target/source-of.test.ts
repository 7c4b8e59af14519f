import { expect, test } from 'vitest';
import type { EndpointSource } from '../../core/endpoint-source.js';
import { parseTarget, registerEndpointSource, registeredSchemes } from '../../discovery/index.js';
import { systemClock } from '../../grpc/context/system-clock.js';
import { sourceOf } from './source-of.js';

const context = { clock: systemClock, random: Math.random };
const own: EndpointSource = { start: () => {}, refresh: () => {}, stop: () => {} };

test('a source of a sub-path is created, and not registered', async () => {
  const source = await sourceOf(parseTarget('file:///etc/endpoints.yaml'), context);
  expect(source.constructor.name).toBe('FileSource');
  expect(registeredSchemes()).toEqual(['dns', 'dns+srv', 'static']);
});

test('one that the application has registered is used, with its options', async () => {
  registerEndpointSource('file', () => own);
  expect(await sourceOf(parseTarget('file:///etc/endpoints.yaml'), context)).toBe(own);
});

test('an unknown scheme is an error, as for a client', async () => {
  await expect(sourceOf(parseTarget('k8s:///orders'), context)).rejects.toThrow('did you mean "kubernetes"?');
});

test.for(['kubernetes:///me:hunter2@orders.shop:grpc', 'eds:///orders?token=hunter2'])(
  'a secret is refused, and not shown: %s',
  async (target) => {
    const error: unknown = await sourceOf(parseTarget(target), context).catch((thrown: unknown) => thrown);
    expect(String(error)).toContain('which this source does not use; remove it');
    expect(String(error)).not.toContain('hunter2');
  },
);
