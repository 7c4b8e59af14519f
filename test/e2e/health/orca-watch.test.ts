import * as grpc from '@grpc/grpc-js';
import { expect, onTestFinished, test } from 'vitest';
import type { LoadReport } from '../../../libs/grpc-lb/src/core/policy/load-report.js';
import { OrcaWatch } from '../../../libs/grpc-lb/src/grpc/endpoint/orca-watch.js';
import { encodeReportRequest } from '../../../libs/grpc-lb/src/grpc/endpoint/orca-request.js';
import { type OrcaLoadReport, OpenRcaService } from '../../../libs/grpc-lb/src/server/orca-proto.js';
import { FakeClock } from '../../support/time/fake-clock.js';
import { expectNoLeaks } from '../../support/run/leaks.js';
import { Mailbox } from '../../support/run/mailbox.js';
import { startEcho } from '../../support/server/app.js';
import { watchPeer } from '../../support/peers/watch-peer.js';

expectNoLeaks();

interface Request {
  readonly report_interval: { readonly seconds: number; readonly nanos: number } | null;
}
type WatchCall = grpc.ServerWritableStream<Request, Partial<OrcaLoadReport>>;

/** A server that reports by hand; none of the service if it shall not offer it. */
async function startServer(offered = true) {
  const calls = new Mailbox<WatchCall>();
  const server = new grpc.Server();
  if (offered) {
    server.addService(OpenRcaService, {
      StreamCoreMetrics: (call: WatchCall) => {
        call.on('error', () => {});
        calls.put(call);
      },
    });
  }
  const port = await new Promise<number>((resolve, reject) => {
    const insecure = grpc.ServerCredentials.createInsecure();
    server.bindAsync('127.0.0.1:0', insecure, (error, bound) => (error ? reject(error) : resolve(bound)));
  });
  onTestFinished(() => server.forceShutdown());
  return { address: `127.0.0.1:${port}`, calls };
}

/** A watch on a clock of its own. */
async function watchOf(address: string, interval = 1000) {
  const peer = await watchPeer(Number(address.split(':')[1]));
  const clock = new FakeClock();
  const reports = new Mailbox<LoadReport>();
  const changes = new Mailbox<string>();
  const backedOff: string[] = [];
  const watch = new OrcaWatch(peer, interval, clock, () => 0.5, {
    reported: (report) => reports.put(report),
    rejected: () => changes.put('rejected'),
    notOffered: () => changes.put('not offered'),
    backedOff: (reason) => backedOff.push(reason),
    openChanged: () => changes.put(watch.open ? 'open' : 'closed'),
  });
  onTestFinished(() => watch.stop());
  return { watch, clock, reports, changes, backedOff };
}

const failing = (code: grpc.status) => Object.assign(new Error('ill'), { code, details: 'ill' });

test('the interval arrives as a duration', async () => {
  const { address, calls } = await startServer();
  for (const [interval, seconds, nanos] of [
    [100, 0, 100_000_000],
    [10_000, 10, 0],
    [61_500, 61, 500_000_000],
    [600_000, 600, 0],
  ]) {
    const { watch } = await watchOf(address, interval);
    expect((await calls.next()).request.report_interval).toEqual({ seconds, nanos });
    watch.stop();
  }
});

test('the request is as small as protobuf makes it', () => {
  expect(encodeReportRequest(10_000)).toEqual(Buffer.from([0x0a, 0x02, 0x08, 10]));
});

test('every report arrives, and an invalid one is rejected', async () => {
  const { address, calls } = await startServer();
  const { reports, watch, changes } = await watchOf(address);
  const call = await calls.next();
  call.write({ application_utilization: 0.5, rps_fractional: 100, eps: 1, named_metrics: { in_flight: 3 } });
  call.write({ application_utilization: -1 });
  call.write({ cpu_utilization: 0.25, rps_fractional: 7 });
  expect(await reports.next()).toMatchObject({ applicationUtilization: 0.5, rps: 100, eps: 1 });
  expect(await reports.next()).toMatchObject({ cpuUtilization: 0.25, rps: 7 });
  expect(watch.open).toBe(true);
  expect(await changes.next()).toBe('rejected');
});

