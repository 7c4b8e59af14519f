import { connectivityState } from '@grpc/grpc-js';
import * as fc from 'fast-check';
import { describe, expect, onTestFinished, test, vi } from 'vitest';
import { FakeChannel } from '../../../../../test/support/peers/fake-channel.js';
import { Router } from '../../core/balancing/route/router.js';
import { addressToString, type Endpoint } from '../../core/endpoint.js';

const { READY, TRANSIENT_FAILURE, IDLE, CONNECTING } = connectivityState;
const MINUTE = 60_000;

/** Named by letters: `a` is of priority 0, `b1` of priority 1. */
const endpoints = (...names: string[]): Endpoint[] =>
  names.map((name) => ({ address: { path: name }, priority: Number(name.slice(1) || 0) }));
const keys = (...names: string[]): string[] => names.map((name) => `unix:${name}`);

async function started(...names: string[]): Promise<FakeChannel> {
  const channel = new FakeChannel();
  await channel.name(endpoints(...names));
  return channel;
}

const stateOf = ({ view }: FakeChannel, key: string) => view.endpoints().find(({ address }) => address === key)?.state;

const failovers = ({ context }: FakeChannel): (readonly [number, number])[] =>
  context.told('failover').map(({ priority, share }) => [priority, share] as const);

describe('the balancer connects to', () => {
  test('only the first priority while it has enough capacity or may still get it', async () => {
    const channel = await started('a', 'b', 'c1', 'd2');
    expect(channel.open.map(({ key }) => key).toSorted()).toEqual(keys('a', 'b'));
    await channel.pass(999);
    expect(channel.used).toEqual(keys('a', 'b'));
    await channel.become(READY, ...keys('a'));
    await channel.pass(60 * MINUTE);
    // One of two is enough by the factor of 2, and the other may take its time.
    expect(channel.used).toEqual(keys('a', 'b'));
    expect(channel.shares).toEqual({ 0: 1 });
  });

  test('the next priority once the first has been connecting for a second', async () => {
    const channel = await started('a', 'b', 'c1', 'd2');
    await channel.pass(1000);
    expect(channel.used).toEqual(keys('a', 'b', 'c1'));
    await channel.pass(1000);
    expect(channel.used).toEqual(keys('a', 'b', 'c1', 'd2'));
  });

  test('the next priority as soon as the whole first one has failed, before the second is over', async () => {
    const channel = await started('a', 'b', 'c1');
    await channel.become(TRANSIENT_FAILURE, ...keys('a'));
    expect(channel.used).toEqual(keys('a', 'b'));
    await channel.become(TRANSIENT_FAILURE, ...keys('b'));
    expect(channel.used).toEqual(keys('a', 'b', 'c1'));
  });

  test('the next priority if a lost connection is not back within a second', async () => {
    const channel = await started('a', 'b1');
    await channel.become(READY, ...keys('a'));
    await channel.become(IDLE, ...keys('a'));
    await channel.pass(999);
    expect(channel.used).toEqual(keys('a'));
    await channel.become(READY, ...keys('a'));
    await channel.pass(MINUTE);
    expect(channel.used).toEqual(keys('a'));
    await channel.become(IDLE, ...keys('a'));
    await channel.pass(1000);
    expect(channel.used).toEqual(keys('a', 'b1'));
  });

  test('a priority that is no longer needed for another 15 minutes', async () => {
    const channel = await started('a', 'b1');
    await channel.become(TRANSIENT_FAILURE, ...keys('a'));
    await channel.become(READY, ...keys('b1'));
    expect(channel.shares).toEqual({ 0: 0, 1: 1 });
    await channel.become(READY, ...keys('a'));
    expect(channel.shares).toEqual({ 0: 1, 1: 0 });
    await channel.pass(15 * MINUTE - 1);
    expect(channel.used).toEqual(keys('a', 'b1'));
    await channel.pass(1);
    expect(channel.used).toEqual(keys('a'));
    expect(channel.shares).toEqual({ 0: 1 });
    expect(channel.open.map(({ key }) => key)).toEqual(keys('a'));
  });

  test('only the first priority of a list that comes after a shorter one, also when 15 minutes are over', async () => {
    const channel = await started('a', 'b1', 'c2');
    await channel.become(TRANSIENT_FAILURE, ...keys('a'));
    await channel.become(TRANSIENT_FAILURE, ...keys('b1'));
    await channel.become(READY, ...keys('b1', 'c2'));
    await channel.pass(MINUTE);
    expect(channel.used).toEqual(keys('a', 'b1', 'c2'));
    await channel.name(endpoints('d'));
    await channel.become(READY, ...keys('d'));
    await channel.pass(15 * MINUTE);
    await channel.name(endpoints('d', 'e1', 'f2'));
    expect(channel.used).toEqual(keys('d'));
  });

  test('a priority that is needed again for another 15 minutes after that', async () => {
    const channel = await started('a', 'b1');
    await channel.become(TRANSIENT_FAILURE, ...keys('a'));
    await channel.become(READY, ...keys('a', 'b1'));
    for (let i = 0; i < 3; i++) {
      await channel.pass(14 * MINUTE);
      await channel.become(IDLE, ...keys('a'));
      await channel.become(TRANSIENT_FAILURE, ...keys('a'));
      expect(channel.shares).toEqual({ 0: 0, 1: 1 });
      await channel.become(READY, ...keys('a'));
    }
    await channel.pass(15 * MINUTE - 1);
    expect(channel.used).toEqual(keys('a', 'b1'));
    expect(channel.subchannels.filter(({ key }) => key === 'unix:b1')).toHaveLength(1);
  });

  test('a middle priority that is needed again, even when a later one is dropped', async () => {
    const channel = await started('a', 'b1', 'c2');
    await channel.become(TRANSIENT_FAILURE, ...keys('a'));
    await channel.become(TRANSIENT_FAILURE, ...keys('b1'));
    await channel.become(READY, ...keys('a', 'b1', 'c2'));
    expect(channel.shares).toEqual({ 0: 1, 1: 0, 2: 0 });
    await channel.pass(10 * MINUTE);
    // From now on the second is needed; the third has been idle for ten minutes.
    await channel.become(IDLE, ...keys('a'));
    await channel.become(TRANSIENT_FAILURE, ...keys('a'));
    expect(channel.shares).toEqual({ 0: 0, 1: 1, 2: 0 });
    await channel.pass(5 * MINUTE);
    expect(channel.used).toEqual(keys('a', 'b1'));
    expect(channel.shares).toEqual({ 0: 0, 1: 1 });
    expect(channel.subchannels.filter(({ key }) => key === 'unix:b1')).toHaveLength(1);
  });
});

