import { Metadata } from '@grpc/grpc-js';
import { describe, expect, test } from 'vitest';
import { seededRandom } from '../../core/random.js';
import { encodeReport, type OrcaLoadReport, REPORT_KEY as SERVERS_KEY } from '../../server/orca-proto.js';
import { decodeReport, REPORT_KEY, reportIn } from './orca-report.js';

const FULL: OrcaLoadReport = {
  cpu_utilization: 0.25,
  application_utilization: 0.5,
  rps_fractional: 120.5,
  eps: 3,
  utilization: { event_loop: 0.7, disk: 0.1 },
  named_metrics: { in_flight: 12, event_loop_lag_ms: 4.5, größe: 1, toString: 2 },
};

describe('a report', () => {
  test('is what the server has sent', () => {
    expect(decodeReport(encodeReport(FULL))).toEqual({
      cpuUtilization: 0.25,
      applicationUtilization: 0.5,
      rps: 120.5,
      eps: 3,
      namedMetrics: FULL.named_metrics,
    });
  });

  test('also has the memory, and the utilization of other resources', () => {
    const memory = Buffer.alloc(9, 0x11);
    memory.writeDoubleLE(0.75, 1);
    const report = decodeReport(Buffer.concat([encodeReport(FULL), memory]))!;
    expect(report.memUtilization).toBe(0.75);
    expect(report.utilization).toEqual(FULL.utilization);
    expect(decodeReport(Buffer.alloc(0))!.utilization).toEqual({});
  });

  test('with more than 64 named metrics, or of more than 16 KiB, is rejected', () => {
    const metrics = (count: number, name = 'metric') =>
      encodeReport({
        ...FULL,
        named_metrics: Object.fromEntries(Array.from({ length: count }, (_, i) => [`${name}${i}`, i])),
      });
    expect(Object.keys(decodeReport(metrics(64))!.namedMetrics)).toHaveLength(64);
    expect(decodeReport(metrics(65))).toBeUndefined();
    expect(decodeReport(metrics(1, 'm'.repeat(16_000)))).toBeDefined();
    expect(decodeReport(metrics(1, 'm'.repeat(16_400)))).toBeUndefined();
  });

  test('that is too long is not decoded', () => {
    const bytes = Buffer.alloc(4 << 20);
    let looks = 0;
    const watched = new Proxy(bytes, {
      get: (target, key) => {
        if (key !== 'length') looks++;
        return Reflect.get(target, key) as unknown;
      },
    });
    expect(decodeReport(watched)).toBeUndefined();
    expect(looks).toBe(0);
  });

  test('that is empty is all zero', () => {
    expect(decodeReport(Buffer.alloc(0))).toEqual({
      cpuUtilization: 0,
      applicationUtilization: 0,
      rps: 0,
      eps: 0,
      namedMetrics: {},
    });
  });

  test('may have fields of a later version, which are skipped', () => {
    const later = [
      [0x78, 0x96, 0x01], // field 15, varint
      [0x7d, 1, 2, 3, 4], // field 15, 32 bits
      [0x79, 1, 2, 3, 4, 5, 6, 7, 8], // field 15, 64 bits
      [0x7a, 2, 1, 2], // field 15, bytes
      [0x82, 0x7d, 0], // field 2000, bytes
    ];
    const bytes = Buffer.concat([encodeReport(FULL), ...later.map((each) => Buffer.from(each))]);
    expect(decodeReport(bytes)).toEqual(decodeReport(encodeReport(FULL)));
  });

  test.each([NaN, Infinity, -Infinity, -1])('with the value %d is rejected as a whole', (figure) => {
    expect(decodeReport(encodeReport({ ...FULL, cpu_utilization: figure }))).toBeUndefined();
    expect(decodeReport(encodeReport({ ...FULL, eps: figure }))).toBeUndefined();
    expect(decodeReport(encodeReport({ ...FULL, named_metrics: { in_flight: figure } }))).toBeUndefined();
  });

  test('with a metric named like a built-in property pollutes no prototype', () => {
    const report = decodeReport(encodeReport({ ...FULL, named_metrics: JSON.parse('{"__proto__": 5}') as never }));
    expect(Object.keys(report!.namedMetrics)).toEqual(['__proto__']);
    expect({}).not.toHaveProperty('5');
  });
});

describe('a malformed report', () => {
  test('cut anywhere is rejected or yields a shorter report, and never throws', () => {
    const bytes = encodeReport(FULL);
    for (let length = 0; length < bytes.length; length++) {
      const report = decodeReport(bytes.subarray(0, length));
      expect(Object.keys(report?.namedMetrics ?? {}).length).toBeLessThanOrEqual(4);
    }
    expect(decodeReport(bytes.subarray(0, bytes.length - 1))).toBeUndefined();
  });

  test('of random bytes never throws and never yields an invalid value', () => {
    const random = seededRandom(1);
    for (let i = 0; i < 20_000; i++) {
      const bytes = Buffer.from(Array.from({ length: Math.floor(random() * 40) }, () => Math.floor(random() * 256)));
      const report = decodeReport(bytes);
      if (!report) continue;
      const { cpuUtilization, memUtilization = 0, applicationUtilization, rps, eps } = report;
      const maps = [report.namedMetrics, report.utilization!].flatMap((map) => Object.values(map));
      for (const figure of [cpuUtilization, memUtilization, applicationUtilization, rps, eps, ...maps])
        expect(figure >= 0 && figure < Infinity).toBe(true);
    }
  });

  test('with one byte changed never throws', () => {
    const bytes = encodeReport(FULL);
    for (let i = 0; i < bytes.length; i++) {
      for (let value = 0; value < 256; value++) {
        const changed = Buffer.from(bytes);
        changed[i] = value;
        decodeReport(changed);
      }
    }
  });
});

describe('among the trailers', () => {
  test('the report is found where the server puts it', () => {
    expect(REPORT_KEY).toBe(SERVERS_KEY);
    const trailers = new Metadata();
    expect(reportIn(trailers)).toBeUndefined();
    trailers.set(REPORT_KEY, encodeReport(FULL));
    expect(reportIn(trailers)).toMatchObject({ rps: 120.5 });
    trailers.set(REPORT_KEY, encodeReport({ ...FULL, eps: -1 }));
    expect(reportIn(trailers)).toBeNull();
  });
});
