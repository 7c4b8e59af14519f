import { beforeEach, describe, expect, test } from 'vitest';
import { FakeClock } from '../../../../test/support/time/fake-clock.js';
import { connectFailure } from '../core/connection/connect-failure.js';
import type { EventBody, LbEvent } from '../core/events.js';
import type { EndpointState } from '../core/snapshot.js';
import { eventLog } from './event-log.js';

const MINUTE = 60_000;

let clock: FakeClock;
let lines: [at: number, level: string, text: string][];
let log: ReturnType<typeof eventLog>;

beforeEach(() => {
  clock = new FakeClock();
  lines = [];
  log = eventLog(
    {
      log: (text: string) => lines.push([clock.now(), 'log', text]),
      warn: (text: string) => lines.push([clock.now(), 'warn', text]),
    },
    clock,
  );
});

const tell = (event: EventBody, client = 'ORDERS'): void => log.next({ ...event, client, time: 0 } as LbEvent);
const texts = (): string[] => lines.map(([, level, text]) => `${level} ${text}`);
const DOWN: EventBody = { type: 'client_state', from: 'ready', to: 'transient_failure', reason: 'x refused' };
const UP: EventBody = { type: 'client_state', from: 'connecting', to: 'ready', reason: null };
const failed = (error: string, target = 'dns:///orders:1'): EventBody => ({
  type: 'discovery_failed',
  target,
  error,
  uses: 'last',
});
const altnames = "Hostname/IP does not match certificate's altnames: Host: a. is not in the cert's altnames: DNS:b";
const state = (to: EndpointState, reason: string | null, address = '10.0.0.1:50051'): EventBody => ({
  type: 'endpoint_state',
  address,
  from: 'connecting',
  to,
  reason,
});
const recovered = (target = 'dns:///orders:1'): EventBody => ({ type: 'discovery_recovered', target });

test('an ejection is logged with its reason', () => {
  tell({ type: 'endpoint_state', address: 'a:1', from: 'ready', to: 'ejected', reason: '5 failures in a row' });
  tell({ type: 'endpoint_state', address: 'a:1', from: 'ejected', to: 'ready', reason: null });
  expect(texts()).toEqual([
    'warn client ORDERS: endpoint a:1 is ejected: 5 failures in a row; it gets no calls for a while, then one as a probe. Check its log',
    'log client ORDERS: endpoint a:1 is ready',
  ]);
});

