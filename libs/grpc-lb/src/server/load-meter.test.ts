import { expect, test } from 'vitest';
import { LoadMeter, type LoadReading } from './load-meter.js';
import { availableCpus } from './load-probe.js';

const NOTHING = { inFlight: 0, eventLoopLagNow: 0, failuresInARow: 0, idleTime: 0, callDuration: 0 };
const ZERO: LoadReading = { at: 0, cpu: 0, active: 0, calls: 0, errors: 0 };

test('load covers the window, as shares and rates', () => {
  const meter = new LoadMeter(1000, 2);
  meter.add(ZERO, 0);
  meter.add({ at: 1000, cpu: 1500, active: 600, calls: 300, errors: 30 }, 7);
  expect(meter.load({ inFlight: 4, eventLoopLagNow: 3, failuresInARow: 6, idleTime: 5, callDuration: 12 })).toEqual({
    cpuUtilization: 0.75,
    eventLoopUtilization: 0.6,
    eventLoopLag: 7,
    eventLoopLagNow: 3,
    callsPerSecond: 300,
    errorsPerSecond: 30,
    shedPerSecond: 0,
    inFlight: 4,
    failuresInARow: 6,
    idleTime: 5,
    callDuration: 12,
  });
});

test('values older than the window are forgotten, even a long lag', () => {
  const meter = new LoadMeter(1000, 1);
  for (let at = 0; at <= 3000; at += 100) {
    const burst = Math.min(at, 1000);
    meter.add({ at, cpu: burst, active: burst, calls: burst, errors: 0 }, at === 500 ? 99 : 1);
    const load = meter.load(NOTHING);
    expect(load.eventLoopLag).toBe(at >= 500 && at < 1500 ? 99 : at === 0 ? 0 : 1);
    const busy = Math.max(0, Math.min(at, 1000) - Math.max(0, at - 1000)) / Math.min(1000, at || 1);
    expect(load).toMatchObject({ cpuUtilization: busy, eventLoopUtilization: busy, callsPerSecond: 1000 * busy });
  }
});

test('a server that has just started reports no load', () => {
  const meter = new LoadMeter(1000, 1);
  expect(Object.values(meter.load(NOTHING)).every((value) => value === 0)).toBe(true);
  meter.add({ ...ZERO, calls: 5 }, 0);
  expect(meter.load(NOTHING).callsPerSecond).toBe(0);
});

test('the CPU quota of a container limits the CPUs, and may be a fraction', () => {
  const all = availableCpus('max 100000');
  expect(all).toBeGreaterThanOrEqual(1);
  expect(availableCpus('50000 100000')).toBe(0.5);
  expect(availableCpus('100000000 100000')).toBe(all);
  expect(availableCpus('')).toBe(all);
});
