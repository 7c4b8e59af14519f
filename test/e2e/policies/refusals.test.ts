import http2 from 'node:http2';
import type { AddressInfo } from 'node:net';
import { setTimeout as delay } from 'node:timers/promises';
import type { FleetBackend, StatusName } from 'nestjs-grpc-lb/testing';
import { afterEach, describe, expect, test } from 'vitest';
import { BalancedClient } from '../../support/echo/balanced-client.js';
import { startBackends } from '../../support/echo/backends.js';
import { expectNoLeaks } from '../../support/run/leaks.js';

expectNoLeaks();

let servers: FleetBackend[] = [];
let client: BalancedClient;
let closeOther: (() => void) | undefined;

afterEach(async () => {
  client.close();
  closeOther?.();
  closeOther = undefined;
});

/** From now on it fails calls, without the delay of `start`. */
function refuse(server: FleetBackend, status: StatusName, details?: string): void {
  server.recover();
  server.fail(status, details === undefined ? {} : { details });
}

/** Ten callers, each with sequential calls. */
async function call(calls: number): Promise<void> {
  let left = calls;
  const caller = async (): Promise<void> => {
    while (left-- > 0) await client.say().catch(() => {});
  };
  await Promise.all(Array.from({ length: 10 }, caller));
}

/** The part of the calls that the first endpoint gets. */
async function shareOfFirst(calls: number): Promise<number> {
  const started = (): number[] => client.snapshot.endpoints.map((endpoint) => endpoint.started);
  const before = started();
  await call(calls);
  const counts = started().map((count, i) => count - before[i]!);
  return counts[0]! / counts.reduce((sum, count) => sum + count);
}

async function start(policy: 'least_request' | 'adaptive' | 'peak_ewma' | 'hot_cold', first?: string): Promise<void> {
  servers = await startBackends(first === undefined ? 5 : 4);
  for (const server of servers) server.slow(30);
  const addresses = [...(first === undefined ? [] : [first]), ...servers.map(({ address }) => address)];
  client = await new BalancedClient({
    target: `static:///${addresses.join(',')}`,
    // A health watch would detect that this is not a gRPC server.
    loadBalancing: { policy, health: { enabled: first === undefined } },
  }).ready(5);
  await call(100);
}

describe('an endpoint that fails at once beside working ones gets no more than its share', () => {
  test.each([
    ['least_request', 'UNIMPLEMENTED'],
    ['least_request', 'UNAUTHENTICATED'],
    ['least_request', 'CANCELLED'],
    ['adaptive', 'UNIMPLEMENTED'],
    ['peak_ewma', 'UNIMPLEMENTED'],
    ['hot_cold', 'UNIMPLEMENTED'],
  ] as const)('%s: %s', async (policy, code) => {
    await start(policy);
    refuse(servers[0]!, code);
    expect(await shareOfFirst(600)).toBeLessThan(0.27);
    // It gets so few calls that its recent ones may include earlier ones until it has had more.
    while (client.snapshot.endpoints[0]!.refusalRate < 1) await call(20);
    expect(client.snapshot.endpoints[0]).toMatchObject({ state: 'ready', failureRate: 0, refusalRate: 1 });
    expect(client.balanced.explain().endpoints[0]!.why).toContain('100 % of its recent calls were refused');
    // Load that remains after a refusal is not a call in flight.
    expect(client.snapshot.inFlight).toBe(0);
  });

  test('least_request: a proxy that forwards the grpc-js status of a call that it has cancelled', async () => {
    await start('least_request');
    refuse(servers[0]!, 'CANCELLED', 'Cancelled on client');
    expect(await shareOfFirst(600)).toBeLessThan(0.27);
  });

  test('least_request: a page of an HTTP server', async () => {
    const server = http2.createServer((_request, response) => {
      response.writeHead(404, { 'content-type': 'text/html' });
      response.end('<html>not found</html>');
    });
    const sessions = new Set<http2.ServerHttp2Session>();
    server.on('session', (session) => void sessions.add(session));
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    closeOther = () => {
      for (const session of sessions) session.destroy();
      server.close();
    };
    await start('least_request', `127.0.0.1:${(server.address() as AddressInfo).port}`);
    expect(await shareOfFirst(600)).toBeLessThan(0.27);
  });
});

test('calls that all endpoints refuse count as load at none of them', async () => {
  await start('least_request');
  for (const server of servers) refuse(server, 'NOT_FOUND');
  const even = [0.2, 0.2, 0.2, 0.2, 0.2];
  const chances = (): number[] => client.balanced.explain().endpoints.map(({ chance }) => chance);
  await call(300);
  expect(client.snapshot.inFlight).toBe(0);
  // The first refusals may count as load for as long as a call took before, which is longer than 300 calls take.
  while (chances().some((chance) => chance !== 0.2)) await delay(1);
  // Were they load, five endpoints could not share 22 evenly.
  await call(22);
  expect(chances()).toEqual(even);
});
