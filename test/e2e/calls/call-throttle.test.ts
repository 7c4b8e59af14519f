import * as grpc from '@grpc/grpc-js';
import { type FleetBackend, type StatusName, statusError } from 'nestjs-grpc-lb/testing';
import { describe, expect, test } from 'vitest';
import { seededRandom } from '../../../libs/grpc-lb/src/core/random.js';
import type { CallObserver } from '../../../libs/grpc-lb/src/grpc/call/call-observer.js';
import { BalancedClient } from '../../support/echo/balanced-client.js';
import { answerBy, startBackends } from '../../support/echo/backends.js';
import { staticTarget } from '../../support/echo/cluster.js';
import { expectNoLeaks } from '../../support/run/leaks.js';

expectNoLeaks();

const SAY = '/echo.v1.Echo/Say';

function rejectWith(servers: readonly FleetBackend[], status: StatusName): void {
  for (const server of servers) server.fail(status, { details: 'too busy' });
}

async function clientOf(servers: readonly FleetBackend[], observer?: CallObserver): Promise<BalancedClient> {
  const client = new BalancedClient({
    target: staticTarget(servers),
    loadBalancing: { throttle: {} },
    random: seededRandom(1),
    observer,
    methods: [{ service: 'echo.v1.Echo', method: 'Say', requestStream: false, responseStream: false }],
  });
  return client.ready(servers.length);
}

/** The statuses of calls, one after the other. */
async function statusesOf(client: BalancedClient, calls: number): Promise<grpc.ServiceError[]> {
  const errors: grpc.ServiceError[] = [];
  for (let i = 0; i < calls; i++) await client.say().catch((error: unknown) => errors.push(error as grpc.ServiceError));
  return errors;
}

const callsOf = (servers: readonly FleetBackend[]): number => servers.reduce((sum, { calls }) => sum + calls, 0);

describe('when all backends reject calls, most of those that follow are refused by the client', () => {
  test.each(['UNAVAILABLE', 'RESOURCE_EXHAUSTED'] as const)('status %s', async (status) => {
    const servers = await startBackends(3);
    rejectWith(servers, status);
    const client = await clientOf(servers);
    const errors = await statusesOf(client, 300);
    expect(errors).toHaveLength(300);
    const refused = errors.filter(({ details }) => details.includes('throttled'));
    expect(refused.length).toBeGreaterThan(200);
    expect(callsOf(servers)).toBe(300 - refused.length);
    expect(refused.at(-1)).toMatchObject({
      code: grpc.status.UNAVAILABLE,
      details: expect.stringMatching(
        /^client ECHO: \/echo\.v1\.Echo\/Say is throttled, and this call was not sent: backends accepted 0 of \d+ calls in the last 3 s; .* \(throttle\.multiplier 2\)$/,
      ),
    });
    expect(client.snapshot.totals.callsThrottled).toBe(refused.length);
    expect(client.snapshot.throttles).toMatchObject([
      { method: SAY, declared: true, state: 'open', accepts: 0, refused: refused.length },
    ]);
    expect(client.events.filter(({ type }) => type === 'throttle')).toMatchObject([
      { on: true, method: SAY, accepts: 0 },
    ]);
  });
});

test('a method that backends accept is not refused because of another', async () => {
  const servers = await startBackends(2);
  rejectWith(servers, 'UNAVAILABLE');
  const client = await clientOf(servers);
  await statusesOf(client, 100);
  for (const server of servers) server.recover();
  const look = (): Promise<unknown> =>
    new Promise((resolve, reject) => {
      const { serialize, deserialize } = lineOf(client);
      client.mirror.makeUnaryRequest('/echo.v1.Mirror/Look', serialize, deserialize, { text: 'x' }, (error, line) =>
        error ? reject(error) : resolve(line),
      );
    });
  await expect(Promise.all(Array.from({ length: 50 }, look))).resolves.toHaveLength(50);
  expect(client.snapshot.throttles).toMatchObject([
    { method: SAY, state: 'open' },
    { method: '/echo.v1.Mirror/Look', declared: false, state: 'closed', accepts: 50 },
  ]);
});