describe('events that matter to an operator are logged with the name of the client:', () => {
  test.each<[EventBody[], string[]]>([
    [
      [DOWN, UP],
      [
        'warn client ORDERS: no endpoint is ready, calls fail with UNAVAILABLE: x refused',
        'log client ORDERS: ready again',
      ],
    ],
    [
      [failed('NXDOMAIN'), recovered()],
      [
        'warn client ORDERS: discovery failed: NXDOMAIN; the last good list stays in use',
        'log client ORDERS: discovery recovered: dns:///orders:1',
      ],
    ],
    [
      [{ type: 'discovery_failed', target: 'a:1', error: '1 of 3 endpoints dropped: x', uses: 'part' }],
      ['warn client ORDERS: discovery failed: 1 of 3 endpoints dropped: x; the valid endpoints are used'],
    ],
    [
      [{ type: 'discovery_failed', target: 'a:1', error: 'the last 3 are removed in 30 s', uses: 'leaving' }],
      ['warn client ORDERS: discovery failed: the last 3 are removed in 30 s'],
    ],
    [
      [{ type: 'discovery_failed', target: 'a:1', error: 'NXDOMAIN', uses: 'none' }],
      ['warn client ORDERS: discovery failed: NXDOMAIN; no endpoint is known yet'],
    ],
    [
      [{ type: 'client_state', from: 'connecting', to: 'transient_failure', reason: null }],
      ['warn client ORDERS: no endpoint is ready, calls fail with UNAVAILABLE'],
    ],
    [
      [{ type: 'load_report_rejected', address: '10.0.0.1:50051', total: 3 }],
      ['warn client ORDERS: load reports of 10.0.0.1:50051 are unreadable and are ignored'],
    ],
    [
      [
        state('transient_failure', '2 connections in a row were lost within 10 s, before any call was answered: lost'),
        state('ready', null),
      ],
      [
        'warn client ORDERS: endpoint 10.0.0.1:50051 is unavailable: 2 connections in a row were lost within 10 s, before any call was answered: lost; it gets no calls until the client has reconnected; a process accepts connections on that port and closes them; check which one, and its log',
        'log client ORDERS: endpoint 10.0.0.1:50051 is ready',
      ],
    ],
    [
      [state('transient_failure', 'unable to verify the first certificate')],
      [
        'warn client ORDERS: endpoint 10.0.0.1:50051 is unavailable: unable to verify the first certificate; it gets no calls until the client has reconnected; check its certificate, the CA and the name that this client expects, and that both sides use TLS',
      ],
    ],
    [
      [state('transient_failure', connectFailure('SSL routines: wrong version number'))],
      [
        'warn client ORDERS: endpoint 10.0.0.1:50051 is unavailable: wrong version number: the client uses TLS, but the peer does not; enable TLS at the peer, or correct the port; it gets no calls until the client has reconnected',
      ],
    ],
    [
      [state('transient_failure', connectFailure(altnames, true))],
      [
        `warn client ORDERS: endpoint 10.0.0.1:50051 is unavailable: ${altnames}: the certificate of the peer is for other names; issue one that has the name, or set tls.serverName to one that it has; it gets no calls until the client has reconnected`,
      ],
    ],
    [
      [state('transient_failure', connectFailure('certificate has expired', true))],
      [
        'warn client ORDERS: endpoint 10.0.0.1:50051 is unavailable: certificate has expired: the certificate of the peer, or of its CA, has expired; renew it there, or check the clock of this machine; it gets no calls until the client has reconnected',
      ],
    ],
    [
      [state('transient_failure', connectFailure('unable to verify the first certificate', true))],
      [
        'warn client ORDERS: endpoint 10.0.0.1:50051 is unavailable: unable to verify the first certificate: the certificate of the peer is of a CA that this client does not trust; add that CA to tls.ca, or let the peer send the certificates between its own and the root; it gets no calls until the client has reconnected',
      ],
    ],
    [
      [state('transient_failure', connectFailure('read ECONNRESET', true))],
      [
        'warn client ORDERS: endpoint 10.0.0.1:50051 is unavailable: read ECONNRESET: the peer reset the connection in or after the TLS handshake; if it verifies clients, it may not accept the certificate of this one; check tls.cert, and which CAs the peer trusts; it gets no calls until the client has reconnected',
      ],
    ],
    [
      [state('transient_failure', 'getaddrinfo ENOTFOUND orders-a')],
      [
        'warn client ORDERS: endpoint 10.0.0.1:50051 is unavailable: getaddrinfo ENOTFOUND orders-a; it gets no calls until the client has reconnected; check the host name, and that DNS resolves it on this machine',
      ],
    ],
    [
      [state('transient_failure', 'connect ECONNREFUSED 10.0.0.1:50051')],
      [
        'warn client ORDERS: endpoint 10.0.0.1:50051 is unavailable: connect ECONNREFUSED 10.0.0.1:50051; it gets no calls until the client has reconnected; check that it runs and is reachable, or why discovery still lists it',
      ],
    ],
    [
      [state('suspect', 'no answer to a PING for 1000 ms')],
      [
        'warn client ORDERS: endpoint 10.0.0.1:50051 is silent: no answer to a PING for 1000 ms; it gets no new calls until it answers. Its process may be busy or stopped, or the network may drop packets',
      ],
    ],
    [
      [{ type: 'discovery_warning', target: null, warning: 'the zone cannot be read' }],
      ['warn client ORDERS: the zone cannot be read'],
    ],
    [
      [{ type: 'discovery_warning', target: 'dns:///orders:1', warning: 'headless Service?' }],
      ['warn client ORDERS: dns:///orders:1: headless Service?'],
    ],
    [
      [
        { type: 'failover', priority: 0, share: 0.52 },
        { type: 'failover', priority: 0, share: 1 },
      ],
      [
        'warn client ORDERS: too few endpoints of the preferred priority are healthy: 52 % of calls go to priority 0, the rest to later priorities',
        'log client ORDERS: all calls go to priority 0 again',
      ],
    ],
    [
      [{ type: 'failover', priority: 1, share: 1 }],
      ['warn client ORDERS: too few endpoints of the preferred priority are healthy: all calls go to priority 1'],
    ],
    [
      [
        { type: 'panic', on: true, healthy: 1, connected: 3 },
        { type: 'panic', on: false, healthy: 2, connected: 3 },
      ],
      [
        'warn client ORDERS: panic: only 1 of 3 connected endpoints are healthy, so calls go to all of them',
        'log client ORDERS: panic ended: enough endpoints are healthy',
      ],
    ],
    [
      [{ type: 'health_not_offered', address: 'a:1', why: 'PERMISSION_DENIED' }],
      [
        'warn client ORDERS: the health service of a:1 refuses the watch with PERMISSION_DENIED; such endpoints count as ' +
          'healthy while they are connected. Set health.metadata to what the service requires, or disable the watch ' +
          'with health: { enabled: false }',
      ],
    ],
    [
      [{ type: 'health_not_offered', address: 'a:1', why: 'UNIMPLEMENTED' }],
      [
        'warn client ORDERS: a:1 has no health service; such endpoints count as healthy while they are connected; serve ' +
          'grpc.health.v1.Health, as grpcServer() does, or set health: { enabled: false }',
      ],
    ],
    [
      [{ type: 'health_not_offered', address: 'a:1', why: 'STREAM_LIMIT' }],
      [
        'warn client ORDERS: a:1 allows too few streams on a connection for a health watch and calls; such endpoints ' +
          'count as healthy while they are connected',
      ],
    ],
    [
      [
        { type: 'watch_backed_off', address: 'a:1', watch: 'health', reason: 'the server ended the stream', total: 1 },
        { type: 'watch_backed_off', address: 'a:1', watch: 'health', reason: 'the server ended the stream', total: 9 },
      ],
      [
        'warn client ORDERS: the health watch of a:1 ended early, and is reopened with growing delays: the server ended ' +
          'the stream',
      ],
    ],
    [
      [{ type: 'call_rejected', pending: 1000, maxPending: 1000 }],
      ['warn client ORDERS: a call failed with RESOURCE_EXHAUSTED, because 1000 calls are already pending'],
    ],
  ])('%j', (events, expected) => {
    for (const event of events) tell(event);
    expect(texts()).toEqual(expected);
  });
});

