import { connectivityState } from '@grpc/grpc-js';
import { describe, expect, test } from 'vitest';
import { endpoints, keys, started, stateOf } from '../../../../../test/support/balancing/lettered-channel.js';

const { READY, IDLE } = connectivityState;
const MINUTE = 60_000;

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
