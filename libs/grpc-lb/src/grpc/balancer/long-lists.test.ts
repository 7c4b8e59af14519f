import { connectivityState } from '@grpc/grpc-js';
import { describe, expect, test } from 'vitest';
import { endpoints, keys } from '../../../../../test/support/balancing/lettered-channel.js';
import { FakeChannel } from '../../../../../test/support/peers/fake-channel.js';
import { addressToString, type Endpoint } from '../../core/endpoint.js';

const { READY, TRANSIENT_FAILURE, CONNECTING } = connectivityState;
const MINUTE = 60_000;

describe('a list of 10,000 endpoints', () => {
  const TURN_MS = 20;
  const PER_TURN = 250;
  const many = (from: number, size = 10_000): Endpoint[] =>
    Array.from({ length: size }, (_, i) => ({ address: { path: `${from + i}` } }));
  const states = (channel: FakeChannel): Map<string, string> =>
    new Map(channel.view.endpoints().map(({ address, state }) => [address, state]));
  const withConnections = (channel: FakeChannel): string[] =>
    channel.view.endpoints().flatMap(({ address, connections }) => (connections.length > 0 ? address : []));

  /** Connects all endpoints, turn by turn. */
  async function connectAll(channel: FakeChannel): Promise<void> {
    while ([...states(channel).values()].includes('connecting')) {
      const dialing = channel.open.filter(({ state }) => state === CONNECTING);
      if (dialing.length === 0) await channel.pass(TURN_MS);
      for (const subchannel of dialing) subchannel.become(READY);
      await channel.pass(0);
    }
  }

  test('joins at once, and connects 250 at a time, 32 of them at once', async () => {
    const channel = new FakeChannel();
    await channel.name(many(0));
    expect(channel.used).toEqual(many(0).map(({ address }) => addressToString(address)));
    expect(channel.context.told('discovery_updated')).toMatchObject([{ added: 10_000, removed: 0, total: 10_000 }]);
    // grpc-js compares each new subchannel with all others, so only endpoints that may connect have one.
    expect(channel.subchannels).toHaveLength(32);
    // Clients with the same list do not all begin with its first endpoints.
    expect(withConnections(channel)).not.toEqual(channel.used.slice(0, PER_TURN));
    for (let opened = PER_TURN; opened < 10_000; opened += PER_TURN) {
      expect(withConnections(channel)).toHaveLength(opened);
      await channel.pass(TURN_MS);
    }
    expect(withConnections(channel)).toHaveLength(10_000);
    channel.balancer.destroy();
    expect(channel.clock.pendingTimers).toBe(0);
  });

  test('that no longer names endpoints gives them no calls, and closes 250 at a time; they finish their calls', async () => {
    const channel = new FakeChannel();
    await channel.name(many(0, 1200));
    await connectAll(channel);
    let held = channel.pick();
    while (held.key === 'unix:1199') held = channel.pick();
    await channel.name(many(1199, 1));
    expect(channel.used).toEqual(keys('1199'));
    expect(channel.open.length).toBeGreaterThanOrEqual(1200 - PER_TURN);
    expect(Array.from({ length: 50 }, () => channel.pick().key)).toEqual(Array.from({ length: 50 }, () => 'unix:1199'));
    await channel.pass(TURN_MS * 4);
    expect([...states(channel)]).toEqual([
      ['unix:1199', 'ready'],
      [held.key, 'draining'],
    ]);
    held.end();
    expect([...states(channel).keys()]).toEqual(['unix:1199']);
    channel.balancer.destroy();
    expect(channel.clock.pendingTimers).toBe(0);
  });

  test('that names an endpoint again, before its turn to close, keeps its connection', async () => {
    const channel = new FakeChannel();
    await channel.name(many(0, 1200));
    await connectAll(channel);
    const opened = channel.subchannels.length;
    await channel.name(many(1199, 1));
    const back = channel.open
      .map(({ key }) => key)
      .filter((key) => key !== 'unix:1199')
      .slice(0, 10);
    await channel.name([...back.map((key) => ({ address: { path: key.slice('unix:'.length) } })), ...many(1199, 1)]);
    await channel.pass(TURN_MS * 5);
    expect(states(channel)).toEqual(new Map([...back, 'unix:1199'].map((key) => [key, 'ready'])));
    expect(channel.subchannels).toHaveLength(opened);
  });

  test('gives way to a shorter one: its endpoints connect first', async () => {
    const channel = new FakeChannel();
    await channel.name(many(0));
    await channel.name(many(20_000, 2));
    expect(channel.open.map(({ key }) => key)).toEqual(expect.arrayContaining(keys('20000', '20001')));
    expect(states(channel).size).toBeLessThanOrEqual(PER_TURN + 2);
    await channel.pass(MINUTE);
    expect([...states(channel).keys()]).toEqual(keys('20000', '20001'));
  });

  test('of two priorities does not fail over while endpoints of the first have not been tried', async () => {
    const channel = new FakeChannel();
    await channel.name([...many(0, 1200), ...endpoints('x1')]);
    for (const subchannel of channel.open) subchannel.become(TRANSIENT_FAILURE, 'refused');
    await channel.pass(0);
    expect(channel.state).toBe(CONNECTING);
    expect(channel.used).toHaveLength(1200);
  });
});

test('destroy() leaves nothing open and opens nothing more, though a thousand endpoints wait to connect', async () => {
  const channel = new FakeChannel();
  await channel.name(
    Array.from({ length: 1000 }, (_, i) => ({ address: { host: 'h', port: i + 1 }, priority: i % 3 })),
  );
  expect(channel.used).toHaveLength(334);
  const attempts = (): number => channel.subchannels.reduce((sum, subchannel) => sum + subchannel.attempts, 0);
  expect(attempts()).toBe(32);
  channel.balancer.destroy();
  await channel.pass(0);
  expect(attempts()).toBe(32);
  expect(channel.open).toEqual([]);
  expect(channel.clock.pendingTimers).toBe(0);
});

test('a new list cancels connection attempts of the old one that still wait for the gate', async () => {
  const channel = new FakeChannel();
  await channel.name(Array.from({ length: 1000 }, (_, i) => ({ address: { host: 'old', port: i + 1 } })));
  await channel.name(Array.from({ length: 10 }, (_, i) => ({ address: { host: 'new', port: i + 1 } })));
  const tried = (host: string): number =>
    channel.subchannels.filter(({ key, attempts }) => key.startsWith(host) && attempts > 0).length;
  expect(tried('old')).toBe(32);
  expect(tried('new')).toBe(10);
});
