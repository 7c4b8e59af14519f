import http2, { type ClientHttp2Session, type ServerHttp2Session } from 'node:http2';
import * as grpc from '@grpc/grpc-js';
import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import { seededRandom } from '../../../libs/grpc-lb/src/core/random.js';
import { BalancedClient, ManualDiscovery } from '../../support/echo/balanced-client.js';
import { answerBy, startBackends } from '../../support/echo/backends.js';
import { deferred, staticTarget } from '../../support/echo/cluster.js';
import { pretendedTls } from '../../support/peers/pretended-tls.js';
import { answer, RawServer, refuse, startRawServers } from '../../support/peers/raw-server.js';
import { expectNoLeaks } from '../../support/run/leaks.js';
import { FakeClock } from '../../support/time/fake-clock.js';
import { eventually } from '../../support/time/patience.js';

expectNoLeaks();

const loadBalancing = { health: { enabled: false } };
/** For tests that lose the same connection again and again. */
const channelOptions = { 'grpc.initial_reconnect_backoff_ms': 1, 'grpc.max_reconnect_backoff_ms': 1 };
const targetOf = (servers: readonly { readonly address: string }[]): string =>
  `static:///${servers.map(({ address }) => address).join(',')}`;

/** The client's HTTP/2 sessions, in the order in which they were opened. */
let sessions: ClientHttp2Session[];

beforeEach(() => {
  sessions = [];
  const { connect } = http2;
  vi.spyOn(http2, 'connect').mockImplementation(((...args: Parameters<typeof connect>) => {
    const session = connect(...args);
    sessions.push(session);
    return session;
  }) as typeof connect);
});

afterEach(() => void vi.restoreAllMocks());

test('a call that endpoints refuse before it runs goes to all others, and once more to one of them', async () => {
  const servers = await startRawServers(5);
  let visits: RawServer[] = [];
  for (const server of servers) {
    server.onCall = (stream) => {
      visits.push(server);
      if (visits.length <= 5) refuse(stream);
      else answer(stream);
    };
  }
  const client = await new BalancedClient({ target: targetOf(servers), loadBalancing }).ready(5);
  for (let i = 0; i < 50; i++) {
    visits = [];
    await client.say();
    expect(visits).toHaveLength(6);
    expect(new Set(visits.slice(0, 5)).size).toBe(5);
  }
});

test('a call that all refuse, and refuse again, fails with UNAVAILABLE', async () => {
  const servers = await startRawServers(5);
  for (const server of servers) server.onCall = refuse;
  const client = await new BalancedClient({ target: targetOf(servers), loadBalancing }).ready(5);
  await expect(client.say()).rejects.toMatchObject({
    code: grpc.status.UNAVAILABLE,
    details: 'Stream refused by server',
  });
  expect(servers.reduce((sum, { calls }) => sum + calls, 0)).toBe(6);
});

test('if all five endpoints refuse 30 % of the calls, fewer than one of 1000 fails', async () => {
  const servers = await startRawServers(5);
  // A call fails if it is refused six times: 0.3 ** 6 is 0.73 of 1000. With this seed the chance is always the same.
  const random = seededRandom(1);
  for (const server of servers) server.onCall = (stream) => (random() < 0.3 ? refuse(stream) : answer(stream));
  const client = await new BalancedClient({ target: targetOf(servers), loadBalancing }).ready(5);
  const failed: unknown[] = [];
  for (let i = 0; i < 1000; i++) await client.say().catch((error: unknown) => failed.push(error));
  expect(failed).toEqual([]);
  // Refusals before a call runs are a matter of the moment: no endpoint is worse than the others.
  expect(client.snapshot.endpoints.map(({ state }) => state)).toEqual(servers.map(() => 'ready'));
  expect(client.snapshot.inFlight).toBe(0);
});

