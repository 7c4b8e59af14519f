import { type ServiceError, status } from '@grpc/grpc-js';
import { expect, it } from 'vitest';
import { BalancedClient } from '../../support/echo/balanced-client.js';
import { deferred, startServers, staticTarget } from '../../support/echo/cluster.js';
import { expectNoLeaks, leaksSince, openResources } from '../../support/run/leaks.js';

expectNoLeaks();

it('a call that waits for its retry keeps the process alive', async () => {
  const [server] = await startServers(1);
  const arrived = deferred();
  server!.behaviour.say = () => {
    arrived.resolve();
    throw Object.assign(new Error('down'), { code: status.UNAVAILABLE });
  };
  const retry = { initialBackoff: 60_000, maxBackoff: 60_000 };
  const client = await new BalancedClient({
    target: staticTarget([server!]),
    methods: [{ service: 'echo.v1.Echo', method: 'Say', responseStream: false }],
    loadBalancing: { retry },
  }).ready(1);
  const before = openResources();
  let cancel = (): void => {};
  const call = client.say('hello', { onCall: (each) => (cancel = () => each.cancel()) });
  const ended = call.then(
    () => status.OK,
    (error: unknown) => (error as ServiceError).code,
  );
  await arrived.promise;
  // Its stream has ended, and a timer is left.
  await expect.poll(() => client.snapshot.inFlight).toBe(0);
  const { Timeout: timers = 0 } = await leaksSince(before, 0);
  expect(timers).toBeGreaterThan(0);
  cancel();
  expect(await ended).toBe(status.CANCELLED);
  expect(await leaksSince(before)).toEqual({});
});