describe('failover is reported', () => {
  test('never while the first priority is enough', async () => {
    const channel = await started('a', 'b', 'c1');
    await channel.become(READY, ...keys('a', 'b'));
    await channel.become(IDLE, ...keys('b'));
    await channel.become(TRANSIENT_FAILURE, ...keys('b'));
    expect(failovers(channel)).toEqual([]);
  });

  test('when calls go elsewhere, in part or all, and when they are back', async () => {
    const channel = await started('a', 'b', 'c', 'd', 'e1', 'f1');
    await channel.become(READY, ...keys('a', 'b'));
    await channel.become(TRANSIENT_FAILURE, ...keys('c', 'd'));
    expect(failovers(channel)).toEqual([]);
    await channel.become(TRANSIENT_FAILURE, ...keys('b'));
    // Until the fallback is connected, the first priority carries all calls.
    expect(channel.shares).toEqual({ 0: 1, 1: 0 });
    await channel.become(READY, ...keys('e1'));
    expect(channel.shares).toEqual({ 0: 0.5, 1: 0.5 });
    await channel.become(TRANSIENT_FAILURE, ...keys('a'));
    expect(channel.shares).toEqual({ 0: 0, 1: 1 });
    await channel.become(READY, ...keys('a', 'b', 'c', 'd'));
    expect(failovers(channel)).toEqual([
      [0, 0.5],
      [1, 1],
      // Each restored connection raises the share of priority 0.
      [0, 0.5],
      [0, 1],
    ]);
  });

  test('when the first target no longer lists endpoints and the next one takes over', async () => {
    const channel = await started('a', 'b1');
    await channel.become(READY, ...keys('a'));
    await channel.name(endpoints('b1'));
    await channel.become(READY, ...keys('b1'));
    expect(failovers(channel)).toEqual([[1, 1]]);
    await channel.name(endpoints('a', 'b1'));
    await channel.become(READY, ...keys('a'));
    expect(failovers(channel)).toEqual([
      [1, 1],
      [0, 1],
    ]);
  });
});

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

