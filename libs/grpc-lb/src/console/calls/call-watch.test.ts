import { Metadata, status } from '@grpc/grpc-js';
import { expect, test } from 'vitest';
import type { EndOrigin, ObservedEnd } from '../../grpc/call/call-observer.js';
import { CallWatch } from './call-watch.js';

const end = (code = status.OK, origin: EndOrigin = 'remote', details = ''): ObservedEnd => ({
  code,
  details,
  origin,
  metadata: new Metadata(),
});

function watched(stream = false) {
  const clock = { time: 1000, now: () => clock.time };
  const watch = new CallWatch(clock, 1000);
  watch.byEndpoint = true;
  const call = watch.callStarted({
    client: 'A',
    target: 'static:///a:1',
    method: '/a/B',
    declared: true,
    stream,
    setHeader: () => {},
  })!;
  const attempt = (number: number, address: string, startedAt: number): void => {
    clock.time = startedAt;
    call.attemptStarted!({ number, address, kind: number === 1 ? 'first' : 'retry', waited: 0, waitedFor: undefined });
  };
  return { clock, watch, call, attempt, calls: watch.of('A') };
}

test('a failed call is recorded with the course of its attempts', () => {
  const { clock, call, attempt, calls, watch } = watched();
  attempt(1, 'a:1', 1005);
  clock.time = 1010;
  call.attemptEnded!(1, end(status.UNAVAILABLE, 'remote', 'first\nfault'));
  attempt(2, 'b:1', 1012);
  clock.time = 1020;
  call.attemptEnded!(2, end(status.UNAVAILABLE));
  call.ended!(end(status.UNAVAILABLE, 'remote', 'first\nfault'));
  expect(calls.log.failed).toMatchObject([
    {
      method: '/a/B',
      durationMs: 20,
      end: { status: 'UNAVAILABLE', details: 'first\\nfault', origin: 'remote' },
      attempts: [
        { number: 1, kind: 'first', address: 'a:1', startedMs: 5, endedMs: 10 },
        { number: 2, kind: 'retry', address: 'b:1', startedMs: 12, endedMs: 20 },
      ],
    },
  ]);
  expect(watch.endpoint('A', 'a:1', 0)).toEqual({ calls: 1, failed: 1, p50: null, p99: null });
  expect(calls.latencies.view(0)).toMatchObject({ calls: 1, failed: 1 });
});

test('latencies of endpoints are those of attempts that the endpoint ended', () => {
  const { clock, call, attempt, watch, calls } = watched();
  attempt(1, 'a:1', 1000);
  attempt(2, 'b:1', 1010);
  clock.time = 1030;
  call.attemptEnded!(2, end());
  // The hedge was faster, so this side has ended the other one.
  call.attemptEnded!(1, end(status.CANCELLED, 'local'));
  call.ended!(end());
  expect(watch.endpoint('A', 'a:1', 0)).toBeUndefined();
  expect(watch.endpoint('A', 'b:1', 0)).toMatchObject({ calls: 1, p50: 20 });
  expect(calls.log.slow(1030)).toMatchObject([{ durationMs: 30 }]);
  watch.retain('A', new Set(['a:1']));
  expect(calls.byAddress.size).toBe(0);
});

test('a call that its caller has cancelled neither fails nor succeeds', () => {
  const { call, calls } = watched();
  call.ended!(end(status.CANCELLED, 'local'));
  expect(calls.latencies.view(0).calls).toBe(0);
  expect(calls.log.failed).toEqual([]);
});

test('a stream is not slow because it stays open', () => {
  const { clock, call, attempt, calls, watch } = watched(true);
  attempt(1, 'a:1', 1000);
  clock.time = 500_000;
  call.attemptEnded!(1, end());
  call.ended!(end());
  expect(calls.log.slow(500_000)).toEqual([]);
  expect(calls.latencies.view(0).calls).toBe(0);
  expect(watch.endpoint('A', 'a:1', 0)).toBeUndefined();
});

test('a call with very many attempts is recorded with the first ones', () => {
  const { call, attempt, calls } = watched();
  for (let number = 1; number <= 100; number++) attempt(number, 'a:1', 1000 + number);
  call.ended!(end(status.UNAVAILABLE));
  expect(calls.log.failed[0]!.attempts).toHaveLength(8);
});
