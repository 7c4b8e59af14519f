import { describe, expect, test, vi } from 'vitest';
import { FakeClock } from '../../../../test/support/time/fake-clock.js';
import { GrpcLbOptionsError } from '../core/errors.js';
import { staticSourceFactory } from './static-source.js';
import { parseTarget } from './target.js';

const context = { clock: new FakeClock(), random: () => 0 };
const make = (uri: string) => staticSourceFactory(parseTarget(uri), context);

/** What the source of a target reports, up to the next turn of the event loop. */
async function told(uri: string): Promise<unknown[]> {
  const listener = {
    onEndpoints: vi.fn<(endpoints: readonly unknown[]) => void>(),
    onError: vi.fn<() => void>(),
    onWarning: vi.fn<() => void>(),
  };
  const source = make(uri);
  source.start(listener);
  expect(listener.onEndpoints).not.toHaveBeenCalled();
  source.refresh();
  await new Promise(setImmediate);
  source.stop();
  expect(listener.onError).not.toHaveBeenCalled();
  return listener.onEndpoints.mock.calls;
}

function faults(uri: string): string[] {
  try {
    make(uri);
  } catch (error) {
    if (error instanceof GrpcLbOptionsError) return error.faults.map((fault) => `${fault.path} ${fault.message}`);
    throw error;
  }
  return [];
}

describe('static:', () => {
  test('hosts, weights and Unix sockets are reported once, in target order, after start has returned', async () => {
    expect(await told('static:///b:2,10.0.0.1:1;weight=2,[::1]:3,unix:/run/a.sock;weight=4294967295')).toEqual([
      [
        [
          { address: { host: 'b', port: 2 } },
          { address: { host: '10.0.0.1', port: 1 }, weight: 2 },
          { address: { host: '::1', port: 3 } },
          { address: { path: '/run/a.sock' }, weight: 4_294_967_295 },
        ],
      ],
    ]);
  });

  test('a Unix socket may use gRPC syntax, and a list may contain blanks', async () => {
    expect(await told('static:unix:///run/a.sock, unix:b.sock ; weight=1')).toEqual([
      [[{ address: { path: '/run/a.sock' } }, { address: { path: 'b.sock' }, weight: 1 }]],
    ]);
  });

  test('a source that is stopped before its first report stays silent', async () => {
    const listener = { onEndpoints: vi.fn<() => void>(), onError: vi.fn<() => void>(), onWarning: vi.fn<() => void>() };
    const source = make('static:///a:1');
    source.start(listener);
    source.stop();
    await new Promise(setImmediate);
    expect(listener.onEndpoints).not.toHaveBeenCalled();
  });

  test.each([
    ['static:///a:1,,b:2', 'address 2 is empty; add an address, or remove the comma'],
    ['static:///a', 'address 1 is "a", without a port; add one, as in "a:50051"'],
    ['static:///unix:', 'address 1 is "unix:"; add the path of the socket, as in unix:/run/orders.sock'],
    [
      'static:///a:1,b:2,A:1;weight=3',
      'address 3 is "A:1", the same as address 1; list each endpoint once; to send it more calls, give it a weight',
    ],
    ['static:///a:1;wieght=2', 'address 1 "wieght" is not an option; did you mean "weight"?'],
    ['static:///a:1;', 'address 1 "" is not an option; the options here are weight'],
    ['static:///a:1;weight=1;weight=1', 'address 1 weight is repeated; keep one'],
    ...['', '0', '-1', '1.5', '1e3', '4294967296', 'x'].map((value) => [
      `static:///a:1;weight=${value}`,
      `address 1 weight is "${value}"; use a whole number from 1 to 4294967295`,
    ]),
    ['static:///a:1;weight', 'address 1 weight is ""; use a whole number from 1 to 4294967295'],
    [
      'static://x/a:1',
      'authority is "x", but a static target has no authority; write static:///host:port, with three slashes',
    ],
  ])('%s: %s', (uri, message) => {
    expect(faults(uri)).toEqual([message]);
  });

  test('addresses in different notations are the same address', () => {
    expect(faults('static:///[::1]:1,[0:0::1]:1,Bücher.example:1,xn--bcher-kva.example:1')).toHaveLength(2);
  });

  test('all faults are reported in one error', () => {
    expect(() => make('static://x/a:0;weight=0,b c:1;colour=red,a:2,a:2')).toThrow(
      [
        'target "static://x/a:0;weight=0,b c:1;colour=red,a:2,a:2": 6 options are invalid',
        '  - authority is "x", but a static target has no authority; write static:///host:port, with three slashes',
        '  - address 1 is "a:0", and "0" is not a port; use a whole number from 1 to 65535',
        '  - address 1 weight is "0"; use a whole number from 1 to 4294967295',
        '  - address 2 is "b c:1", and "b c" is neither a host name nor an IP address',
        '  - address 2 "colour" is not an option; the options here are weight',
        '  - address 4 is "a:2", the same as address 3; list each endpoint once; to send it more calls, give it a weight',
      ].join('\n'),
    );
  });
});