test('a server without the service is not queried again on the same connection (gRFC A51)', async () => {
  const { address } = await startServer(false);
  const { watch, changes, clock } = await watchOf(address);
  expect(await changes.next()).toBe('not offered');
  expect(await changes.next()).toBe('closed');
  expect(watch.open).toBe(false);
  expect(clock.pendingTimers).toBe(0);
});

test('after an error the stream is reopened with a backoff up to 30 s', async () => {
  const { address, calls } = await startServer();
  const { changes, clock } = await watchOf(address);
  const waits: number[] = [];
  for (let i = 0; i < 10; i++) {
    (await calls.next()).emit('error', failing(grpc.status.INTERNAL));
    expect(await changes.next()).toBe('closed');
    waits.push(Math.round(clock.nextIn!));
    clock.advance(clock.nextIn!);
    expect(await changes.next()).toBe('open');
  }
  expect(waits).toEqual([1000, 1600, 2560, 4096, 6554, 10_486, 16_777, 26_844, 30_000, 30_000]);
});

test('a stream that worked for ten seconds is reopened after the initial backoff, and one that ends sooner with a growing one', async () => {
  const { address, calls } = await startServer();
  const { changes, clock, reports, backedOff } = await watchOf(address);
  for (const [lives, wait] of [
    [10_000, 1000],
    [5000, 1600],
    [5000, 2560],
    [10_000, 1000],
  ] as const) {
    const call = await calls.next();
    call.write({ cpu_utilization: 0.5 });
    await reports.next();
    clock.advance(lives);
    call.end();
    expect(await changes.next()).toBe('closed');
    expect(clock.nextIn).toBe(wait);
    clock.advance(wait);
    expect(await changes.next()).toBe('open');
  }
  expect(backedOff).toEqual(Array(2).fill('the server ended the stream'));
});

test('a flood of reports ends the stream, and sooner if they are large', async () => {
  const { address, calls } = await startServer();
  const { changes, clock, reports, backedOff } = await watchOf(address);
  const flood = async (report: Partial<OrcaLoadReport>, times: number): Promise<void> => {
    const call = await calls.next();
    const cancelled = new Promise((resolve) => call.once('cancelled', resolve));
    for (let i = 0; i < times; i++) call.write(report);
    await cancelled;
    clock.advance(clock.nextIn!);
  };
  await flood({ cpu_utilization: 0.5 }, 5000);
  let read = 0;
  for (; !reports.empty; read++) await reports.next();
  expect(read).toBeLessThanOrEqual(200);
  expect(changes.empty).toBe(false);
  for (; !changes.empty;) await changes.next();
  // 3 MiB are more than 200 messages of 4 KiB.
  await flood({ named_metrics: { ['m'.repeat(3 << 20)]: 1 } }, 1);
  expect(reports.empty).toBe(true);
  expect(backedOff).toHaveLength(2);
});

test('a stopped stream is cancelled at the server, reports nothing more, and leaves no timer', async () => {
  const { address, calls } = await startServer();
  const { watch, clock, reports, changes } = await watchOf(address);
  const call = await calls.next();
  const cancelled = new Promise((resolve) => call.once('cancelled', resolve));
  watch.stop();
  await cancelled;
  expect(reports.empty && changes.empty).toBe(true);
  expect(clock.pendingTimers).toBe(0);
});

test('reports of the server side of this package arrive', async () => {
  const backend = await startEcho({ loadReports: { minInterval: 100 } });
  const { reports } = await watchOf(backend.address, 100);
  for (let i = 0; i < 2; i++) {
    const report = await reports.next();
    expect(report.applicationUtilization).toBeGreaterThanOrEqual(0);
    expect(report.namedMetrics).toMatchObject({ in_flight: 0 });
  }
});
