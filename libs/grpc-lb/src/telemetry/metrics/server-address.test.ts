import { expect, test } from 'vitest';
import { serverAddressOf } from './server-address.js';

// The examples of the conventions for gRPC, and the targets of this package.
test.each([
  ['grpc.io:50051', 'grpc.io', 50_051],
  ['dns://1.2.3.4/grpc.io:50051', 'grpc.io', 50_051],
  ['unix:///run/containerd/containerd.sock', '/run/containerd/containerd.sock', undefined],
  ['unix:relative.sock', 'relative.sock', undefined],
  ['zk://zookeeper:2181/my-server', 'zk://zookeeper:2181/my-server', undefined],
  ['ipv4:198.51.100.123:50051,198.51.100.124:50051', 'ipv4:198.51.100.123:50051,198.51.100.124:50051', undefined],
  ['dns:///orders:50051', 'orders', 50_051],
  ['dns:orders', 'orders', undefined],
  ['dns+srv:///_grpc._tcp.orders', '_grpc._tcp.orders', undefined],
  ['static:///10.0.0.1:50051', '10.0.0.1', 50_051],
  ['static:///[2001:db8::1]:50051', '2001:db8::1', 50_051],
  ['static:///10.0.0.1:1,10.0.0.2:1', 'static:///10.0.0.1:1,10.0.0.2:1', undefined],
  ['kubernetes:///orders.shop:grpc', 'kubernetes:///orders.shop:grpc', undefined],
  ['consul:///orders?dc=eu', 'consul:///orders?dc=eu', undefined],
  ['dns:///a:1 dns:///b:1', 'dns:///a:1 dns:///b:1', undefined],
])('%s', (target, address, port) => {
  const expected = port === undefined ? {} : { 'server.port': port };
  expect(serverAddressOf(target)).toEqual({ 'server.address': address, ...expected });
});
