import { expect, test } from 'vitest';
import { FakeClock } from '../../../../../test/support/time/fake-clock.js';
import { FakeDns } from '../../../../../test/support/discovery/fake-dns.js';
import { type DnsSourceOptions, dnsSourceFactory, parseTarget } from '../index.js';

const context = { clock: new FakeClock(), random: () => 0 };

const faultsOf = (uri: string): string[] => {
  try {
    dnsSourceFactory()(parseTarget(uri), context);
    return [];
  } catch (error) {
    const [subject, ...faults] = (error as Error).message.split('\n  - ');
    expect(subject).toBe(
      `target "${uri}": ${faults.length === 1 ? 'an option is' : `${faults.length} options are`} invalid`,
    );
    return faults;
  }
};

test.each([
  [
    '10.0.0.1:1,10.0.0.2:1',
    'address is "10.0.0.1:1,10.0.0.2:1", but DNS looks up one name; for several addresses write static:///10.0.0.1:1,10.0.0.2:1',
  ],
  ['dns:///orders:0', 'address is "orders:0", and "0" is not a port; use a whole number from 1 to 65535'],
  ['dns:///::1', 'address is "::1"; write host:port, with an IPv6 address in brackets, as in "[::1]:50051"'],
  ['dns:/orders:1', 'address is "/orders:1", and "/orders" is neither a host name nor an IP address'],
  [
    'dns:///_grpc._tcp.orders.shop',
    'address is "_grpc._tcp.orders.shop", the name of SRV records; write dns+srv:///_grpc._tcp.orders.shop',
  ],
  [
    'dns+srv:///_grpc._tcp.orders.shop:50051',
    'name is "_grpc._tcp.orders.shop:50051"; SRV records contain the port: omit it here, or use dns:///',
  ],
  ['dns+srv:///10.0.0.1', 'name is "10.0.0.1"; an IP address has no SRV records: write a name, or use dns:///'],
  ['dns+srv:///[::1]', 'name is "[::1]"; an IP address has no SRV records: write a name, or use dns:///'],
  [
    'dns+srv:///_grpc._tcp.a,_grpc._tcp.b',
    'name is "_grpc._tcp.a,_grpc._tcp.b", but DNS looks up one name; keep one, as in dns+srv:///_grpc._tcp.orders.shop',
  ],
  ['dns+srv:///a b', 'name is "a b", and "a b" is neither a host name nor an IP address'],
  [
    'dns://ns.shop:53/orders:50051',
    'authority is "ns.shop:53", which is not the IP address of a DNS server; ' +
      'write dns://10.0.0.2:53/orders:50051, or dns:///orders:50051 to ask the servers of this system',
  ],
  ['dns://10.0.0.2:x/orders:1', 'authority is "10.0.0.2:x", and "x" is not a port; use a whole number from 1 to 65535'],
  ['dns://::1/orders:1', 'authority is "::1"; write host:port, with an IPv6 address in brackets, as in "[::1]:50051"'],
  ['dns://10.0.0.2,/orders:1', 'authority is "", without a host; write host:port, with a name or an IP address'],
])('%s: %s', (uri, message) => {
  expect(faultsOf(uri)).toEqual([message]);
});

test('faults of the servers and of the name are reported in one error', () => {
  expect(faultsOf('dns://a,10.0.0.300/orders:0').map((fault) => fault.split(' ')[0])).toEqual([
    'authority',
    'authority',
    'address',
  ]);
});

test.each([
  ['dns://10.0.0.2/orders:1', ['10.0.0.2:53']],
  ['dns://10.0.0.2:5353/orders:1', ['10.0.0.2:5353']],
  ['dns://[FD00::2]:53/orders:1', ['[fd00::2]:53']],
  ['dns://[fd00::2],10.0.0.2,10.0.0.2:53/orders:1', ['[fd00::2]:53', '10.0.0.2:53']],
  ['dns+srv://10.0.0.2/_grpc._tcp.orders', ['10.0.0.2:53']],
  ['dns+srv:///_grpc._tcp.orders', []],
])('%s asks %j', async (uri, servers) => {
  const dns = new FakeDns();
  const source = dnsSourceFactory({ resolver: dns.resolver })(parseTarget(uri), context);
  const done = new Promise((onError) => {
    source.start({ onEndpoints: () => {}, onError, onWarning: () => {} });
  });
  await done;
  source.stop();
  expect(dns.servers).toEqual([servers]);
});

test('an internationalized name is queried in ASCII', async () => {
  const dns = new FakeDns();
  const source = dnsSourceFactory({ resolver: dns.resolver })(
    parseTarget('dns+srv:///_grpc._tcp.bücher.example'),
    context,
  );
  await new Promise((onError) => {
    source.start({ onEndpoints: () => {}, onError, onWarning: () => {} });
  });
  source.stop();
  expect(dns.asked).toEqual(['SRV _grpc._tcp.xn--bcher-kva.example']);
});

test('options are checked when the factory is created, with all faults in one error', () => {
  const options = {
    refreshInterval: 0,
    minRefreshInterval: '1s',
    maxRefreshInterval: 99,
    timeout: NaN,
    lookup: 'system',
    resolver: {},
    serviceConfig: 'yes',
    kubernetesServiceHost: true,
    refresh: 1,
  };
  expect(() => dnsSourceFactory(options as unknown as DnsSourceOptions)).toThrow(
    [
      'dnsSourceFactory: 9 options are invalid',
      '  - options.refreshInterval is 0; use a whole number from 100 to 86400000 (milliseconds)',
      '  - options.minRefreshInterval is "1s"; use a whole number from 100 to 86400000 (milliseconds)',
      '  - options.maxRefreshInterval is 99; use a whole number from 100 to 86400000 (milliseconds)',
      '  - options.timeout is NaN; use a whole number from 100 to 600000 (milliseconds)',
      '  - options.lookup is "system"; use a function',
      '  - options.resolver is {}; use a function',
      '  - options.serviceConfig is "yes"; use true or false',
      '  - options.kubernetesServiceHost is true; use an IP address, or false for no warning',
      '  - options.refresh is not an option; the options here are refreshInterval, minRefreshInterval, ' +
        'maxRefreshInterval, timeout, lookup, resolver, serviceConfig, kubernetesServiceHost',
    ].join('\n'),
  );
});

test('no interval is shorter than the minimum time between two look-ups', () => {
  expect(() => dnsSourceFactory({ refreshInterval: 500, maxRefreshInterval: 400 })).toThrow(
    [
      'dnsSourceFactory: 2 options are invalid',
      '  - options.refreshInterval is 500, less than minRefreshInterval 1000; use 1000 or more, or lower minRefreshInterval as well',
      '  - options.maxRefreshInterval is 400, less than minRefreshInterval 1000; use 1000 or more, or lower minRefreshInterval as well',
    ].join('\n'),
  );
});