test('an endpoint that is full, and serves other calls, is not ejected for its refusals, and gets no more calls than the others', async () => {
  const servers = await startRawServers(4);
  const [full] = servers as [RawServer, ...RawServer[]];
  for (const server of servers) {
    let open = 0;
    server.onCall = (stream) => {
      if (server === full && open >= 2) return refuse(stream);
      open++;
      setImmediate(() => {
        open--;
        answer(stream);
      });
    };
  }
  const client = await new BalancedClient({ target: targetOf(servers), loadBalancing }).ready(4);
  for (let round = 0; round < 40; round++) await Promise.all(Array.from({ length: 32 }, () => client.say()));
  expect(client.events.filter((event) => event.type === 'endpoint_state' && event.to === 'ejected')).toEqual([]);
  const { endpoints } = client.snapshot;
  expect(endpoints[0]!.failed).toBeGreaterThan(40);
  expect(endpoints[0]!.failureRate).toBe(0);
  const mean = endpoints.reduce((sum, { started }) => sum + started, 0) / servers.length;
  expect(endpoints[0]!.started).toBeLessThan(1.5 * mean);
});

test('an endpoint that refuses everything for longer than five seconds is ejected', async () => {
  const servers = await startRawServers(3);
  const [broken, ...others] = servers as [RawServer, ...RawServer[]];
  for (const server of servers) server.onCall = (stream) => answer(stream);
  const clock = new FakeClock();
  const pool = { pingAfter: 0 };
  const client = await new BalancedClient({
    target: targetOf(servers),
    clock,
    loadBalancing: { ...loadBalancing, pool, policy: 'round_robin' },
  }).ready(3);
  const callAll = async (): Promise<void> => {
    for (let i = 0; i < 30; i++) await client.say();
  };
  await callAll();
  broken.onCall = refuse;
  await callAll();
  expect(client.states[broken.address]).toBe('ready');
  clock.advance(5001);
  await callAll();
  expect(client.states[broken.address]).toBe('ejected');
  expect(others.map(({ address }) => client.states[address])).toEqual(['ready', 'ready']);
});

test.each([
  ['ends', (session: ClientHttp2Session) => session.destroy()],
  ['closes', (session: ClientHttp2Session) => session.close()],
])('a call whose connection %s as it starts goes to another endpoint', async (_, end) => {
  const servers = await startBackends(4);
  const client = await new BalancedClient({ target: staticTarget(servers), loadBalancing, channelOptions }).ready(4);
  for (let i = 0; i < 20; i++) {
    // grpc-js hears of it in a later turn.
    end(sessions.at(-1)!);
    await client.say();
    await client.ready(4);
  }
  expect(client.snapshot.inFlight).toBe(0);
});

test('a connection that closes gets no new calls, and those that it has go on', async () => {
  const servers = await startBackends(1);
  const client = await new BalancedClient({ target: staticTarget(servers), loadBalancing, channelOptions }).ready(1);
  const arrived = deferred();
  const go = deferred();
  answerBy(servers[0]!, async ({ text }) => {
    if (text === 'slow') {
      arrived.resolve();
      await go.promise;
    }
    return {};
  });
  const slow = client.say('slow');
  await arrived.promise;
  sessions.at(-1)!.close();
  await client.say('next');
  go.resolve();
  expect((await slow).text).toBe('slow');
  expect(sessions).toHaveLength(2);
});

test('if all connections end as calls start, the calls wait for new ones', async () => {
  const servers = await startBackends(4);
  const client = await new BalancedClient({ target: staticTarget(servers), loadBalancing, channelOptions }).ready(4);
  for (let round = 0; round < 5; round++) {
    for (const session of sessions.splice(0)) session.destroy();
    await Promise.all(Array.from({ length: 40 }, () => client.say()));
    await client.ready(4);
  }
  expect(client.snapshot).toMatchObject({ inFlight: 0, pending: 0 });
});

