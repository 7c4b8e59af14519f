import { expect, test } from 'vitest';
import { CALL_DURATION, ReportedDuration } from './reported-duration.js';

function report(duration: number | undefined, rps: number) {
  const namedMetrics: Record<string, number> = duration === undefined ? {} : { [CALL_DURATION]: duration };
  return { cpuUtilization: 0, applicationUtilization: 0, rps, eps: 0, namedMetrics };
}

/** Backends do a hundred calls a second, which take 20 ms, so that two are in flight. */
function usual(): ReportedDuration {
  const reported = new ReportedDuration();
  for (let i = 0; i < 10_000; i++) reported.confirmation(report(20, 100), 1);
  return reported;
}

test('a slow call is confirmed by a backend whose calls take long though it has few of them', () => {
  // The report itself moves the mean by a fiftieth.
  const ratio: unknown = expect.closeTo(200 / (20 + 0.02 * 180), 9);
  expect(usual().confirmation(report(200, 5), 2)).toEqual({ ratio, callsPerSecond: 5 });
});

test.each([
  ['the own call was hardly slower than usual', 200, 5, 1.4],
  ['the calls of others take little longer', 39, 5, 10],
  ['the backend has as many calls in flight as the others, which may explain it', 200, 8, 10],
  ['it does not say how long calls take', undefined, 5, 10],
  ['no call has succeeded there', 0, 5, 10],
  ['what it says is no number', NaN, 5, 10],
  ['it does not say how many calls there are', 200, NaN, 10],
  ['no call has ended there of late, so that it is old', 200, 0, 10],
])('not if %s', (_, duration, rps, ratio) => {
  expect(usual().confirmation(report(duration, rps), ratio)).toBeUndefined();
});

test('one absurd report does not distort the means for long', () => {
  const reported = usual();
  reported.confirmation(report(20, NaN), 1);
  expect(reported.confirmation(report(200, 8), 2)).toBeUndefined();
  reported.confirmation(report(Infinity, Infinity), 2);
  for (let i = 0; i < 1000; i++) reported.confirmation(report(20, 100), 1);
  expect(reported.confirmation(report(200, 5), 2)).toHaveProperty('ratio', expect.closeTo(200 / 23.6, 1));
});
