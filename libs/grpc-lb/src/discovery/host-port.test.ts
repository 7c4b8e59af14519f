import { describe, expect, test } from 'vitest';
import { addressToString } from '../core/endpoint.js';
import type { Fault } from '../core/errors.js';
import { parseHostPort, readHostPort } from './host-port.js';

const messages = (text: string, defaultPort?: number): string[] => {
  const faults: Fault[] = [];
  expect(readHostPort('address', text, faults, { defaultPort })).toBeUndefined();
  return faults.map((fault) => `${fault.path} ${fault.message}`);
};

describe('a host and a port', () => {
  test.each([
    ['orders:50051', 'orders', 50_051],
    ['Orders.Shop:1', 'orders.shop', 1],
    ['orders.shop.svc.cluster.local.:65535', 'orders.shop.svc.cluster.local.', 65_535],
    ['my_orders-1:50051', 'my_orders-1', 50_051],
    ['10.0.0.1:50051', '10.0.0.1', 50_051],
    ['[::1]:50051', '::1', 50_051],
    ['[2001:DB8:0:0::1]:50051', '2001:db8::1', 50_051],
    ['[fe80::1%eth0]:50051', 'fe80::1%eth0', 50_051],
    ['bücher.example:50051', 'xn--bcher-kva.example', 50_051],
    ['1und1.de:443', '1und1.de', 443],
  ])('%s is host %s, port %i', (text, host, port) => {
    expect(parseHostPort(text, 'target')).toEqual({ host, port });
  });

  test.each(['orders:50051', '10.0.0.1:50051', '[::1]:50051', '[fe80::1%eth0]:50051'])(
    '%s reads as what it is written as',
    (text) => {
      expect(addressToString(parseHostPort(text, 'target'))).toBe(text);
    },
  );

  test.each([
    ['orders', 'orders'],
    ['[::1]', '::1'],
    ['10.0.0.1', '10.0.0.1'],
  ])('%s gets the default port', (text, host) => {
    expect(parseHostPort(text, 'target', { defaultPort: 443 })).toEqual({ host, port: 443 });
  });

  test.each([
    ['orders', 'is "orders", without a port; add one, as in "orders:50051"'],
    ['[::1]', 'is "[::1]", without a port; add one, as in "[::1]:50051"'],
    ['', 'is "", without a host; write host:port, with a name or an IP address'],
    [':50051', 'is ":50051", without a host; write host:port, with a name or an IP address'],
    ['orders:', 'is "orders:", and "" is not a port; use a whole number from 1 to 65535'],
    ['orders:0', 'is "orders:0", and "0" is not a port; use a whole number from 1 to 65535'],
    ['orders:65536', 'is "orders:65536", and "65536" is not a port; use a whole number from 1 to 65535'],
    ['orders:-1', 'is "orders:-1", and "-1" is not a port; use a whole number from 1 to 65535'],
    ['orders:grpc', 'is "orders:grpc", and "grpc" is not a port; use a whole number from 1 to 65535'],
    ['orders:80?x', 'is "orders:80?x", and "80?x" is not a port; use a whole number from 1 to 65535'],
    ['::1:50051', 'is "::1:50051"; write host:port, with an IPv6 address in brackets, as in "[::1]:50051"'],
    ['a:1:2', 'is "a:1:2"; write host:port, with an IPv6 address in brackets, as in "[::1]:50051"'],
    ['[orders]:1', 'is "[orders]:1"; write host:port, with an IPv6 address in brackets, as in "[::1]:50051"'],
    ['[::1]50051', 'is "[::1]50051"; write host:port, with an IPv6 address in brackets, as in "[::1]:50051"'],
  ])('%j: %s', (text, message) => {
    expect(messages(text)).toEqual([`address ${message}`]);
  });

  test.each([
    'or ders',
    '/orders',
    'orders/x',
    'bü\tcher',
    'bücher/x',
    'a@b',
    'a%20b',
    'a..b',
    '.',
    'a*b',
    '10.0.0.300',
    '1.2.3',
    '50051',
    'a'.repeat(64),
    `${'a'.repeat(60)}.`.repeat(5),
  ])('%j is not a valid host', (host) => {
    expect(messages(host, 443)).toEqual([expect.stringContaining('is neither a host name nor an IP address')]);
  });

  test('an invalid host and an invalid port are reported together', () => {
    expect(messages('or ders:0')).toHaveLength(2);
  });

  test('the error begins with the input', () => {
    expect(() => parseHostPort('orders', 'target "x:///orders"')).toThrow(
      'target "x:///orders": an option is invalid\n  - address is "orders", without a port; add one, as in "orders:50051"',
    );
  });
});
