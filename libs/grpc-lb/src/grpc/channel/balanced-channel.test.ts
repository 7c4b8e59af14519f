import { credentials } from '@grpc/grpc-js';
import { expect, test } from 'vitest';
import { registerEndpointSource } from '../../discovery/index.js';
import { createBalancedChannel } from './balanced-channel.js';

test('what it tells of its target has no secrets', () => {
  registerEndpointSource('registry', () => ({ start() {}, refresh() {}, stop() {} }));
  const channel = createBalancedChannel({
    name: 'ORDERS',
    target: ['registry://user:hunter2@agent:8500/orders?token=hunter2', 'static:///a:1'],
    credentials: credentials.createInsecure(),
  });
  const call = channel.createCall('/orders.v1.Orders/Find', Infinity);
  expect(channel.getTarget()).toBe('grpc-lb:registry://...@agent:8500/orders?token=...');
  expect(call.getPeer()).toBe('registry://...@agent:8500/orders?token=... static:///a:1');
  channel.close();
});