test.each(['removed', 'lost', 'drained'] as const)(
  'a call whose credentials come late goes to another endpoint than the one that is %s meanwhile',
  async (how) => {
    const servers = await startBackends(2);
    const [leaving, staying] = servers as [(typeof servers)[0], (typeof servers)[0]];
    const discovery = new ManualDiscovery(servers);
    const client = await new BalancedClient({
      target: discovery.target,
      credentials: pretendedTls(),
      loadBalancing: { ...loadBalancing, policy: 'pick_first' },
    }).ready(2);
    const asked = deferred();
    const given = deferred();
    const credentials = grpc.credentials.createFromMetadataGenerator((_params, done) => {
      asked.resolve();
      void given.promise.then(() => done(null, new grpc.Metadata()));
    });
    const call = client.say('x', { credentials });
    await asked.promise;
    if (how === 'removed') discovery.set([staying]);
    if (how === 'lost') await leaving.stop();
    const drained = how === 'drained' ? leaving.drain() : undefined;
    await client.until(() => client.states[leaving.address] !== 'ready');
    given.resolve();
    expect(await call).toMatchObject({ server: staying.address });
    await drained;
  },
);

/** Ends a connection as a proxy that reloads: the calls up to the last id are answered, the others have not run. */
function goAway(session: ServerHttp2Session, lastId: number): void {
  session.goaway(http2.constants.NGHTTP2_NO_ERROR, lastId);
  // Node would send another one at once, with a higher id.
  setImmediate(() => session.close());
}

test.each([
  ['one endpoint with pool.size 3', 1],
  ['three endpoints with pool.size 3', 3],
])('calls above the last id of a GOAWAY are sent again, on connections that are younger: %s', async (_, count) => {
  const servers = await startRawServers(count);
  let arrived = 0;
  let hold = true;
  for (const server of servers) {
    server.onCall = (stream) => {
      arrived++;
      if (!hold || stream.id === 1) answer(stream);
    };
  }
  const client = await new BalancedClient({
    target: targetOf(servers),
    loadBalancing: { ...loadBalancing, pool: { size: 3 } },
  }).ready(count);
  const allConnected = (): boolean =>
    client.snapshot.endpoints.every(
      ({ connections }) => connections.filter(({ state }) => state === 'ready').length === 3,
    );
  for (let round = 0; round < 15; round++) {
    await client.until(allConnected);
    hold = true;
    arrived = 0;
    const calls = Array.from({ length: 60 }, () => client.say());
    await eventually(() => arrived === 60);
    hold = false;
    // When the client reads the first GOAWAY, it has not read those on the other connections.
    for (const { sessions: open } of servers) for (const session of open) goAway(session, 1);
    const ends = await Promise.allSettled(calls);
    expect(ends.filter(({ status }) => status === 'rejected')).toEqual([]);
  }
  expect(client.snapshot).toMatchObject({ inFlight: 0, pending: 0 });
});

test('of a server that reloads again and again under load no call fails', async () => {
  const [server] = (await startRawServers(1)) as [RawServer];
  const client = await new BalancedClient({
    target: targetOf([server]),
    loadBalancing: { ...loadBalancing, pool: { size: 3 } },
  }).ready(1);
  let reloads = 0;
  const lastIds = new Map<ServerHttp2Session, number>();
  const closing = new Set<ServerHttp2Session>();
  server.onCall = (stream) => {
    const session = stream.session as ServerHttp2Session;
    // Above the last id.
    if (closing.has(session)) return;
    lastIds.set(session, stream.id!);
    answer(stream);
    if (server.calls % 100 > 0 || reloads === 15) return;
    reloads++;
    for (const each of server.sessions) {
      closing.add(each);
      goAway(each, lastIds.get(each) ?? 0);
    }
  };
  let left = 3000;
  const failed: unknown[] = [];
  const caller = async (): Promise<void> => {
    while (left-- > 0) await client.say().catch((error: unknown) => failed.push(error));
  };
  await Promise.all(Array.from({ length: 20 }, caller));
  expect(failed).toEqual([]);
  expect(reloads).toBe(15);
  expect(client.snapshot).toMatchObject({ inFlight: 0, pending: 0 });
});
