import { connectivityState } from '@grpc/grpc-js';
import { describe, expect, onTestFinished, test, vi } from 'vitest';
import { endpoints, keys, started, stateOf } from '../../../../../test/support/balancing/lettered-channel.js';
import type { FakeChannel } from '../../../../../test/support/peers/fake-channel.js';
import { Router } from '../../core/balancing/route/router.js';
import { addressToString } from '../../core/endpoint.js';

const { READY, TRANSIENT_FAILURE, IDLE, CONNECTING } = connectivityState;
const MINUTE = 60_000;

describe('a change of the list', () => {
  test('keeps the connections of endpoints that stay, even if their priority changes', async () => {
    const channel = await started('a', 'b');
    await channel.become(READY, ...keys('a', 'b'));
    await channel.name([...endpoints('b'), { ...endpoints('a')[0]!, priority: 1 }]);
    expect(channel.subchannels).toHaveLength(2);
    // `a` is now a fallback and not needed.
    expect(channel.used).toEqual(keys('b'));
    await channel.name(endpoints('a', 'b'));
    expect(channel.used).toEqual(keys('a', 'b'));
  });

  test('that re-adds a draining endpoint reuses its connection', async () => {
    const channel = await started('a', 'b');
    await channel.become(READY, ...keys('a', 'b'));
    const call = channel.pick();
    const [first, second] = call.key === 'unix:a' ? ['a', 'b'] : ['b', 'a'];
    await channel.name(endpoints(second!));
    expect(channel.view.endpoints()).toMatchObject([{ state: 'ready' }, { state: 'draining', inFlight: 1 }]);
    await channel.name(endpoints(first!, second!));
    expect(channel.view.endpoints()).toMatchObject([{ state: 'ready', inFlight: 1 }, { state: 'ready' }]);
    expect(channel.subchannels).toHaveLength(2);
    call.end();
    expect(channel.open).toHaveLength(2);
    expect(channel.context.told('endpoint_removed')).toEqual([]);
  });

  test('that re-adds a draining endpoint does not start it slowly, as it has run all the time', async () => {
    const channel = await started('a', 'b');
    await channel.become(READY, ...keys('a', 'b'));
    const { key } = channel.pick();
    await channel.name(endpoints('a', 'b').filter(({ address }) => addressToString(address) !== key));
    await channel.name(endpoints('a', 'b'));
    const states = channel.context.told('endpoint_state').filter(({ address }) => address === key);
    expect(states.map(({ to }) => to)).toEqual(['ready', 'draining', 'ready']);
    expect(channel.view.endpoints().map(({ warmth }) => warmth)).toEqual([1, 1]);
  });

  describe('that re-adds an endpoint which was ejected', () => {
    /** Three endpoints, of which `a` is ejected and drains, with a call that has not ended. */
    async function leftWhileEjected(): Promise<FakeChannel> {
      const channel = await started('a', 'b', 'c');
      await channel.become(READY, ...keys('a', 'b', 'c'));
      const calls = Array.from({ length: 60 }, () => channel.pick());
      const failing = calls.filter(({ key }) => key === 'unix:a').slice(1);
      for (const call of calls) if (call.key !== 'unix:a') call.end();
      for (const call of failing) call.end(14, 'no');
      expect(stateOf(channel, 'unix:a')).toBe('ejected');
      await channel.name(endpoints('b', 'c'));
      expect(stateOf(channel, 'unix:a')).toBe('draining');
      return channel;
    }

    test('does not end its ejection', async () => {
      const channel = await leftWhileEjected();
      await channel.name(endpoints('a', 'b', 'c'));
      expect(stateOf(channel, 'unix:a')).toBe('ejected');
      // Its time goes on, and then it waits for its probe.
      await channel.pass(10_001);
      const { reason } = channel.view.endpoints().find(({ address }) => address === 'unix:a')!;
      expect(reason).toMatch(/; the next call is a probe$/);
    });

    test('uses it again if ejection has been turned off meanwhile', async () => {
      const channel = await leftWhileEjected();
      const { loadBalancing } = channel.context;
      channel.context.loadBalancing = { ...loadBalancing, ejection: { ...loadBalancing.ejection, enabled: false } };
      channel.view.reconfigure();
      await channel.name(endpoints('a', 'b', 'c'));
      expect(stateOf(channel, 'unix:a')).toBe('ready');
    });

    test('leaves no timer when it is gone', async () => {
      const channel = await leftWhileEjected();
      channel.balancer.destroy();
      expect(channel.clock.pendingTimers).toBe(0);
    });
  });

  test('that re-adds an endpoint whose connection was lost while it drained takes it for another process', async () => {
    const channel = await started('a', 'b');
    await channel.become(READY, ...keys('a', 'b'));
    const { key } = channel.pick();
    await channel.name(endpoints('a', 'b').filter(({ address }) => addressToString(address) !== key));
    await channel.become(IDLE, key);
    await channel.name(endpoints('a', 'b'));
    expect(stateOf(channel, key)).toBe('connecting');
    channel.subchannels.at(-1)!.become(READY);
    await channel.pass(0);
    expect(stateOf(channel, key)).toBe('ready');
    expect(channel.view.endpoints().find(({ address }) => address === key)!.warmth).toBeLessThan(1);
  });

  test('that is empty, and is corrected before calls have ended, is no outage from then on', async () => {
    const channel = await started('a', 'b');
    await channel.become(READY, ...keys('a', 'b'));
    for (const held = new Set<string>(); held.size < 2;) held.add(channel.pick().key);
    await channel.name([]);
    await channel.name(endpoints('a', 'b'));
    expect(channel.view.endpoints().map(({ state }) => state)).toEqual(['ready', 'ready']);
    await channel.pass(MINUTE);
    await channel.become(IDLE, 'unix:a');
    channel.subchannels.at(-1)!.become(READY);
    await channel.pass(0);
    // It returns beside one that has served all the time, so it starts slowly.
    const { state, warmth } = channel.view.endpoints()[0]!;
    expect(state).toBe('ready');
    expect(warmth).toBeLessThan(1);
  });

  test('that leaves the list empty closes all connections and fails calls', async () => {
    const channel = await started('a', 'b1');
    await channel.become(READY, ...keys('a'));
    await channel.name([]);
    expect(channel.used).toEqual([]);
    expect(channel.open).toEqual([]);
    expect(channel.state).toBe(TRANSIENT_FAILURE);
    const { status } = channel.picker!.pick({ metadata: undefined as never, extraPickInfo: {} });
    expect(status).toMatchObject({ code: 14, details: 'client ORDERS: discovery lists no endpoints' });
    expect(channel.context.told('discovery_updated').at(-1)).toMatchObject({ added: 0, removed: 2, total: 0 });
  });

  test('counts distinct addresses', async () => {
    const channel = await started('a', 'a', 'b');
    await channel.name(endpoints('a', 'c', 'c', 'c'));
    await channel.name(endpoints('c', 'a', 'a'));
    expect(channel.context.told('discovery_updated')).toMatchObject([
      { added: 2, removed: 0, total: 2 },
      { added: 1, removed: 1, total: 2 },
    ]);
  });
});

