import { connectivityState } from '@grpc/grpc-js';
import { expect, test } from 'vitest';
import { FakeChannel } from '../../../../../test/support/peers/fake-channel.js';

test('an endpoint that reconnects reports why until it is ready', async () => {
  const channel = new FakeChannel();
  await channel.name([{ address: { path: 'a' } }]);
  const told = (): unknown => {
    const { state, reason } = channel.view.endpoints()[0]!;
    return { state, reason };
  };
  expect(told()).toEqual({ state: 'connecting', reason: null });
  await channel.become(connectivityState.READY, 'unix:a');
  expect(told()).toEqual({ state: 'ready', reason: null });
  await channel.become(connectivityState.IDLE, 'unix:a');
  expect(told()).toEqual({ state: 'connecting', reason: 'the connection was lost' });
  await channel.become(connectivityState.TRANSIENT_FAILURE, 'unix:a');
  expect(told()).toEqual({ state: 'transient_failure', reason: 'refused' });
  await channel.pass(10_000);
  await channel.become(connectivityState.READY, 'unix:a');
  expect(told()).toEqual({ state: 'ready', reason: null });
});

test('an aged connection gets another replacement if the first is lost before it serves', async () => {
  const channel = new FakeChannel({ pool: { maxConnectionAge: 60_000 } });
  await channel.name([{ address: { path: 'a' } }]);
  await channel.become(connectivityState.READY, 'unix:a');
  await channel.pass(66_000);
  expect(channel.open).toHaveLength(2);
  const [old, replacement] = channel.open;
  replacement!.become(connectivityState.READY);
  replacement!.become(connectivityState.IDLE);
  await channel.pass(2000);
  const another = channel.open.find((subchannel) => subchannel !== old && subchannel !== replacement);
  another!.become(connectivityState.READY);
  await channel.pass(0);
  expect(channel.open).toEqual([another]);
});

test('options that change while an aged connection is being replaced leave the replacement alone', async () => {
  const channel = new FakeChannel({ pool: { maxConnectionAge: 60_000, maxSize: 1 } });
  await channel.name([{ address: { path: 'a' } }]);
  await channel.become(connectivityState.READY, 'unix:a');
  await channel.pass(66_000);
  const [old, replacement] = channel.open;
  channel.view.reconfigure();
  expect(channel.open).toEqual([old, replacement]);
  replacement!.become(connectivityState.READY);
  await channel.pass(0);
  expect(channel.open).toEqual([replacement]);
});

test('a connection that is aged and beyond a lower maxSize goes, and its replacement with it', async () => {
  const pool = { maxConnectionAge: 60_000, size: 2, maxSize: 2 };
  const channel = new FakeChannel({ pool });
  await channel.name([{ address: { path: 'a' } }]);
  await channel.become(connectivityState.READY, 'unix:a');
  await channel.pass(66_000);
  expect(channel.open).toHaveLength(4);
  channel.context.loadBalancing = {
    ...channel.context.loadBalancing,
    pool: { ...channel.context.loadBalancing.pool, size: 1, maxSize: 1 },
  };
  channel.view.reconfigure();
  await channel.become(connectivityState.READY, 'unix:a');
  await channel.pass(0);
  expect(channel.open).toHaveLength(1);
});

test('options that change at run time hold for the connections of an endpoint that drains, too', async () => {
  const channel = new FakeChannel();
  const list = ['a', 'b'].map((path) => ({ address: { path } }));
  await channel.name(list);
  await channel.become(connectivityState.READY, 'unix:a', 'unix:b');
  const { key } = channel.pick();
  await channel.name(list.filter(({ address }) => `unix:${address.path}` !== key));
  channel.context.loadBalancing = {
    ...channel.context.loadBalancing,
    pool: { ...channel.context.loadBalancing.pool, maxConcurrentStreams: 7 },
  };
  channel.view.reconfigure();
  const limits = channel.view
    .endpoints()
    .map(({ state, connections }) => [state, connections[0]!.maxConcurrentStreams]);
  expect(limits).toEqual([
    ['ready', 7],
    ['draining', 7],
  ]);
  expect(channel.open).toHaveLength(2);
});

test('a shorter idle timeout counts from when an extra connection became idle', async () => {
  const pool = { maxConcurrentStreams: 1, maxSize: 2, idleTimeout: 60_000 };
  const channel = new FakeChannel({ pool });
  await channel.name([{ address: { path: 'a' } }]);
  await channel.become(connectivityState.READY, 'unix:a');
  const first = channel.pick();
  channel.picker!.pick({ metadata: undefined as never, extraPickInfo: {} });
  await channel.pass(0);
  channel.open[1]!.become(connectivityState.READY);
  await channel.pass(0);
  const second = channel.pick();
  expect(channel.open).toHaveLength(2);
  first.end();
  second.end();
  await channel.pass(30_000);
  channel.context.loadBalancing = {
    ...channel.context.loadBalancing,
    pool: { ...channel.context.loadBalancing.pool, idleTimeout: 30_000 },
  };
  channel.view.reconfigure();
  await channel.pass(0);
  expect(channel.open).toHaveLength(1);
});