test('after any sequence of changes the pool holds exactly the connected priorities of the list, in order', async () => {
  const names = ['a', 'b', 'c', 'd1', 'e1', 'f2', 'g2'];
  const subset = fc.subarray(names);
  const step = fc.oneof(
    subset.map((list) => ({ list })),
    fc.record({ state: fc.constantFrom(READY, TRANSIENT_FAILURE, IDLE), of: subset }),
    fc.constantFrom(0, 500, 1000, 15 * MINUTE).map((ms) => ({ ms })),
  );
  await fc.assert(
    fc.asyncProperty(fc.array(step, { maxLength: 25 }), async (steps) => {
      const channel = await started('a', 'd1', 'f2');
      let list = ['a', 'd1', 'f2'];
      for (const each of steps) {
        if ('list' in each) await channel.name(endpoints(...(list = each.list)));
        else if ('ms' in each) await channel.pass(each.ms);
        else {
          // Only legal transitions: CONNECTING to READY or TRANSIENT_FAILURE, READY to IDLE.
          const from = each.state === IDLE ? [READY] : [CONNECTING];
          const able = channel.open.filter(({ key, state }) => keys(...each.of).includes(key) && from.includes(state));
          for (const subchannel of able) subchannel.become(each.state, 'refused');
          await channel.pass(0);
        }
        const priorities = [...new Set(list.map((name) => Number(name.slice(1) || 0)))].toSorted((a, b) => a - b);
        const levels = channel.view.priorities().map(({ priority }) => priority);
        expect(levels).toEqual(priorities.slice(0, levels.length));
        expect(levels.length).toBeGreaterThanOrEqual(Math.min(1, priorities.length));
        const wanted = levels.flatMap((level) => list.filter((name) => Number(name.slice(1) || 0) === level));
        expect(channel.used).toEqual(keys(...wanted));
        // One connection each, and none for removed endpoints.
        expect(channel.open.map(({ key }) => key).toSorted()).toEqual(keys(...wanted).toSorted());
        const shares = Object.values(channel.shares);
        const total = shares.reduce((sum, share) => sum + share, 0);
        const ready = channel.view.endpoints().flatMap(({ state, address }) => (state === 'ready' ? address : []));
        expect(total).toBeCloseTo(ready.length > 0 ? 1 : 0, 9);
        expect(channel.state === READY).toBe(ready.length > 0);
        const picked = ready.slice(0, 5).map(() => {
          const call = channel.pick();
          call.end();
          return call.key;
        });
        expect(ready).toEqual(expect.arrayContaining(picked));
      }
      channel.balancer.destroy();
      await channel.pass(0);
      expect(channel.open).toEqual([]);
      expect(channel.clock.pendingTimers).toBe(0);
    }),
    { seed: Number(process.env['FAST_CHECK_SEED'] ?? 1), numRuns: 200 },
  );
});

describe('an operator', () => {
  const [a, b] = keys('a', 'b');

  test('ejects an endpoint for a time, which a lost connection does not end', async () => {
    const channel = await started('a', 'b');
    await channel.become(READY, ...keys('a', 'b'));
    channel.view.eject(a!, MINUTE, 'by hand');
    await channel.become(IDLE, a!);
    await channel.become(READY, a!);
    expect(stateOf(channel, a!)).toBe('ejected');
    await channel.pass(MINUTE - 1);
    expect(stateOf(channel, a!)).toBe('ejected');
    await channel.pass(1);
    expect(stateOf(channel, a!)).toBe('ready');
    expect(channel.view.restore(a!)).toBe(false);
  });

  test('extends or shortens an ejection by ejecting again', async () => {
    const channel = await started('a', 'b');
    await channel.become(READY, ...keys('a', 'b'));
    channel.view.eject(a!, MINUTE, 'by hand');
    channel.view.eject(a!, 1000, 'by hand');
    await channel.pass(1000);
    expect(stateOf(channel, a!)).toBe('ready');
    await channel.pass(MINUTE);
    expect(stateOf(channel, a!)).toBe('ready');
  });

  test('drains an endpoint until it is restored, whatever lists say', async () => {
    const channel = await started('a', 'b');
    await channel.become(READY, ...keys('a', 'b'));
    expect(channel.view.drain(a!)).toBe(true);
    expect(channel.view.drain(a!)).toBe(false);
    expect([channel.used, channel.view.drained]).toEqual([[b], [a]]);
    await channel.name(endpoints('a', 'b', 'c'));
    expect(channel.used).toEqual(keys('b', 'c'));
    expect(channel.view.restore(a!)).toBe(true);
    expect([channel.used, channel.view.drained]).toEqual([keys('a', 'b', 'c'), []]);
  });

  test('is told why calls fail if only drained endpoints are listed, and may restore one', async () => {
    const channel = await started('a', 'b');
    channel.view.drain(a!);
    await channel.name(endpoints('a'));
    const { status } = channel.picker!.pick({ metadata: undefined as never, extraPickInfo: {} });
    expect(status!.details).toBe(
      'client ORDERS: discovery lists only endpoints that were drained by hand, unix:a; restore one of them',
    );
    channel.view.restore(a!);
    await channel.pass(0);
    await channel.become(READY, a!);
    expect(channel.pick().key).toBe(a);
  });

  test('has drained an address only as long as it is listed: later it is another process', async () => {
    const channel = await started('a', 'b');
    channel.view.drain(a!);
    await channel.name(endpoints('b'));
    await channel.name(endpoints('a', 'b'));
    expect([channel.used, channel.view.drained]).toEqual([keys('a', 'b'), []]);
  });

  test('finds no endpoint at other addresses', async () => {
    const { view } = await started('a');
    const nowhere = 'unix:nowhere';
    expect([view.eject(nowhere, 1, ''), view.drain(nowhere), view.recycle(nowhere), view.restore(nowhere)]).toEqual(
      Array.from({ length: 4 }, () => false),
    );
  });
});