test('routine events are not logged', () => {
  const quiet: EventBody[] = [
    { type: 'client_state', from: 'idle', to: 'connecting', reason: null },
    UP,
    { type: 'client_state', from: 'ready', to: 'shutdown', reason: null },
    { type: 'discovery_updated', added: 1, removed: 1, total: 3 },
    { type: 'endpoint_added', address: 'a:1' },
    { type: 'endpoint_removed', address: 'a:1' },
    { type: 'endpoint_state', address: 'a:1', from: 'ready', to: 'draining', reason: 'x' },
    { type: 'connection_opened', address: 'a:1', connection: 1 },
    { type: 'connection_closed', address: 'a:1', connection: 1, reason: null },
    { type: 'pool_saturated', pending: 1 },
    { type: 'configured' },
    // The end of something that was not logged.
    recovered(),
    { type: 'failover', priority: 0, share: 1 },
    { type: 'panic', on: false, healthy: 1, connected: 1 },
  ];
  for (const event of quiet) tell(event);
  expect(lines).toEqual([]);
});

describe('a state that alternates', () => {
  test('is logged with its first recovery at once, then at most once a minute, and finally as it ends', () => {
    for (let i = 0; i < 250; i++) {
      tell(i % 2 === 0 ? DOWN : UP);
      clock.advance(1000);
    }
    tell(UP);
    expect(lines.slice(0, 2).map(([at, level]) => [at, level])).toEqual([
      [0, 'warn'],
      [1000, 'log'],
    ]);
    const later = lines.slice(1).map(([at]) => at);
    for (const [i, at] of later.slice(1).entries()) expect(at - later[i]!).toBeGreaterThanOrEqual(59_000);
    expect(lines.length).toBeLessThanOrEqual(2 + 250 / 60 + 1);
    clock.advance(10 * MINUTE);
    // The client is ready: either that was logged last, or the problem never was.
    expect(lines.at(-1)![1]).toBe('log');
    expect(clock.pendingTimers).toBe(0);
  });

  test('and then stays bad is logged: a short problem does not hide a long one after it', () => {
    tell(DOWN);
    tell(UP);
    clock.advance(2000);
    tell(DOWN);
    expect(lines.at(-1)![1]).toBe('log');
    clock.advance(58_000);
    expect(lines.at(-1)).toEqual([
      MINUTE,
      'warn',
      'client ORDERS: no endpoint is ready, calls fail with UNAVAILABLE: x refused',
    ]);
  });

  test('and was bad only between two lines is not logged', () => {
    tell(DOWN);
    tell(UP);
    clock.advance(2000);
    tell(DOWN);
    tell(UP);
    clock.advance(10 * MINUTE);
    expect(lines).toHaveLength(2);
    expect(clock.pendingTimers).toBe(0);
  });

  test('with long pauses is logged each time', () => {
    for (let i = 0; i < 4; i++) {
      tell(DOWN);
      tell(UP);
      clock.advance(3 * MINUTE);
    }
    expect(lines).toHaveLength(8);
  });
});

