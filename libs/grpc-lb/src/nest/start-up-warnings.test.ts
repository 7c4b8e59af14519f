import { credentials } from '@grpc/grpc-js';
import { expect, test } from 'vitest';
import type { GrpcLbClientOptions } from './client-options.js';
import { startUpWarnings } from './start-up-warnings.js';

const ORDERS: GrpcLbClientOptions = { target: 'dns:///orders.shop:50051', package: 'orders.v1' };
const warnings = (
  environment: Record<string, string>,
  more: Partial<GrpcLbClientOptions> = {},
  copies: readonly string[] = ['/app/node_modules/@grpc/grpc-js'],
): string[] => startUpWarnings(environment, [{ name: 'ORDERS', options: { ...ORDERS, ...more } }], copies);

test('a usual process causes none', () => {
  expect(warnings({})).toEqual([]);
  expect(startUpWarnings({}, [])).toEqual([]);
  expect(warnings({}, {}, [])).toEqual([]);
});

test('several copies of grpc-js are named, with the remedy', () => {
  expect(
    warnings({}, {}, ['/app/node_modules/@grpc/grpc-js', '/app/node_modules/x/node_modules/@grpc/grpc-js']),
  ).toEqual([
    '2 copies of @grpc/grpc-js are loaded, /app/node_modules/@grpc/grpc-js and ' +
      '/app/node_modules/x/node_modules/@grpc/grpc-js; one does not accept credentials or metadata of another; ' +
      'keep one copy: npm install @grpc/grpc-js@^1.14.0 at the top level, npm dedupe, and an override for a dependency that pins another',
  ]);
});

test('a proxy that the client would use is named, without its password', () => {
  const more = { channelOptions: { 'grpc.enable_http_proxy': 1 } };
  const [warning, ...rest] = warnings({ https_proxy: 'http://me:secret@proxy:3128' }, more);
  expect(warning).toMatch(/^client ORDERS: https_proxy is http:\/\/proxy:3128, and grpc\.enable_http_proxy is on/);
  expect(warning).toContain('in place of orders.shop');
  expect(rest).toEqual([]);
  expect(warnings({ https_proxy: 'http://proxy:3128', no_proxy: '.shop' }, more)).toEqual([]);
});

test('a proxy for gRPC that has no effect is named, and others are not', () => {
  expect(warnings({ grpc_proxy: 'http://proxy:3128' })).toEqual([
    expect.stringMatching(/^client ORDERS: grpc_proxy is http:\/\/proxy:3128 and has no effect/),
  ]);
  expect(warnings({ https_proxy: 'http://proxy:3128', http_proxy: 'http://proxy:3128' })).toEqual([]);
});

test('the first of several targets has the name', () => {
  const { target: _, ...rest } = ORDERS;
  const options = { ...rest, targets: ['dns:///orders.eu:1', 'dns:///orders.us:1'] };
  const found = startUpWarnings({ grpc_proxy: 'http://p:1', no_grpc_proxy: '.eu' }, [{ name: 'ORDERS', options }], []);
  expect(found).toEqual([]);
});

test('a target without a port, or to listen on, is named with the remedy', () => {
  const port =
    'client ORDERS: "dns:///orders" has no port, so it is 443, and there is no TLS; add the port, as in "dns:///orders:50051"';
  expect(warnings({}, { target: 'dns:///orders' })).toEqual([port]);
  expect(warnings({}, { target: undefined, targets: ['dns:///a:1', 'dns:///orders'] })).toEqual([port]);
  expect(warnings({}, { target: undefined, url: ['[::]:1', '10.0.0.1:1'] })).toEqual([
    'client ORDERS: "[::]:1" is an address to listen on, so calls go to this machine; write where the backends are, as in dns:///orders:50051',
  ]);
});

test.each([
  ['port 443 with TLS', { target: 'dns:///orders', tls: {} }],
  ['port 443 with credentials', { target: 'dns:///orders', credentials: credentials.createSsl() }],
  ['a name that has no port elsewhere', { target: 'dns+srv:///_grpc._tcp.orders.shop' }],
  ['an IPv6 address with a port', { target: '[fd00::1]:50051' }],
  ['the name of a file', { target: 'file:///etc/0.0.0.0:1' }],
] as [string, Partial<GrpcLbClientOptions>][])('%s causes none', (_, more) => {
  expect(warnings({}, more)).toEqual([]);
});
