import { connectivityState, status } from '@grpc/grpc-js';
import { beforeEach, expect, test } from 'vitest';
import { FakeChannel } from '../../../../test/support/fake-channel.js';
import { QUEUE } from './pick.js';

let channel: FakeChannel;

/** Endpoint a waits for its probe, and there is no other. */
beforeEach(async () => {
  channel = new FakeChannel({ health: { panicThreshold: 0 } });
  await channel.name([{ address: { path: 'a' } }, { address: { path: 'b' } }]);
  await channel.become(connectivityState.READY, 'unix:a', 'unix:b');
  for (let failures = 0; failures < 5;) {
    const call = channel.pick();
    if (call.key === 'unix:a') failures++;
    call.end(call.key === 'unix:a' ? status.UNAVAILABLE : status.OK);
    if (call.key !== 'unix:a') channel.clock.advance(20_000);
  }
  expect(stateOfA()).toBe('ejected');
  await channel.become(connectivityState.TRANSIENT_FAILURE, 'unix:b');
  await channel.pass(20_000);
});

const stateOfA = (): string => channel.balancer.endpoints()[0]!.state;
const pick = () => channel.picker!.pick({ metadata: undefined as never, extraPickInfo: {} });

test('calls that hang on a probe are offered the endpoint when it succeeds', async () => {
  const probe = channel.pick();
  expect(pick()).toBe(QUEUE);
  probe.end();
  expect(stateOfA()).toBe('ready');
  expect(pick().subchannel).not.toBeNull();
});

test('when a probe ends without a verdict, one of the calls that hang on it is the next', async () => {
  const probe = channel.pick();
  const before = channel.picker;
  expect(pick()).toBe(QUEUE);
  probe.end(status.CANCELLED);
  // grpc-js asks for calls that wait whenever there is a new picker.
  expect(channel.picker).not.toBe(before);
  const next = pick();
  expect(next.subchannel).not.toBeNull();
  next.onCallEnded?.(status.OK, '', undefined as never);
  expect(stateOfA()).toBe('ready');
});

test('when a probe is never started, one of the calls that hang on it is the next', async () => {
  pick();
  const before = channel.picker;
  expect(pick()).toBe(QUEUE);
  await channel.pass(1000);
  expect(channel.picker).not.toBe(before);
  expect(pick().subchannel).not.toBeNull();
});
