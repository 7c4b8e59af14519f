import { expect, test } from 'vitest';
import { FakeClock } from '../../../../test/support/fake-clock.js';
import { type DnsSourceOptions, dnsSourceFactory, parseTarget } from './index.js';

const context = { clock: new FakeClock(), random: () => 0 };

test.each([
  [
    'dns://10.0.0.2/orders:50051',
    'authority is "10.0.0.2"; asking a DNS server of your choice is not supported yet: write dns:///orders:50051, which asks the resolver of this system',
  ],
  [
    '10.0.0.1:1,10.0.0.2:1',
    'address is "10.0.0.1:1,10.0.0.2:1"; DNS looks up one name: for several addresses write static:///10.0.0.1:1,10.0.0.2:1',
  ],
  ['dns:///orders:0', 'address is "orders:0", and "0" is no port; use a whole number from 1 to 65535'],
  ['dns:///::1', 'address is "::1"; write host:port, and an IPv6 address in brackets, as in "[::1]:50051"'],
  ['dns:/orders:1', 'address is "/orders:1", and "/orders" is neither a host name nor an IP address'],
])('%s: %s', (uri, message) => {
  expect(() => dnsSourceFactory()(parseTarget(uri), context)).toThrow(
    `target "${uri}": an option is wrong\n  - ${message}`,
  );
});

test('options are checked when the factory is made, all faults in one error', () => {
  const options = { refreshInterval: 0, minRefreshInterval: '1s', timeout: NaN, lookup: 'system', refresh: 1 };
  expect(() => dnsSourceFactory(options as unknown as DnsSourceOptions)).toThrow(
    [
      'dnsSourceFactory: 5 options are wrong',
      '  - options.refreshInterval is 0; use a whole number from 100 to 86400000 (milliseconds)',
      '  - options.minRefreshInterval is "1s"; use a whole number from 100 to 86400000 (milliseconds)',
      '  - options.timeout is NaN; use a whole number from 100 to 600000 (milliseconds)',
      '  - options.lookup is "system"; use a function',
      '  - options.refresh is not an option; the options here are refreshInterval, minRefreshInterval, timeout, lookup',
    ].join('\n'),
  );
});

test('the interval is no shorter than the least time between two look-ups', () => {
  expect(() => dnsSourceFactory({ refreshInterval: 500 })).toThrow(
    'options.refreshInterval is 500, less than minRefreshInterval 1000; use 1000 or more, or lower minRefreshInterval as well',
  );
});