test('the failures of one endpoint of three refuse no call', async () => {
  const servers = await startBackends(3);
  const client = new BalancedClient({
    target: staticTarget(servers),
    // Without ejection it keeps getting calls.
    loadBalancing: { throttle: { multiplier: 1.1 }, policy: 'round_robin', ejection: { enabled: false } },
  });
  await client.ready(3);
  await statusesOf(client, 30);
  rejectWith(servers.slice(0, 1), 'UNAVAILABLE');
  const errors = await statusesOf(client, 300);
  expect(errors).toHaveLength(100);
  expect(errors.filter(({ details }) => details.includes('throttled'))).toEqual([]);
  expect(client.snapshot.totals.callsThrottled).toBe(0);
});

test('an observer is told of a refused call as of any that the client drops', async () => {
  const servers = await startBackends(1);
  rejectWith(servers, 'UNAVAILABLE');
  const told: string[] = [];
  const client = await clientOf(servers, {
    callStarted: () => ({
      dropped: ({ origin }) => told.push(`dropped ${origin}`),
      attemptStarted: () => told.push('attempt'),
      ended: ({ code }) => told.push(`ended ${code}`),
    }),
  });
  await statusesOf(client, 50);
  told.length = 0;
  await statusesOf(client, 5);
  expect(told).toEqual(Array.from({ length: 5 }, () => ['dropped local', 'ended 14']).flat());
});

test('the least important calls are refused first', async () => {
  const servers = await startBackends(1);
  const client = await clientOf(servers);
  let calls = 0;
  // Backends accept three of ten calls, so that six pass.
  answerBy(servers[0]!, () => {
    if (calls % 10 < 3) return {};
    throw statusError('UNAVAILABLE', 'too busy');
  });
  const refused: Record<string, number> = { sheddable: 0, critical: 0, nonsense: 0 };
  for (let round = 0; round < 100; round++) {
    for (const criticality of ['sheddable', 'critical', 'nonsense']) {
      calls++;
      const metadata = new grpc.Metadata();
      metadata.set('x-criticality', criticality);
      await new Promise<void>((resolve) => {
        client.echo.Say({ text: 'x' }, metadata, {}, (error) => {
          if (error?.details.includes('throttled')) refused[criticality]!++;
          resolve();
        });
      });
    }
  }
  expect(refused['sheddable']).toBeGreaterThan(refused['critical']! + 10);
  // An unknown criticality counts as critical.
  expect(Math.abs(refused['critical']! - refused['nonsense']!)).toBeLessThan(20);
});

test('a refused call can be cancelled, and ends once', async () => {
  const servers = await startBackends(1);
  rejectWith(servers, 'UNAVAILABLE');
  const client = await clientOf(servers);
  await statusesOf(client, 50);
  await expect(client.say('x', { onCall: (call) => call.cancel() })).rejects.toMatchObject({
    code: grpc.status.CANCELLED,
  });
  expect(client.snapshot).toMatchObject({ inFlight: 0, pending: 0 });
});

test('without the option no call is refused, also if it is taken away while calls are', async () => {
  const servers = await startBackends(1);
  rejectWith(servers, 'UNAVAILABLE');
  const client = await clientOf(servers);
  await statusesOf(client, 100);
  const { callsThrottled } = client.snapshot.totals;
  expect(callsThrottled).toBeGreaterThan(0);
  client.balanced.configure({});
  const before = callsOf(servers);
  await statusesOf(client, 50);
  expect(callsOf(servers)).toBe(before + 50);
  expect(client.snapshot).not.toHaveProperty('throttles');
  expect(client.snapshot.totals.callsThrottled).toBe(callsThrottled);
});

function lineOf(client: BalancedClient) {
  const { Say } = (client.echo.constructor as unknown as grpc.ServiceClientConstructor).service;
  return { serialize: Say!.requestSerialize, deserialize: Say!.responseDeserialize };
}
