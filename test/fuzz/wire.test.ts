import * as fc from 'fast-check';
import { expect, test, vi } from 'vitest';
import { checkEndpoints } from '../../libs/grpc-lb/src/core/endpoint-check.js';
import { decodeResponse } from '../../libs/grpc-lb/src/discovery/xds/discovery-response.js';
import { type DiscoveryResponse, EDS_TYPE_URL } from '../../libs/grpc-lb/src/discovery/xds/eds-messages.js';
import { type ReadResponse, readResponse } from '../../libs/grpc-lb/src/discovery/xds/read-response.js';
import { methodsIn, servicesIn } from '../../libs/grpc-lb/src/doctor/peer/reflection-messages.js';
import { decodeStatus } from '../../libs/grpc-lb/src/grpc/endpoint/health-messages.js';
import { decodeReport } from '../../libs/grpc-lb/src/grpc/endpoint/orca-report.js';
import { encodeReportRequest } from '../../libs/grpc-lb/src/grpc/endpoint/orca-request.js';
import { encodeReport, OpenRcaService } from '../../libs/grpc-lb/src/server/orca-proto.js';
import { orcaService } from '../../libs/grpc-lb/src/server/orca-service.js';
import { encodeAssignment } from '../support/xds/ads-server.js';
import { assignment } from '../support/xds/resources.js';
import { messageBytes } from './bytes.js';
import { answerOf, fuzz } from './fuzz.js';
import { host } from './texts.js';

const figure = fc.oneof(fc.double({ min: 0, max: 1e6, noNaN: true }), fc.double());
const metrics = fc.dictionary(fc.string(), figure, { maxKeys: 4 });
const reports = fc
  .record({
    cpu_utilization: figure,
    application_utilization: figure,
    rps_fractional: figure,
    eps: figure,
    utilization: metrics,
    named_metrics: metrics,
  })
  .map(encodeReport);

test(
  'a load report yields valid figures or nothing',
  fuzz(messageBytes(reports), (bytes) => {
    const { namedMetrics = {}, memUtilization = 0, ...figures } = decodeReport(bytes) ?? {};
    for (const each of [memUtilization, ...Object.values(figures), ...Object.values(namedMetrics)])
      expect(each).toSatisfy((value: number) => value >= 0 && value < Infinity);
    expect(Object.keys(namedMetrics).length).toBeLessThanOrEqual(bytes.length / 2);
  }),
);

const healths = fc.nat({ max: 5 }).map((status) => Buffer.from([8, status]));

test(
  'an answer of the health service yields nothing, a status name, or an unknown number',
  fuzz(messageBytes(healths), (bytes) => {
    const status: unknown = decodeStatus(bytes);
    if (typeof status !== 'number')
      expect([undefined, 'UNKNOWN', 'SERVING', 'NOT_SERVING', 'SERVICE_UNKNOWN']).toContain(status);
  }),
);

/** A field of wire type 2 with less than 128 bytes. */
const field = (id: number, ...parts: readonly Buffer[]): Buffer => {
  const body = Buffer.concat(parts).subarray(0, 127);
  return Buffer.concat([Buffer.from([(id << 3) | 2, body.length]), body]);
};
const names = fc.array(
  fc.string({ maxLength: 8 }).map((name) => field(1, Buffer.from(name))),
  { maxLength: 4 },
);
const listings = names.map((list) => field(6, ...list.map((name) => field(1, name))));
const descriptions = names.map((methods) => {
  const service = field(6, field(1, Buffer.from('Orders')), ...methods.map((name) => field(2, name)));
  return field(4, field(1, field(2, Buffer.from('shop')), service));
});

test(
  'an answer of reflection yields names or nothing',
  fuzz(messageBytes(fc.oneof(listings, descriptions)), (bytes) => {
    for (const found of [servicesIn(bytes), methodsIn(bytes, 'shop.Orders')])
      if (found) expect(found).toSatisfy((all: unknown[]) => all.every((name) => typeof name === 'string'));
  }),
);

test('a listing and a description are read', () => {
  const name = (text: string): Buffer => field(1, Buffer.from(text));
  expect(servicesIn(field(6, field(1, name('a.B')), field(1, name('c.D'))))).toEqual(['a.B', 'c.D']);
  const service = field(6, name('Orders'), field(2, name('Find')), field(2, name('List')));
  expect(methodsIn(field(4, field(1, field(2, Buffer.from('shop')), service)), 'shop.Orders')).toEqual([
    'Find',
    'List',
  ]);
});

function readAll(response: DiscoveryResponse): ReadResponse {
  const reading = readResponse(response);
  for (;;) {
    const { done, value } = reading.next();
    if (done) return value;
  }
}

const localities = fc.array(
  fc.record({
    zone: fc.string({ maxLength: 4 }),
    weight: fc.nat({ max: 2 ** 32 - 1 }),
    priority: fc.nat({ max: 3 }),
    endpoints: fc.array(fc.record({ host, port: fc.nat({ max: 70_000 }) }), { maxLength: 4 }),
  }),
  { maxLength: 4 },
);
const assignments = fc.tuple(fc.string(), localities).map(([name, list]) => encodeAssignment(assignment(name, list)));

test(
  'each resource of a control plane is used, or rejected with a reason',
  fuzz(fc.array(messageBytes(assignments), { maxLength: 4 }), (values) => {
    const resources = values.map((value) => ({ type_url: EDS_TYPE_URL, value }));
    const {
      assignments: used,
      faulty,
      faults,
    } = readAll({ version_info: '', nonce: '', type_url: EDS_TYPE_URL, resources });
    for (const [name, { endpoints }] of used) {
      expect(checkEndpoints(endpoints).dropped, name).toBe(0);
      expect(faulty.has(name)).toBe(false);
    }
    expect(faults.length === 0).toBe(used.size === values.length);
    expect(faults.join().length).toBeLessThan(20_000);
  }),
);

test(
  'a response of a control plane is read or rejected',
  fuzz(messageBytes(fc.constant(Buffer.from([10, 1, 49]))), (bytes) => {
    const response = answerOf(() => decodeResponse(bytes));
    if (response) readAll(response);
  }),
);

const { requestDeserialize } = OpenRcaService['StreamCoreMetrics']!;

test(
  'an interval for load reports arrives as it was sent',
  fuzz(fc.integer({ min: 1, max: 2 ** 31 - 1 }), (interval) => {
    const { report_interval: sent } = requestDeserialize(encodeReportRequest(interval)) as {
      report_interval: { seconds: number; nanos: number };
    };
    expect(sent.seconds * 1000 + sent.nanos / 1e6).toBeCloseTo(interval, 3);
  }),
);

const intervals = fc.nat({ max: 2 ** 31 - 1 }).map(encodeReportRequest);

test(
  'any requested interval yields an allowed one',
  fuzz(messageBytes(intervals), (bytes) => {
    const request = answerOf(() => requestDeserialize(bytes));
    if (!request) return;
    const asked: number[] = [];
    const spy = vi.spyOn(globalThis, 'setInterval').mockImplementation((_, ms) => {
      asked.push(ms!);
      return { unref: () => undefined } as never;
    });
    try {
      const { StreamCoreMetrics: serve } = orcaService(() => null as never, 100);
      (serve as (call: object) => void)({ request, writableNeedDrain: true, on: () => {} });
    } finally {
      spy.mockRestore();
    }
    expect(asked).toHaveLength(1);
    expect(asked[0]).toSatisfy((ms: number) => ms >= 100 && ms < 2 ** 31);
  }),
);
