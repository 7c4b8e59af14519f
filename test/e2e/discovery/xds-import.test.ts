import { experimental } from '@grpc/grpc-js';
import { expect, test, vi } from 'vitest';
import { createEndpointSource, parseTarget, registeredSchemes } from '../../../libs/grpc-lb/src/discovery/index.js';
import { isDelegated } from '../../../libs/grpc-lb/src/grpc/channel/delegated-channel.js';
import { BalancedClient } from '../../support/echo/balanced-client.js';
import { startBackends } from '../../support/echo/backends.js';
import { staticTarget } from '../../support/echo/cluster.js';

/** What the client of @grpc/grpc-js-xds brings. */
const FOREIGN_POLICIES = ['cds', 'priority', 'weighted_target', 'xds_cluster_impl', 'ring_hash'];
const registered = (): boolean[] => FOREIGN_POLICIES.map((name) => experimental.isLoadBalancerNameRegistered(name));

test('importing the sub-path registers nothing; registerXds does, even repeatedly, and other clients keep working', async () => {
  const servers = await startBackends(2);
  const client = await new BalancedClient({ target: staticTarget(servers) }).ready(2);
  const context = { clock: { now: () => 0, after: () => () => {} }, random: () => 0 };

  const xds = await import('../../../libs/grpc-lb/src/discovery/xds/index.js');
  expect(registered()).toEqual(FOREIGN_POLICIES.map(() => false));
  expect(registeredSchemes()).not.toContain('eds');
  expect(isDelegated('xds:///orders')).toBe(false);
  expect(() => createEndpointSource(parseTarget('eds:///orders'), context)).toThrow('is not registered');

  xds.registerXds();
  xds.registerXds({ resourceTimeout: 1000 });
  expect(registered()).toEqual(FOREIGN_POLICIES.map(() => true));
  expect(registeredSchemes()).toContain('eds');
  expect(isDelegated('xds:///orders')).toBe(true);

  await client.say();
  const later = await new BalancedClient({ target: staticTarget(servers) }).ready(2);
  await later.say();
  client.close();
  later.close();
});

test('a source that the application registered under the same name is kept, and nothing is registered partially', async () => {
  vi.resetModules();
  const { registerEndpointSource } = await import('../../../libs/grpc-lb/src/discovery/index.js');
  const delegated = await import('../../../libs/grpc-lb/src/grpc/channel/delegated-channel.js');
  const { registerXds } = await import('../../../libs/grpc-lb/src/discovery/xds/index.js');
  registerEndpointSource('eds', () => ({ start() {}, refresh() {}, stop() {} }));
  expect(() => registerXds()).toThrow('already has a source');
  expect(delegated.isDelegated('xds:///orders')).toBe(false);
});
