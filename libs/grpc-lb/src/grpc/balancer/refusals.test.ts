import { connectivityState, Metadata, status } from '@grpc/grpc-js';
import { beforeEach, expect, test } from 'vitest';
import { FakeChannel } from '../../../../../test/support/peers/fake-channel.js';

let channel: FakeChannel;

/** Two endpoints whose calls take five seconds. */
beforeEach(async () => {
  channel = new FakeChannel({ policy: 'least_request' });
  await channel.name([{ address: { path: 'a' } }, { address: { path: 'b' } }]);
  await channel.become(connectivityState.READY, 'unix:a', 'unix:b');
  for (let i = 0; i < 10; i++) {
    const calls = [channel.pick(), channel.pick()];
    channel.clock.advance(5000);
    for (const call of calls) call.end();
  }
});

/** Ends the next calls to a at once. */
function endAtA(count: number, code: status, details: string, trailers?: Metadata): void {
  let left = count;
  for (let calls = 0; left > 0 && calls < 1000; calls++) {
    const call = channel.pick();
    if (call.key === 'unix:a') left--;
    if (call.key === 'unix:a') call.end(code, details, trailers);
    else call.end();
  }
  expect(left).toBe(0);
}

const chances = (): number[] => channel.view.explain().map(([, chance]) => chance);

test('a refusal counts as load for the rest of the usual duration of a call', () => {
  endAtA(1, status.UNIMPLEMENTED, 'no such method');
  expect(chances()).toEqual([0, 1]);
  channel.clock.advance(4900);
  expect(chances()).toEqual([0, 1]);
  channel.clock.advance(200);
  expect(chances()).toEqual([0.5, 0.5]);
});

test.each(['Cancelled on client', 'Discarded in favor of other hedged attempt'])(
  'a call that the client cancels does not (%s)',
  (details) => {
    endAtA(20, status.CANCELLED, details);
    expect(chances()).toEqual([0.5, 0.5]);
  },
);

test('an endpoint that leaves while its refusals still count is removed at once', async () => {
  endAtA(1, status.UNIMPLEMENTED, 'no such method');
  expect(channel.view.inFlight).toBe(0);
  await channel.name([{ address: { path: 'b' } }]);
  expect(channel.view.endpoints().map(({ address }) => address)).toEqual(['unix:b']);
});

test('refusals stop counting as load when the balancer is destroyed, and late answers add none', () => {
  endAtA(1, status.UNIMPLEMENTED, 'no such method');
  const late = channel.pick();
  channel.balancer.destroy();
  late.end(status.UNIMPLEMENTED, 'no such method');
  expect(channel.clock.pendingTimers).toBe(0);
});

const shed = new Metadata();
shed.set('grpc-lb-shed', 'event_loop_delay');

test.each([
  ['is too large for this side', status.RESOURCE_EXHAUSTED, 'Received message larger than max (5 vs 4)', undefined],
  ['is shed', status.UNAVAILABLE, 'too much to do', shed],
  ['is refused by an endpoint that serves others', status.UNAVAILABLE, 'Stream refused by server', undefined],
] as const)('a call that %s is no failure of the endpoint', (_, code, details, trailers) => {
  endAtA(1, code, details, trailers);
  const [a] = channel.view.endpoints();
  expect(a).toMatchObject({ state: 'ready', failureRate: 0, failed: 1 });
});

test('an endpoint that refuses everything for longer than five seconds fails', () => {
  channel.clock.advance(5001);
  endAtA(1, status.UNAVAILABLE, 'Stream refused by server');
  expect(channel.view.endpoints()[0]!.failureRate).toBeGreaterThan(0);
});
