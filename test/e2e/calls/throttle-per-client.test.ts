import * as grpc from '@grpc/grpc-js';
import { type FleetBackend, statusError } from 'nestjs-grpc-lb/testing';
import { expect, test } from 'vitest';
import type { LoadBalancingOptions } from '../../../libs/grpc-lb/src/core/options/load-balancing.js';
import { BalancedClient, ManualDiscovery } from '../../support/echo/balanced-client.js';
import { answerBy, startBackends } from '../../support/echo/backends.js';
import { staticTarget } from '../../support/echo/cluster.js';
import { expectNoLeaks } from '../../support/run/leaks.js';

expectNoLeaks();

const methods = [{ service: 'echo.v1.Echo', method: 'Say', responseStream: false }];

/**
 * Ten tokens: retries stop when five attempts have failed. Of the first call those are three, with two retries, and of
 * the second two, with one.
 */
const loadBalancing: LoadBalancingOptions = {
  retry: { maxAttempts: 3, initialBackoff: 1, maxBackoff: 1, throttling: { maxTokens: 10, tokenRatio: 0.1 } },
  ejection: { enabled: false },
};
const ATTEMPTS = 103;

/** Two servers that fail what they are asked to fail. */
async function servers(): Promise<FleetBackend[]> {
  const all = await startBackends(2);
  for (const server of all)
    answerBy(server, ({ text }) => {
      if (text === 'fail') throw statusError('UNAVAILABLE', text);
      return {};
    });
  return all;
}

const attempts = (all: readonly FleetBackend[]): number => all.reduce((sum, { calls }) => sum + calls, 0);

async function fail(client: BalancedClient, calls: number): Promise<void> {
  for (let i = 0; i < calls; i++)
    await expect(client.say('fail')).rejects.toMatchObject({ code: grpc.status.UNAVAILABLE });
}

test('one hundred failing calls make 103 attempts', async () => {
  const all = await servers();
  const client = new BalancedClient({ target: staticTarget(all), loadBalancing, methods });
  await fail(client, 100);
  expect(attempts(all)).toBe(ATTEMPTS);
});

test.each([
  ['with the same options', loadBalancing],
  ['without retries', {}],
])('the success of another client of the same target, %s, does not allow more', async (_, others) => {
  const all = await servers();
  const target = staticTarget(all);
  const client = new BalancedClient({ target, loadBalancing, methods });
  let succeeded = 0;
  for (let round = 0; round < 5; round++) {
    // It starts and ends meanwhile.
    const other = new BalancedClient({ target, loadBalancing: others, methods });
    for (let i = 0; i < 20; i++, succeeded++) await other.say('succeed');
    await fail(client, 20);
    other.close();
  }
  expect(attempts(all) - succeeded).toBe(ATTEMPTS);
});

test('the failures of another client do not take retries away', async () => {
  const all = await servers();
  const target = staticTarget(all);
  const [one, other] = [1, 2].map(() => new BalancedClient({ target, loadBalancing, methods })) as [
    BalancedClient,
    BalancedClient,
  ];
  await fail(other, 100);
  const before = attempts(all);
  await fail(one, 100);
  expect(attempts(all) - before).toBe(ATTEMPTS);
});

test('neither new lists of discovery nor other options erase what has been counted', async () => {
  const all = await servers();
  const discovery = new ManualDiscovery(all);
  const client = new BalancedClient({ target: discovery.target, loadBalancing, methods });
  for (let round = 0; round < 10; round++) {
    await fail(client, 10);
    discovery.set(round % 2 === 0 ? all.slice(1) : all);
    client.balanced.configure({ ...loadBalancing, policy: round % 2 === 0 ? 'random' : 'round_robin' });
  }
  expect(attempts(all)).toBe(ATTEMPTS);
});

test('the own successes of a client allow retries again', async () => {
  const all = await servers();
  const client = new BalancedClient({ target: staticTarget(all), loadBalancing, methods });
  await fail(client, 100);
  // Each returns a tenth of a token: all ten come back, and not more.
  for (let i = 0; i < 200; i++) await client.say('succeed');
  const before = attempts(all);
  await fail(client, 100);
  expect(attempts(all) - before).toBe(ATTEMPTS);
});

test('what was counted stays when retries are turned off and on at run time', async () => {
  const client = new BalancedClient({ target: staticTarget(await servers()), loadBalancing, methods });
  await fail(client, 10);
  const counted = { retriesGranted: 3, retriesDenied: { budget: 0, throttle: 9 } };
  expect(client.snapshot.totals).toMatchObject(counted);
  client.balanced.configure({ ejection: { enabled: false } });
  expect(client.snapshot.totals).toMatchObject(counted);
  client.balanced.configure(loadBalancing);
  expect(client.snapshot.totals).toMatchObject(counted);
  await fail(client, 1);
  // The throttle begins with all of its tokens.
  expect(client.snapshot.totals).toMatchObject({ ...counted, retriesGranted: 5 });
});

test('a throttle of another size begins with the share of its tokens that the one before had', async () => {
  const all = await servers();
  const client = new BalancedClient({ target: staticTarget(all), loadBalancing, methods });
  await fail(client, 100);
  const throttling = { maxTokens: 20, tokenRatio: 0.1 };
  client.balanced.configure({ ...loadBalancing, retry: { ...loadBalancing.retry, throttling } });
  await fail(client, 10);
  expect(attempts(all)).toBe(ATTEMPTS + 10);
});