test('an endpoint whose ejection is withdrawn has not recovered, and its event says so', async () => {
  const channel = await started('a', 'b');
  await channel.become(READY, ...keys('a', 'b'));
  const calls = Array.from({ length: 60 }, () => channel.pick());
  for (const call of calls) if (call.key === 'unix:a') call.end(4, 'late');
  expect(stateOf(channel, 'unix:a')).toBe('ejected');
  for (const call of calls) if (call.key === 'unix:b') call.end(4, 'late');
  channel.clock.advance(1000);
  const states = channel.context.told('endpoint_state').filter(({ address }) => address === 'unix:a');
  expect(states.at(-1)).toMatchObject({
    from: 'ejected',
    to: 'ready',
    reason: 'ejection withdrawn, because the others fail too',
  });
  expect(channel.view.endpoints()[0]).toMatchObject({ state: 'ready', reason: null });
});

test('a removed endpoint leaves no timer behind, even if it was ejected or in slow start', async () => {
  const channel = await started('a', 'b', 'c');
  await channel.become(READY, ...keys('a', 'b', 'c'));
  const others = [];
  for (let i = 0; i < 100; i++) {
    const call = channel.pick();
    if (call.key === 'unix:a') call.end(14);
    else others.push(call);
  }
  for (const call of others) call.end();
  expect(channel.view.endpoints()[0]!.state).toBe('ejected');
  await channel.name(endpoints('b', 'c', 'd'));
  await channel.become(READY, ...keys('d'));
  await channel.name(endpoints('b', 'c'));
  // Failures age out gradually; then only the watch for stalls of the process itself has a timer.
  await channel.pass(1000);
  expect(channel.clock.pendingTimers).toBe(1);
  channel.balancer.destroy();
  expect(channel.clock.pendingTimers).toBe(0);
});

test('a failed attempt of an endpoint without connections does not compute the route again', async () => {
  const channel = await started('a', 'b');
  await channel.become(READY, ...keys('a'));
  const update = vi.spyOn(Router.prototype, 'update');
  onTestFinished(() => update.mockRestore());
  await channel.become(TRANSIENT_FAILURE, ...keys('b'));
  expect(channel.view.endpoints()[1]!.state).toBe('transient_failure');
  expect(update).not.toHaveBeenCalled();
  await channel.become(CONNECTING, ...keys('b'));
  await channel.become(READY, ...keys('b'));
  expect(update).toHaveBeenCalled();
});
