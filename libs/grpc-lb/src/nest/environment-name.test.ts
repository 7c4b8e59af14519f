import { expect, it } from 'vitest';
import { strangersWarnings, unreadVariables } from './environment-name.js';
import type { GrpcLbClientOverrides } from './module-options.js';

it('variables for clients of the application are unread if they caused no override', () => {
  const environment = {
    GRPC_LB_ORDERS_TARGET: 'a:1',
    GRPC_LB_ORDERS_POOL_SIZE: '2',
    GRPC_LB_ORDERS_POLICY: '',
    GRPC_LB_PRICES_TARGET: 'b:1',
    GRPC_LB_ELSEWHERE_TARGET: 'c:1',
    GRPC_LB_ZONE: 'a',
    PATH: '/bin',
  };
  const PRICES = { target: 'b:1' };
  expect(unreadVariables(environment, ['ORDERS', 'PRICES'], { PRICES })).toEqual([
    'GRPC_LB_ORDERS_POOL_SIZE',
    'GRPC_LB_ORDERS_TARGET',
  ]);
  const ORDERS = { target: 'a:1', loadBalancing: { pool: { size: 2 } } };
  expect(unreadVariables(environment, ['ORDERS', 'PRICES'], { ORDERS, PRICES })).toEqual([]);
});

it('variables are unread if the overrides of their client come from elsewhere', () => {
  const environment = {
    GRPC_LB_ORDERS_TARGET: 'a:1',
    GRPC_LB_ORDERS_POLICY: 'random',
    GRPC_LB_ORDERS_TLS_CA: '/etc/ca.pem',
  };
  const unread = (override: GrpcLbClientOverrides): string[] =>
    unreadVariables(environment, ['ORDERS'], { ORDERS: override }).map((name) => name.replace('GRPC_LB_ORDERS_', ''));
  expect(unread({ target: 'b:1' })).toEqual(['POLICY', 'TARGET', 'TLS_CA']);
  expect(unread({ target: 'a:1' })).toEqual(['POLICY', 'TLS_CA']);
  expect(unread({ loadBalancing: { policy: 'random' } })).toEqual(['TARGET', 'TLS_CA']);
  expect(unread({ targets: ['a:1', 'b:1'], tls: { ca: '/etc/ca.pem' } })).toEqual(['POLICY']);
});

it('a variable that caused an override is read, even if the name of another client is its prefix', () => {
  const environment = { GRPC_LB_ORDERS_CLIENT_TARGET: 'a:1', GRPC_LB_ORDERS_POLICY: 'random' };
  expect(unreadVariables(environment, ['ORDERS', 'ORDERS_CLIENT'], { ORDERS_CLIENT: { target: 'a:1' } })).toEqual([
    'GRPC_LB_ORDERS_POLICY',
  ]);
});

it('without any overrides nothing is read, whatever client a variable is meant for', () => {
  const environment = {
    GRPC_LB_ORDER_TARGET: 'a:1',
    GRPC_LB_ORDERS_TRAGET: 'a:1',
    GRPC_LB_ZONE: 'a',
    GRPC_LB_NODE: 'b',
    GRPC_LB_ORDERS_POLICY: '',
  };
  const all = ['GRPC_LB_ORDERS_TRAGET', 'GRPC_LB_ORDER_TARGET'];
  expect(unreadVariables(environment, ['ORDERS'], undefined)).toEqual(all);
  expect(unreadVariables(environment, ['ORDERS'], {})).toEqual(['GRPC_LB_ORDERS_TRAGET']);
});

it.each([undefined, {}])('what Kubernetes sets for a Service is not meant for a client: overrides %j', (overrides) => {
  const environment = {
    GRPC_LB_PORT_CLIENT_TARGET: 'a:1',
    GRPC_LB_SERVICE_HOST: '10.0.0.1',
    GRPC_LB_DEMO_SERVICE_PORT_GRPC: '50051',
    GRPC_LB_DEMO_PORT: 'tcp://10.0.0.1:50051',
    GRPC_LB_DEMO_PORT_50051_TCP: 'tcp://10.0.0.1:50051',
    GRPC_LB_DEMO_PORT_50051_TCP_ADDR: '10.0.0.1',
  };
  expect(unreadVariables(environment, ['DEMO', 'PORT_CLIENT'], overrides)).toEqual(['GRPC_LB_PORT_CLIENT_TARGET']);
});

it('a variable for a client that the application does not have is named, with the one that was meant', () => {
  const environment = { GRPC_LB_ORDERS_TARGET: 'a:1', GRPC_LB_ORDERS_POLICY: 'random', GRPC_LB_USERS_TARGET: 'b:1' };
  const overrides = {
    ORDERS: { target: 'a:1', loadBalancing: { policy: 'random' } },
    USERS: { target: 'b:1' },
    STOCK: { target: 'c:1' },
  } as const;
  expect(strangersWarnings(environment, ['ORDERS_CLIENT', 'PAYMENTS_CLIENT'], overrides)).toEqual([
    'GRPC_LB_ORDERS_POLICY, GRPC_LB_ORDERS_TARGET of the environment have no effect, because there is no client ORDERS here; did you mean GRPC_LB_ORDERS_CLIENT_POLICY?; the clients here are ORDERS_CLIENT, PAYMENTS_CLIENT',
    'GRPC_LB_USERS_TARGET of the environment has no effect, because there is no client USERS here; the clients here are ORDERS_CLIENT, PAYMENTS_CLIENT',
    // Set in code.
    'Configuration for a client STOCK has no effect; the clients here are ORDERS_CLIENT, PAYMENTS_CLIENT',
  ]);
  expect(strangersWarnings(environment, ['ORDERS', 'USERS', 'STOCK'], overrides)).toEqual([]);
});
