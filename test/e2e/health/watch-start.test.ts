import { CallCredentials, credentials, Metadata } from '@grpc/grpc-js';
import { expect, onTestFinished, test, vi } from 'vitest';
import { BalancedClient } from '../../support/echo/balanced-client.js';
import { deferred } from '../../support/echo/cluster.js';
import { expectNoLeaks } from '../../support/run/leaks.js';
import { WatchedServer } from '../../support/peers/watched-server.js';

expectNoLeaks();

/** Credentials whose tokens arrive when the test says so, over plaintext. */
function slowTokens() {
  const asked: { resolve(): void }[] = [];
  const calls = CallCredentials.createFromMetadataGenerator((_options, done) => {
    const token = deferred();
    asked.push(token);
    void token.promise.then(() => {
      const metadata = new Metadata();
      metadata.set('authorization', 'Bearer token');
      done(null, metadata);
    });
  });
  const channel = credentials.createInsecure();
  const make = '_createSecureConnector';
  const connector = channel[make].bind(channel);
  channel[make] = (...args) => Object.assign(connector(...args), { getCallCredentials: () => calls });
  return { channel, asked };
}

function clientOf(options: ConstructorParameters<typeof BalancedClient>[0]): BalancedClient {
  const client = new BalancedClient(options);
  onTestFinished(() => client.close());
  client.balanced.connect();
  return client;
}

const eventually = (check: () => void): Promise<void> => vi.waitFor(check, { timeout: 20_000, interval: 10 });

const serving = (call: { write(answer: { status: string }): unknown }): unknown => call.write({ status: 'SERVING' });

test('a token that arrives after its connection is gone does no harm, and the next connection is used', async () => {
  const unhandled: unknown[] = [];
  const onUnhandled = (error: unknown): void => void unhandled.push(error);
  process.on('unhandledRejection', onUnhandled);
  onTestFinished(() => void process.off('unhandledRejection', onUnhandled));
  const server = await WatchedServer.start();
  server.answer = serving;
  const { channel, asked } = slowTokens();
  const client = clientOf({ target: server.target, credentials: channel });
  await eventually(() => expect(asked).toHaveLength(1));
  server.cutConnections();
  // The watch of the next connection asks for a token of its own.
  await eventually(() => expect(asked).toHaveLength(2));
  for (const token of asked) token.resolve();
  await client.until(() => client.snapshot.state === 'ready');
  expect(unhandled).toEqual([]);
});

test('a token that arrives after its watch was stopped opens no stream', async () => {
  const server = await WatchedServer.start();
  const { channel, asked } = slowTokens();
  const client = clientOf({ target: server.target, credentials: channel });
  await eventually(() => expect(asked).toHaveLength(1));
  client.balanced.configure({ health: { enabled: false } });
  await client.until(() => client.snapshot.state === 'ready');
  const call = client.say();
  await eventually(() => expect(asked).toHaveLength(2));
  for (const token of asked) token.resolve();
  await call;
  expect(server.healthWatches).toBe(0);
  client.close();
  await eventually(() => expect(server.openConnections).toBe(0));
});

test('options that change several times in one turn leave one watch, and nothing when the client closes', async () => {
  const server = await WatchedServer.start();
  server.answer = serving;
  const client = await clientOf({ target: server.target }).ready(1);
  client.balanced.configure({ health: { service: 'first' } });
  client.balanced.configure({ health: { service: 'second' } });
  client.balanced.configure({ health: { service: 'third' } });
  await client.say();
  await eventually(() => expect(server.openHealthWatches).toBe(1));
  expect(server.healthWatches).toBe(2);
  client.close();
  await eventually(() => expect(server.openConnections).toBe(0));
});

test('load reports that are turned on and off in one turn leave no stream', async () => {
  const server = await WatchedServer.start();
  server.answer = serving;
  const client = await clientOf({ target: server.target }).ready(1);
  client.balanced.configure({ policy: { name: 'weighted_round_robin', enableOobLoadReport: true } });
  client.balanced.configure({ policy: 'round_robin' });
  await client.say();
  expect(server.orcaWatches).toBe(0);
  client.close();
  await eventually(() => expect(server.openConnections).toBe(0));
});

test.each([undefined, 'orders.internal'])('the watch has the authority of the calls (%s)', async (given) => {
  const server = await WatchedServer.start();
  const hosts: string[] = [];
  server.answer = (call) => {
    hosts.push(call.getHost());
    serving(call);
  };
  server.say = (call) => void hosts.push(call.getHost());
  const channelOptions = given === undefined ? {} : { 'grpc.default_authority': given };
  const client = await clientOf({ target: server.target, channelOptions }).ready(1);
  await client.say();
  expect(hosts).toEqual(Array(2).fill(given ?? `127.0.0.1:${server.port}`));
});
