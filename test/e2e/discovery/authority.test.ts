import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { ServerInterceptingCall, ServerInterceptor } from '@grpc/grpc-js';
import { registerFile } from 'nestjs-grpc-lb/file';
import type { FleetBackend } from 'nestjs-grpc-lb/testing';
import { expect, onTestFinished, test } from 'vitest';
import { BalancedClient } from '../../support/echo/balanced-client.js';
import { startBackend } from '../../support/echo/backends.js';
import { expectNoLeaks } from '../../support/run/leaks.js';

expectNoLeaks();

/** A server that keeps the `:authority` of its calls by method. */
async function start(): Promise<{ server: FleetBackend; authorities: string[] }> {
  const authorities: string[] = [];
  const recording: ServerInterceptor = ({ path }, call) => {
    authorities.push(`${path.split('/')[2]} ${call.getHost()}`);
    return call as ServerInterceptingCall;
  };
  const server = await startBackend({ health: true, serverOptions: { interceptors: [recording] } });
  return { server, authorities };
}

/** Without health checks, which have an authority too. */
const plain = { health: { enabled: false } };

test('calls, streams and health checks have the authority of the target that lists the endpoint', async () => {
  const [first, second] = [await start(), await start()];
  const target = [first, second].map(({ server }) => `static:///${server.address}`);
  const client = await new BalancedClient({ target }).ready(1);
  await client.say();
  expect(first.authorities).toEqual([`Watch ${first.server.address}`, `Say ${first.server.address}`]);
  await first.server.stop();
  await client.until(() => client.states[second.server.address] === 'ready');
  await client.say('x', { waitForReady: true });
  const { stream } = await client.openStream();
  const ended = new Promise((resolve) => stream.once('error', resolve));
  stream.cancel();
  await ended;
  expect(second.authorities).toEqual(['Watch', 'Say', 'Repeat'].map((method) => `${method} ${second.server.address}`));
});

test.each([
  ['the channel option', { channelOptions: { 'grpc.default_authority': 'orders.internal' } }, {}],
  ['the call', {}, { host: 'orders.internal' }],
])('an authority that %s names is that of all targets', async (_, options, call) => {
  const [first, second] = [await start(), await start()];
  const target = [first, second].map(({ server }) => `static:///${server.address}`);
  const client = await new BalancedClient({ target, loadBalancing: plain, ...options }).ready(1);
  await first.server.stop();
  await client.until(() => client.states[second.server.address] === 'ready');
  await client.say('x', { ...call, waitForReady: true });
  expect(second.authorities).toEqual(['Say orders.internal']);
});

test('endpoints of a target without a host have the authority of the first target', async () => {
  const [first, second] = [await start(), await start()];
  registerFile();
  const directory = mkdtempSync(join(tmpdir(), 'endpoints-'));
  onTestFinished(() => rmSync(directory, { recursive: true }));
  const file = join(directory, 'endpoints.json');
  writeFileSync(file, JSON.stringify([second.server.address]));
  const target = [`static:///${first.server.address}`, `file://${file}`];
  const client = await new BalancedClient({ target, loadBalancing: plain }).ready(1);
  await first.server.stop();
  await client.until(() => client.states[second.server.address] === 'ready');
  await client.say('x', { waitForReady: true });
  expect(second.authorities).toEqual([`Say ${first.server.address}`]);
});
