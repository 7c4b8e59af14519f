import { connectivityState } from '@grpc/grpc-js';
import * as fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { endpoints, keys, started } from '../../../../../test/support/balancing/lettered-channel.js';
import type { FakeChannel } from '../../../../../test/support/peers/fake-channel.js';

const { READY, TRANSIENT_FAILURE, IDLE, CONNECTING } = connectivityState;
const MINUTE = 60_000;

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
