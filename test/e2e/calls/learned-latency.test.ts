import * as grpc from '@grpc/grpc-js';
import { afterEach, expect, test, vi } from 'vitest';
import { LearnedDelay } from '../../../libs/grpc-lb/src/core/call/learned-delay.js';
import { balanced, call, connected } from '../../support/calls/call.js';
import { answerAll, message, RawPeer } from '../../support/peers/raw-peer.js';
import { expectNoLeaks } from '../../support/run/leaks.js';

expectNoLeaks();
afterEach(() => vi.restoreAllMocks());

const ATTEMPT_TIMEOUT_MS = 250;

/** Makes one call with two attempts, of which those are answered that `answered` names; returns what is learned of it. */
async function learned(
  answered: readonly number[],
  timeout = Infinity,
): Promise<{ code: string; latencies: number[] }> {
  const record = vi.spyOn(LearnedDelay.prototype, 'record');
  let attempts = 0;
  const peers = await Promise.all(
    [1, 2].map(() =>
      new RawPeer((arrived) => {
        if (answered.includes(++attempts)) void answerAll(arrived, { messages: [message('hello')] });
      }).start(),
    ),
  );
  const { client, channel } = balanced(`static:///${peers.map(({ address }) => address).join(',')}`, {
    methods: [{ service: 'echo.v1.Echo', method: 'Say', responseStream: false }],
    loadBalancing: {
      hedge: { maxAttempts: 2, delay: 'p50', methods: { Say: true } },
      retry: { attemptTimeout: ATTEMPT_TIMEOUT_MS },
    },
  });
  await connected(client);
  await expect.poll(() => channel.snapshot().endpoints.map(({ state }) => state)).toEqual(['ready', 'ready']);
  const { code } = await call(client, 'unary', { deadline: Date.now() + timeout });
  return { code: grpc.status[code], latencies: record.mock.calls.map(([latency]) => latency) };
}

test.each([
  ['is answered', [1], 'OK', 0],
  ['is answered after an attempt has timed out', [2], 'OK', ATTEMPT_TIMEOUT_MS],
  ['has no answer in any attempt', [], 'DEADLINE_EXCEEDED', 2 * ATTEMPT_TIMEOUT_MS],
] as const)('one latency is learned of a call that %s', async (_how, answered, code, least) => {
  const { latencies, ...result } = await learned(answered);
  expect(result).toEqual({ code });
  expect(latencies).toEqual([expect.any(Number)]);
  // Timers of Node.js may fire a millisecond early.
  expect(latencies[0]).toBeGreaterThanOrEqual(Math.max(0, least - 2));
});

test('one latency is learned of a call whose deadline passes after an attempt has timed out', async () => {
  const { latencies, ...result } = await learned([], 1.5 * ATTEMPT_TIMEOUT_MS);
  expect(result).toEqual({ code: 'DEADLINE_EXCEEDED' });
  expect(latencies).toEqual([expect.any(Number)]);
});
