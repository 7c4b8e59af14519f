import { expect, test } from 'vitest';
import { attemptTimeoutText, type CallCourse, deadlineText } from './deadline-text.js';

const START = 1_000_000;

type Given = Partial<CallCourse['times'] & Omit<CallCourse, 'times'>>;

function text({ startedAt = START, attemptAt = START, sentAt, ...given }: Given): string {
  const course: CallCourse = {
    times: { startedAt, attemptAt, sentAt },
    resolvedAt: START - 5000,
    previousAttempts: 0,
    waitForReady: false,
    peer: undefined,
    ...given,
  };
  return deadlineText(course, START + 1500);
}

test.each<[string, Given, string]>([
  ['discovery has not answered', { resolvedAt: undefined }, 'waiting for name resolution'],
  [
    'it waited for discovery, then for an endpoint',
    { resolvedAt: START + 200 },
    'name resolution: 0.200s,Waiting for LB pick',
  ],
  ['it waits for an endpoint', {}, 'Waiting for LB pick'],
  ['it waits for ready', { waitForReady: true }, 'wait_for_ready,Waiting for LB pick'],
  ['it was sent at once', { sentAt: START, peer: '10.0.0.1:50051' }, 'remote_addr=10.0.0.1:50051'],
  [
    'it was sent at once, and would have waited',
    { sentAt: START, waitForReady: true, peer: '10.0.0.1:50051' },
    'remote_addr=10.0.0.1:50051',
  ],
  [
    'it waited before it was sent',
    { sentAt: START + 300, waitForReady: true, peer: '10.0.0.1:50051' },
    'wait_for_ready,LB pick: 0.300s,remote_addr=10.0.0.1:50051',
  ],
  [
    'the wait for discovery is none for an endpoint',
    { resolvedAt: START + 200, sentAt: START + 300, peer: 'a' },
    'name resolution: 0.200s,LB pick: 0.100s,remote_addr=a',
  ],
  [
    'the third attempt waits',
    { attemptAt: START + 900, previousAttempts: 2 },
    'previous attempts: 2,time to current attempt start: 0.900s,Waiting for LB pick',
  ],
  [
    'the second attempt was sent',
    { attemptAt: START + 900, previousAttempts: 1, sentAt: START + 950, peer: 'b' },
    'previous attempts: 1,time to current attempt start: 0.900s,LB pick: 0.050s,remote_addr=b',
  ],
])('%s', (_, times, expected) => {
  expect(text(times)).toBe(`Deadline exceeded after 1.500s,${expected}`);
});

test('an attempt that timed out names the client, and a time that looks like seconds is explained', () => {
  const within = (ms: number): string => attemptTimeoutText('ORDERS', '10.0.0.7:50051', ms);
  expect(within(500)).toBe(
    'client ORDERS: attempt timed out: no response from 10.0.0.7:50051 within 500 ms (retry.attemptTimeout)',
  );
  expect(within(1)).toBe(
    'client ORDERS: attempt timed out: no response from 10.0.0.7:50051 within 1 ms (retry.attemptTimeout); times are in milliseconds, as in { attemptTimeout: 1000 } for 1 s',
  );
});
