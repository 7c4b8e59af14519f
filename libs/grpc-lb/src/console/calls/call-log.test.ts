import { expect, test } from 'vitest';
import { CallLog } from './call-log.js';
import type { CallRecord } from './call-record.js';

const call = (id: number, durationMs = 1): CallRecord => ({
  id,
  method: '/a/B',
  time: 0,
  durationMs,
  end: { status: 'OK', details: '', origin: 'remote' },
  dropped: false,
  attempts: [],
});

function addSlow(log: CallLog, id: number, durationMs: number, now: number): void {
  if (log.isSlow(durationMs, now)) log.addSlow(call(id, durationMs));
}

test('the last twenty failed calls are kept, the latest first', () => {
  const log = new CallLog();
  for (let id = 1; id <= 100; id++) log.addFailed(call(id));
  expect(log.failed.map(({ id }) => id)).toEqual(Array.from({ length: 20 }, (_, i) => 100 - i));
});

test('the ten slowest of the last minute are kept, and older ones are forgotten', () => {
  const log = new CallLog();
  for (let id = 1; id <= 1000; id++) addSlow(log, id, (id * 7919) % 1000, 0);
  expect(log.slow(0).map(({ durationMs }) => durationMs)).toEqual([999, 998, 997, 996, 995, 994, 993, 992, 991, 990]);
  addSlow(log, 2000, 500, 31_000);
  expect(log.slow(31_000)[0]).toMatchObject({ durationMs: 999 });
  expect(log.slow(62_000)).toMatchObject([{ durationMs: 500 }]);
  expect(log.slow(200_000)).toEqual([]);
});
