import { expect, test } from 'vitest';
import { authorityOf, hostOf } from './default-authority.js';

test.each([
  // A host, with its port if that is a number.
  ['dns:///orders:50051', 'orders:50051'],
  ['dns:orders:50051', 'orders:50051'],
  ['orders:50051', 'orders:50051'],
  ['dns:///orders', 'orders'],
  ['dns://10.0.0.2:53/orders.shop:50051', 'orders.shop:50051'],
  ['dns:///orders.shop.svc.cluster.local.:50051', 'orders.shop.svc.cluster.local.:50051'],
  ['kubernetes:///orders.shop:grpc', 'orders.shop'],
  ['kubernetes:///orders.shop:50051', 'orders.shop:50051'],
  ['kubernetes:///orders', 'orders'],
  ['xds:///orders.shop', 'orders.shop'],
  // The first of several.
  ['static:///10.0.0.1:50051,10.0.0.2:50052', '10.0.0.1:50051'],
  ['static:///a:1;weight=2,b:2', 'a:1'],
  // Without the query parameters.
  ['consul:///orders?tag=v2&dc=eu', 'orders'],
  ['consul://agent:8500/orders?tag=a,b', 'orders'],
  ['dns+srv:///_grpc._tcp.orders.shop', 'orders.shop'],
  ['dns+srv://10.0.0.2/_grpc._tcp.orders.shop', 'orders.shop'],
  // IPv6.
  ['dns:///[::1]:50051', '[::1]:50051'],
  ['static:///[2001:db8::1]:50051,[2001:db8::2]:1', '[2001:db8::1]:50051'],
  ['static:///[::1]', '[::1]'],
  ['kubernetes:///[::1]:grpc', '[::1]'],
  // No host.
  ['static:///unix:/run/orders.sock,a:1', 'localhost'],
  ['file:///etc/orders/endpoints.yaml', 'localhost'],
  ['file:///endpoints.yaml', 'localhost'],
  ['file:endpoints.yaml', 'localhost'],
  ['file:./a/endpoints.json', 'localhost'],
  ['manual:///', 'localhost'],
  ['dns+srv:///_grpc._tcp.', 'localhost'],
  // International names.
  ['dns:///bücher.example:50051', 'xn--bcher-kva.example:50051'],
  ['dns:///bücher.example', 'xn--bcher-kva.example'],
  ['kubernetes:///ωμέγα:grpc', 'xn--ixaif8a2d'],
  ['dns+srv:///_grpc._tcp.bücher.example', 'xn--bcher-kva.example'],
  // ASCII is unchanged; a name that a server would reject is not an authority.
  ['dns:///Orders_1.shop:50051', 'Orders_1.shop:50051'],
  ['consul:///my service', 'localhost'],
  ['eds:///outbound|50051||orders.shop', 'orders.shop'],
])('%s: %s', (target, authority) => {
  expect(authorityOf(target)).toBe(authority);
});

test.each([
  ['dns:///orders:50051', 'orders:50051'],
  // A socket of this machine.
  ['static:///unix:/run/a.sock,unix:/run/b.sock', 'localhost'],
  ['static:///unix:/run/orders.sock,a:1', undefined],
  ['file:///etc/orders/endpoints.yaml', undefined],
  ['manual:///', undefined],
  ['dns+srv:///_grpc._tcp.', undefined],
  ['consul:///orders@v2', undefined],
  ['localhost:50051', 'localhost:50051'],
])('%s: TLS verifies %s', (target, host) => {
  expect(hostOf(target)).toBe(host);
});
