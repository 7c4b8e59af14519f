import { expect, test } from 'vitest';
import type { ServerLoad } from './load-meter.js';
import { orcaReport } from './orca-proto.js';

const LOAD: ServerLoad = {
  cpuUtilization: 0.5,
  eventLoopUtilization: 0.8,
  eventLoopLag: 3,
  eventLoopLagNow: 1,
  callsPerSecond: 100,
  errorsPerSecond: 2,
  shedPerSecond: 0,
  inFlight: 4,
  failuresInARow: 0,
  idleTime: 0,
  callDuration: 12,
};

test('without a limit the utilization is that of the event loop', () => {
  const report = orcaReport(LOAD);
  expect(report.application_utilization).toBe(0.8);
  expect(report.utilization).toEqual({ event_loop: 0.8 });
  expect(report.named_metrics).not.toHaveProperty('shed_per_second');
});

test('says how long the last calls took, once there are any', () => {
  expect(orcaReport(LOAD).named_metrics['call_duration_ms']).toBe(12);
  expect(orcaReport({ ...LOAD, callDuration: 0 }).named_metrics).not.toHaveProperty('call_duration_ms');
});

test('under a limit it is the share of the limit in use, if that is more, before anything is shed', () => {
  const report = orcaReport({ ...LOAD, eventLoopUtilization: 0.1 }, 0.9);
  expect(report.application_utilization).toBe(0.9);
  expect(report.utilization).toEqual({ event_loop: 0.1, concurrency: 0.9 });
});

test('a server that sheds is asked for more than it can do', () => {
  const report = orcaReport({ ...LOAD, eventLoopUtilization: 1, shedPerSecond: 200 }, 1.5);
  expect(report.application_utilization).toBe(3);
  expect(report.named_metrics['shed_per_second']).toBe(200);
  expect([report.rps_fractional, report.eps]).toEqual([100, 2]);
});
