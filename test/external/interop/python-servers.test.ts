import { type ServiceError, status } from '@grpc/grpc-js';
import { afterEach, expect, test } from 'vitest';
import { BalancedClient } from '../../support/echo/balanced-client.js';
import type { Line } from '../../support/echo/cluster.js';
import { expectNoLeaks } from '../../support/run/leaks.js';
import { SteadyLoad } from '../../support/echo/steady-load.js';
import { PythonServer, startPythonServers } from './python-process.js';

expectNoLeaks();

let servers: PythonServer[] = [];
let client: BalancedClient;

async function start(count: number): Promise<void> {
  servers = await startPythonServers(count);
  const target = `static:///${servers.map(({ address }) => address).join(',')}`;
  client = await new BalancedClient({ target, loadBalancing: { slowStart: { enabled: false } } }).ready(count);
}

afterEach(async () => {
  client.close();
  await Promise.all(servers.map((server) => server.kill()));
});

/** The servers that answer the next calls. */
async function answers(calls: number): Promise<Record<string, number>> {
  const counts: Record<string, number> = {};
  for (let i = 0; i < calls; i++) {
    const { server } = await client.say();
    counts[server] = (counts[server] ?? 0) + 1;
  }
  return counts;
}

const startedOf = ({ address }: PythonServer): number =>
  client.snapshot.endpoints.find((endpoint) => endpoint.address === address)!.started;

test('calls spread over C-core servers, whose health is known', async () => {
  await start(3);
  expect(client.events.filter(({ type }) => type === 'health_not_offered')).toEqual([]);
  const lines = await Promise.all(Array.from({ length: 60 }, () => client.say()));
  const shares = servers.map(({ address }) => lines.filter(({ server }) => server === address).length);
  expect(shares).toEqual([20, 20, 20]);
});

test('streams work, and count as load until they end', async () => {
  await start(2);
  const streams = await Promise.all([client.openStream(), client.openStream()]);
  expect(new Set(streams.map(({ server }) => server)).size).toBe(2);
  expect(client.snapshot.inFlight).toBe(2);
  const talk = client.echo.Talk();
  talk.write({ text: 'hello' });
  const line = await new Promise<Line>((resolve) => talk.once('data', resolve));
  expect(line.text).toBe('hello');
  talk.on('data', () => {}).end();
  await new Promise((resolve) => talk.once('end', resolve));
  for (const { stream } of streams) {
    const ended = new Promise((resolve) => stream.once('error', resolve));
    stream.cancel();
    await ended;
  }
  expect(client.snapshot.inFlight).toBe(0);
});

test('NOT_SERVING moves calls, SERVING brings them back, and none fails', async () => {
  await start(3);
  const [ill] = servers as [PythonServer];
  const load = new SteadyLoad(() => client.say('x', { deadline: Date.now() + 5000 }), 200);
  await load.run(30);
  ill.setHealth('NOT_SERVING');
  await client.until(() => client.states[ill.address] === 'not_serving');
  const before = startedOf(ill);
  await load.run(60);
  expect(startedOf(ill)).toBe(before);
  ill.setHealth('SERVING');
  await client.until(() => client.states[ill.address] === 'ready');
  await load.run(60);
  await load.stop();
  expect(startedOf(ill)).toBeGreaterThan(before);
  expect(load.failures).toEqual([]);
});

test('a server that reports NOT_SERVING and then stops loses no call', async () => {
  await start(3);
  const [leaver, ...others] = servers as [PythonServer, PythonServer, PythonServer];
  const load = new SteadyLoad(() => client.say('x', { deadline: Date.now() + 5000 }), 200);
  await load.run(30);
  leaver.setHealth('NOT_SERVING');
  await client.until(() => client.states[leaver.address] === 'not_serving');
  leaver.stop(5);
  await leaver.process.ended();
  await load.run(60);
  await load.stop();
  expect(load.failures).toEqual([]);
  expect(Object.keys(await answers(10)).toSorted()).toEqual(others.map(({ address }) => address).toSorted());
});

test('when a server dies, no call fails that started after this was detected', async () => {
  await start(3);
  const [victim] = servers as [PythonServer];
  const load = new SteadyLoad(() => client.say('x', { deadline: Date.now() + 5000 }), 200);
  await load.run(30);
  await victim.kill();
  await client.until(() => client.states[victim.address] !== 'ready');
  const lines = await Promise.all(Array.from({ length: 60 }, () => client.say()));
  await load.stop();
  expect(lines.some(({ server }) => server === victim.address)).toBe(false);
  expect(load.failures.every((error) => (error as ServiceError).code === status.UNAVAILABLE)).toBe(true);
});
