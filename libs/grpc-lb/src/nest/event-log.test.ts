import { describe, expect, test } from 'vitest';
import { DOWN, EventLines, failed, recovered, state, UP } from '../../../../test/support/nest/event-lines.js';
import { EJECTION_WITHDRAWN } from '../core/balancing/health/passive-health.js';
import { connectFailure } from '../core/connection/connect-failure.js';
import type { EventBody } from '../core/events.js';

const altnames = "Hostname/IP does not match certificate's altnames: Host: a. is not in the cert's altnames: DNS:b";

const logged = new EventLines();

test('an ejection is logged with its reason', () => {
  logged.tell({ type: 'endpoint_state', address: 'a:1', from: 'ready', to: 'ejected', reason: '5 failures in a row' });
  logged.tell({ type: 'endpoint_state', address: 'a:1', from: 'ejected', to: 'ready', reason: null });
  expect(logged.texts).toEqual([
    'warn client ORDERS: endpoint a:1 is ejected: 5 failures in a row; it gets no calls for a while, then one as a probe. Check its log',
    'log client ORDERS: endpoint a:1 is ready',
  ]);
});

test('an endpoint that is used again only because the others fail too is not called ready', () => {
  logged.tell(state('ejected', '5 timeouts in a row'));
  logged.tell(state('ready', EJECTION_WITHDRAWN));
  expect(logged.texts[1]).toBe(
    'warn client ORDERS: endpoint 10.0.0.1:50051 gets calls again, though it may still fail: ejection withdrawn, because the others fail too',
  );
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
    for (const event of events) logged.tell(event);
    expect(logged.texts).toEqual(expected);
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
  for (const event of quiet) logged.tell(event);
  expect(logged.lines).toEqual([]);
});

test('complete() leaves no timer', () => {
  for (const event of [DOWN, UP, DOWN, UP]) logged.tell(event);
  expect(logged.clock.pendingTimers).toBe(1);
  logged.complete();
  expect(logged.clock.pendingTimers).toBe(0);
});

test('a line is one line of bounded length, whatever an event quotes', () => {
  logged.tell(failed(`\u001b[31m${'x'.repeat(100_000)}\nclient ORDERS: ready again`));
  logged.tell({ type: 'discovery_warning', target: null, warning: 'a\r\nb' });
  expect(logged.lines[0]![2]).toMatch(/^client ORDERS: discovery failed: \\u001b\[31mx+\.\.\. \(\d+ characters\)$/);
  expect(logged.lines[0]![2]).toHaveLength(2000);
  expect(logged.texts[1]).toBe('warn client ORDERS: a\\r\\nb');
});