describe('a problem that persists', () => {
  test('is logged once a minute while its events continue', () => {
    for (let i = 0; i < 180; i++) {
      tell({ type: 'call_rejected', pending: 10, maxPending: 10 });
      clock.advance(1000);
    }
    expect(lines.map(([at]) => at)).toEqual([0, MINUTE, 2 * MINUTE]);
  });

  test('and changes is logged with its latest reason', () => {
    for (const [i, error] of ['A', 'B', 'C', 'D'].entries()) {
      tell(failed(error));
      clock.advance(i === 3 ? 0 : 10_000);
    }
    clock.advance(MINUTE);
    expect(texts().map((text) => /failed: (.)/.exec(text)![1])).toEqual(['A', 'B', 'D']);
  });
});

test('clients, targets and kinds of problems do not suppress each other', () => {
  tell(failed('A'));
  tell(failed('B', 'kubernetes:///orders'));
  tell(failed('C'), 'USERS');
  tell(DOWN);
  tell(DOWN, 'USERS');
  tell({ type: 'panic', on: true, healthy: 0, connected: 2 });
  expect(lines).toHaveLength(6);
  tell(recovered('kubernetes:///orders'));
  expect(lines.at(-1)![2]).toBe('client ORDERS: discovery recovered: kubernetes:///orders');
});

test('complete() leaves no timer', () => {
  for (const event of [DOWN, UP, DOWN]) tell(event);
  expect(clock.pendingTimers).toBe(1);
  log.complete();
  expect(clock.pendingTimers).toBe(0);
});

