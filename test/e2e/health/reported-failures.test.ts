import { credentials, status } from '@grpc/grpc-js';
import { RpcException } from '@nestjs/microservices';
import { expect, test } from 'vitest';
import { BalancedClient } from '../../support/echo/balanced-client.js';
import { expectNoLeaks } from '../../support/run/leaks.js';
import { echoClient, type EchoMicroservice, failureOf, say, startEcho } from '../../support/server/app.js';

expectNoLeaks();

const CLIENTS = 8;
const PATIENCE_MS = 45_000;
/** Ejections end soon, so that clients ask the backend. */
const BASE_MS = 1500;

async function setUp(): Promise<{ backends: EchoMicroservice[]; clients: BalancedClient[] }> {
  const backends = await Promise.all(Array.from({ length: 3 }, () => startEcho()));
  const target = `static:///${backends.map(({ address }) => address).join(',')}`;
  const clients = Array.from(
    { length: CLIENTS },
    () => new BalancedClient({ target, loadBalancing: { ejection: { baseEjectionTime: BASE_MS } } }),
  );
  await Promise.all(clients.map((client) => client.ready(3)));
  await callAll(clients, 60);
  return { backends, clients };
}

/** Each client makes calls, one after the other; returns how many of them failed, client by client. */
async function callAll(clients: readonly BalancedClient[], times: number): Promise<number[]> {
  const failures = clients.map(() => 0);
  for (let i = 0; i < times; i++) {
    for (const [k, client] of clients.entries()) await client.say().catch(() => failures[k]!++);
  }
  return failures;
}

const sum = (values: readonly number[]): number => values.reduce((total, value) => total + value, 0);

test('each of several clients loses one call to a backend that fails everything, and none to probes in vain', async () => {
  const { backends, clients } = await setUp();
  const [ill] = backends as [EchoMicroservice];
  let fails = true;
  const answer = ill.handlers.say;
  let calls = 0;
  ill.handlers.say = (line, call) => {
    calls++;
    if (fails) throw new RpcException({ code: status.UNAVAILABLE, message: 'no database' });
    return answer(line, call);
  };
  const failures = clients.map(() => 0);
  await callUntil(clients, () => failures.every((count) => count > 0), failures);
  // Those that meet the first failures may need a second one: the backend does not know yet that it fails everything.
  expect(sum(failures)).toBeLessThanOrEqual(CLIENTS + 3);
  const before = calls;
  const since = performance.now();
  const lost = await callUntil(clients, () => performance.now() > since + 4 * BASE_MS);
  expect(lost).toBe(calls - before);
  // One of the clients tries; the others ask, and stay away. Otherwise each would have tried twice.
  expect(lost).toBeLessThan(CLIENTS);

  fails = false;
  await callUntil(clients, () => clients.every(({ states }) => states[ill.address] === 'ready'));
  expect(sum(await callAll(clients, 20))).toBe(0);
});

/** All clients make calls until the condition holds; returns how many failed, and adds them up by client. */
async function callUntil(
  clients: readonly BalancedClient[],
  condition: () => boolean,
  failures = clients.map(() => 0),
): Promise<number> {
  for (const since = performance.now(); !condition();) {
    (await callAll(clients, 1)).forEach((count, i) => (failures[i]! += count));
    expect(performance.now() - since).toBeLessThan(PATIENCE_MS);
  }
  return sum(failures);
}

test('a server that passes on the errors of another one does not look as if it failed everything itself', async () => {
  const { backends } = await setUp();
  const [ill, ...middles] = backends as [EchoMicroservice, EchoMicroservice, EchoMicroservice];
  ill.handlers.say = () => {
    throw new RpcException({ code: status.UNAVAILABLE, message: 'no database' });
  };
  const next = echoClient(ill.address, credentials.createInsecure());
  for (let i = 0; i < 40; i++) await failureOf(say(next));
  const through = { next: false };
  for (const { handlers } of middles)
    handlers.say = async (line) => {
      if (!through.next) return line;
      const { code, details, metadata } = await failureOf(say(next));
      throw new RpcException({ code, message: details, metadata });
    };
  const target = `static:///${middles.map(({ address }) => address).join(',')}`;
  const client = await new BalancedClient({ target }).ready(2);
  for (let i = 0; i < 40; i++) await client.say();
  through.next = true;
  await expect(client.say()).rejects.toMatchObject({ code: status.UNAVAILABLE });
  through.next = false;
  expect(Object.values(client.states)).toEqual(['ready', 'ready']);
});
