import { connectivityState, status } from '@grpc/grpc-js';
import { beforeEach, expect, test } from 'vitest';
import { FakeChannel } from '../../../../../test/support/peers/fake-channel.js';
import { QUEUE } from './complete-pick.js';

type FakeCall = ReturnType<FakeChannel['pick']>;

let channel: FakeChannel;

/** Endpoint a waits for its probe; b has no connection. */
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

const stateOfA = (): string => channel.view.endpoints()[0]!.state;
const pick = (extraPickInfo: Record<string, string> = {}) =>
  channel.picker!.pick({ metadata: undefined as never, extraPickInfo });

test('calls that wait for a probe get the endpoint when it succeeds', async () => {
  const probe = channel.pick();
  expect(pick()).toBe(QUEUE);
  probe.end();
  expect(stateOfA()).toBe('ready');
  expect(pick().subchannel).not.toBeNull();
});

test('when a probe ends without a verdict, one of the calls that wait for it is the next probe', async () => {
  const probe = channel.pick();
  const before = channel.picker;
  expect(pick()).toBe(QUEUE);
  probe.end(status.CANCELLED, 'Cancelled on client');
  expect(stateOfA()).toBe('ejected');
  // grpc-js picks again for queued calls whenever there is a new picker.
  expect(channel.picker).not.toBe(before);
  const next = pick();
  expect(next.subchannel).not.toBeNull();
  next.onCallEnded?.(status.OK, '', undefined as never);
  expect(stateOfA()).toBe('ready');
});

test('a probe that the server cancels counts as answered', () => {
  channel.pick().end(status.CANCELLED, 'not now');
  expect(stateOfA()).toBe('ready');
});

test('when a probe never starts, one of the calls that wait for it is the next probe', async () => {
  pick();
  const before = channel.picker;
  expect(pick()).toBe(QUEUE);
  await channel.pass(1000);
  expect(channel.picker).not.toBe(before);
  expect(pick().subchannel).not.toBeNull();
});

/** Calls in flight at a; those that were picked for b have ended. */
function callsToA(count: number): FakeCall[] {
  const calls: FakeCall[] = [];
  const others: FakeCall[] = [];
  while (calls.length < count) {
    const call = channel.pick();
    (call.key === 'unix:a' ? calls : others).push(call);
  }
  for (const call of others) call.end();
  return calls;
}

/** Endpoint a is no longer ejected, and b is connected, so that a may be ejected again. */
async function bothAreBack(): Promise<void> {
  channel.pick().end();
  await channel.become(connectivityState.READY, 'unix:b');
  await channel.pass(20_000);
}

test('calls made before the ejection do not count after it, however late they end', async () => {
  await bothAreBack();
  const [hung, failing] = [callsToA(20), callsToA(5)];
  for (const call of failing) call.end(status.UNAVAILABLE);
  expect(stateOfA()).toBe('ejected');
  await channel.pass(40_000);
  const [probe] = callsToA(1);
  probe!.end();
  expect(stateOfA()).toBe('ready');
  for (const call of hung) call.end(status.DEADLINE_EXCEEDED);
  expect(stateOfA()).toBe('ready');
  expect(channel.view.endpoints()[0]!.failureRate).toBe(0);
});

test('an endpoint that lost its connections starts over when it is back: earlier failures do not count', async () => {
  await bothAreBack();
  for (const call of callsToA(4)) call.end(status.UNAVAILABLE);
  await channel.become(connectivityState.IDLE, 'unix:a');
  expect(channel.view.endpoints()[0]!.failureRate).toBe(0);
  await channel.pass(20_000);
  await channel.become(connectivityState.READY, 'unix:a');
  await channel.pass(20_000);
  const calls = callsToA(5);
  for (const call of calls.slice(0, 4)) call.end(status.UNAVAILABLE);
  expect(stateOfA()).toBe('ready');
  calls[4]!.end(status.UNAVAILABLE);
  expect(stateOfA()).toBe('ejected');
});

test('a failing endpoint that may not be ejected gets no calls once it has reached the ejection threshold', async () => {
  channel = new FakeChannel({ ejection: { maxEjectionPercent: 0 } });
  await channel.name([{ address: { path: 'a' } }, { address: { path: 'b' } }]);
  await channel.become(connectivityState.READY, 'unix:a', 'unix:b');
  for (const call of callsToA(5)) call.end(status.UNAVAILABLE);
  expect(stateOfA()).toBe('ready');
  // Before that its failure factor is at most 2, and it would get the third call.
  expect(Array.from({ length: 8 }, () => channel.pick().key)).toEqual(Array.from({ length: 8 }, () => 'unix:b'));
});