test('a line is one line of bounded length, whatever an event quotes', () => {
  tell(failed(`\u001b[31m${'x'.repeat(100_000)}\nclient ORDERS: ready again`));
  tell({ type: 'discovery_warning', target: null, warning: 'a\r\nb' });
  expect(lines[0]![2]).toMatch(/^client ORDERS: discovery failed: \\u001b\[31mx+\.\.\. \(\d+ characters\)$/);
  expect(lines[0]![2]).toHaveLength(2000);
  expect(texts()[1]).toBe('warn client ORDERS: a\\r\\nb');
});

describe('endpoints:', () => {
  const refused = (port: number): void => tell(state('transient_failure', 'refused', `10.0.0.1:${port}`));
  const ready = (port: number): void => tell(state('ready', null, `10.0.0.1:${port}`));

  const ports = (count: number): readonly number[] => Array.from({ length: count }, (_, i) => i + 1);

  test('of a thousand that fail at once ten are logged, and the number of the others', () => {
    for (const port of ports(1000)) refused(port);
    expect(lines).toHaveLength(10);
    clock.advance(MINUTE);
    expect(lines).toHaveLength(11);
    expect(lines[10]![2]).toMatch(
      /^client ORDERS: endpoint 10\.0\.0\.1:11 is unavailable: refused; .* \(and 989 more; see the snapshot\)$/,
    );
    for (let minute = 0; minute < 5; minute++) {
      for (const port of ports(1000)) refused(port);
      clock.advance(MINUTE);
    }
    expect(lines.length).toBeLessThanOrEqual(11 + 5 * 6);
  });

  test('each of a rolling restart is logged, with its recovery', () => {
    for (const port of ports(5)) {
      refused(port);
      clock.advance(1000);
      ready(port);
      clock.advance(1000);
    }
    expect(lines).toHaveLength(10);
  });

  test('the end of a problem that has changed once is logged at once: ejected, then silent, then ready', () => {
    tell(state('ejected', '3 timeouts in a row'));
    clock.advance(1000);
    tell(state('suspect', 'no answer to a PING'));
    clock.advance(4000);
    tell(state('ready', null));
    expect(lines.map(([at, level]) => [at, level])).toEqual([
      [0, 'warn'],
      [1000, 'warn'],
      [5000, 'log'],
    ]);
  });

  test('one whose problem changes all the time is logged no more often than others', () => {
    for (let i = 0; i < 120; i++) {
      tell(state(i % 2 === 0 ? 'ejected' : 'suspect', `reason ${i}`));
      clock.advance(1000);
    }
    expect(lines.length).toBeLessThanOrEqual(5);
  });

  test('one that flaps does not hide another', () => {
    for (let i = 0; i < 20; i++) {
      refused(1);
      ready(1);
      clock.advance(100);
    }
    expect(lines).toHaveLength(2);
    refused(2);
    expect(texts()[2]).toContain('endpoint 10.0.0.1:2 is unavailable');
    clock.advance(10 * MINUTE);
    expect(lines).toHaveLength(3);
    expect(clock.pendingTimers).toBe(0);
  });

  test('one that recovers before its problem is logged is not logged at all', () => {
    for (const port of ports(11)) refused(port);
    ready(11);
    clock.advance(MINUTE);
    expect(lines).toHaveLength(10);
  });

  test('the problem of one is logged although another one has recovered since', () => {
    for (const port of ports(11)) refused(port);
    ready(1);
    clock.advance(MINUTE);
    expect(texts()[10]).toContain('endpoint 10.0.0.1:11 is unavailable');
    expect(texts()[11]).toBe('log client ORDERS: endpoint 10.0.0.1:1 is ready');
    expect(clock.pendingTimers).toBe(0);
  });

  test('those that recover while lines are limited share one', () => {
    for (const port of ports(12)) refused(port);
    for (const port of ports(10)) ready(port);
    clock.advance(MINUTE);
    expect(texts().slice(10)).toEqual([
      expect.stringMatching(/10\.0\.0\.1:11 is unavailable: .* \(and 1 more; see the snapshot\)$/),
      'log client ORDERS: endpoint 10.0.0.1:1 is ready (9 more have recovered too)',
    ]);
  });

  test('a removed one is not logged', () => {
    for (const port of ports(11)) refused(port);
    tell({ type: 'endpoint_removed', address: '10.0.0.1:11' });
    clock.advance(10 * MINUTE);
    expect(lines).toHaveLength(10);
    expect(clock.pendingTimers).toBe(0);
  });

  test.for<(address: string) => EventBody>([
    (address) => ({ type: 'shedding', address, on: true }),
    (address) => ({ type: 'connection_not_replaced', address, reason: 'x' }),
  ])('a removed one is not logged, whatever its problem was', (problem) => {
    for (const port of ports(11)) tell(problem(`10.0.0.1:${port}`));
    for (const port of ports(11)) tell({ type: 'endpoint_removed', address: `10.0.0.1:${port}` });
    clock.advance(10 * MINUTE);
    expect(lines).toHaveLength(10);
    expect(clock.pendingTimers).toBe(0);
  });

  test('a problem that recurs after a long time is logged again', () => {
    for (const at of [0, 3, 6]) {
      refused(1);
      ready(1);
      clock.advance(3 * MINUTE);
      expect(lines).toHaveLength((at / 3 + 1) * 2);
    }
  });
});

test('each method that is throttled is logged, and its end, whatever others do meanwhile', () => {
  const throttle = (method: string, on: boolean): void =>
    tell({ type: 'throttle', on, method, requests: 100, accepts: 10 });
  const all = ['/a/One', '/a/Two', '/a/Three'];
  for (const method of all) throttle(method, true);
  expect(texts().map((text) => /warn .* of (\S+) are throttled/.exec(text)?.[1])).toEqual(all);
  for (const method of all) throttle(method, false);
  clock.advance(MINUTE);
  expect(texts().slice(3)).toEqual(
    all.map((method) => `log client ORDERS: calls of ${method} are no longer throttled`),
  );
});
