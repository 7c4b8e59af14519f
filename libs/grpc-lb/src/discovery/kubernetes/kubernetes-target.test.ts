import { describe, expect, it, test } from 'vitest';
import { parseTarget } from '../target.js';
import { parseServiceName } from './kubernetes-target.js';

const parse = (path: string): unknown => parseServiceName(parseTarget(`kubernetes:${path}`));

describe('a target has a Service, a namespace and a port', () => {
  it.each([
    ['///orders.shop:grpc', { service: 'orders', namespace: 'shop', port: 'grpc' }],
    ['///orders.shop:50051', { service: 'orders', namespace: 'shop', port: 50051 }],
    ['///orders:grpc', { service: 'orders', namespace: undefined, port: 'grpc' }],
    ['orders:1', { service: 'orders', namespace: undefined, port: 1 }],
    ['///orders-v2.team-a:grpc-web', { service: 'orders-v2', namespace: 'team-a', port: 'grpc-web' }],
    ['///orders.shop.svc:65535', { service: 'orders', namespace: 'shop', port: 65535 }],
    ['///orders.shop.svc.cluster.local.:grpc', { service: 'orders', namespace: 'shop', port: 'grpc' }],
    ['///3scale.shop:p2p', { service: '3scale', namespace: 'shop', port: 'p2p' }],
  ])('kubernetes:%s', (path, expected) => {
    expect(parse(path)).toEqual(expected);
  });
});

describe('the error of a faulty target says what to write', () => {
  it.each([
    ['//orders.shop:grpc/', /authority is "orders.shop:grpc".*write kubernetes:\/\/\/orders.shop:grpc, with three/],
    ['///orders.shop', /port is missing; add the name of the Service's port or its number, as in kubernetes:/],
    ['///orders.shop:', /port is missing/],
    ['///:grpc', /service is ""; name the Service/],
    ['///Orders.shop:grpc', /service is "Orders";.*lower-case/],
    ['///orders.Shop:grpc', /namespace is "Shop"/],
    ['///orders..svc:grpc', /namespace is ""/],
    ['///orders.shop.pod.cluster.local:grpc', /followed by "pod.cluster.local"; write service.namespace/],
    ['///orders.shop.svc.:x:grpc', /port is "x:grpc"; write one port/],
    ['///orders.shop:0', /port is "0"; use the name of a port of the Service, or a whole number from 1 to 65535/],
    ['///orders.shop:65536', /port is "65536"/],
    ['///orders.shop:grpc,payments.shop:grpc', /port is "grpc,payments.shop:grpc"/],
    ['///orders.shop:grpc?x=1', /port is "grpc\?x=1"/],
    ['///[::1]:50051', /service is/],
    [`///${'o'.repeat(64)}.shop:grpc`, /service is/],
  ])('kubernetes:%s', (path, message) => {
    expect(() => parse(path)).toThrow(message);
  });

  test('for all faults at once', () => {
    expect(() => parse('//x/Orders.S_hop:0')).toThrow(/4 options are invalid/);
  });
});
