import * as grpc from '@grpc/grpc-js';
import type { FleetBackend } from 'nestjs-grpc-lb/testing';
import { describe, expect, test } from 'vitest';
import type { LoadBalancingOptions } from '../../../libs/grpc-lb/src/core/options/load-balancing.js';
import { seededRandom } from '../../../libs/grpc-lb/src/core/random.js';
import { encodeReport, REPORT_KEY } from '../../../libs/grpc-lb/src/server/orca-proto.js';
import { BalancedClient } from '../../support/echo/balanced-client.js';
import { answerBy, startBackends } from '../../support/echo/backends.js';
import { Echo, type Line, staticTarget } from '../../support/echo/cluster.js';
import { FakeClock } from '../../support/time/fake-clock.js';
import { expectNoLeaks } from '../../support/run/leaks.js';

expectNoLeaks();

/** Policies learn from calls over real sockets, on a clock that only the backends advance by the duration of a call. */

const clock = new FakeClock();
const random = seededRandom(1);
const methods = [
  { service: 'echo.v1.Echo', method: 'Say', responseStream: false },
  { service: 'echo.v1.Echo', method: 'Repeat', responseStream: true },
];
let servers: FleetBackend[] = [];
let client: BalancedClient;

async function start(count: number, loadBalancing: LoadBalancingOptions): Promise<void> {
  servers = await startBackends(count);
  const target = staticTarget(servers);
  client = await new BalancedClient({
    target,
    methods,
    clock,
    random: seededRandom(2),
    loadBalancing: { pool: { pingAfter: 0 }, ...loadBalancing },
  }).ready(count);
}

/** Sets the duration of each backend, with noise: otherwise the seemingly fastest would get all calls. */
function takes(...latencies: number[]): void {
  servers.forEach((server, i) => {
    answerBy(server, () => {
      clock.advance(latencies[i]! * (0.5 + random()));
      return {};
    });
  });
}

/** The share of each backend in this number of sequential calls. */
async function sharesOf(calls: number, say: () => Promise<unknown> = () => client.say()): Promise<number[]> {
  const before = servers.map((server) => server.calls);
  for (let i = 0; i < calls; i++) await say().catch(() => {});
  return servers.map((server, i) => (server.calls - before[i]!) / calls);
}

const chances = (): number[] => client.balanced.explain().endpoints.map(({ chance }) => chance);

describe.each(['adaptive', 'peak_ewma', 'hot_cold'] as const)('%s', (policy) => {
  test('sends less to a slow backend, and as much as before when it is fast again', async () => {
    await start(3, { policy });
    takes(100, 10, 10);
    await sharesOf(100);
    expect((await sharesOf(200))[0]).toBeLessThan(0.05);

    takes(10, 10, 10);
    clock.advance(20_000);
    const shares = await sharesOf(500);
    expect(Math.min(...shares)).toBeGreaterThan(0);
  });

  test('does not prefer a backend that fails at once', async () => {
    await start(3, { policy, ejection: { enabled: false } });
    takes(0, 20, 20);
    servers[0]!.fail('UNAVAILABLE');
    await sharesOf(20);
    expect((await sharesOf(200))[0]).toBeLessThan(0.05);
  });
});

test('what a policy has learned is kept when other options change, and discarded with the policy', async () => {
  await start(2, { policy: 'adaptive' });
  takes(100, 10);
  await sharesOf(20);
  expect(chances()).toEqual([0, 1]);
  client.balanced.configure({ policy: { name: 'adaptive' }, pool: { pingAfter: 0, maxSize: 7 } });
  expect(chances()).toEqual([0, 1]);
  client.balanced.configure({ policy: 'adaptive', methods: { Say: { policy: 'random' } }, pool: { pingAfter: 0 } });
  expect(chances()).toEqual([1 / 2, 1 / 2]);
});

test('the duration of a stream does not count as latency', async () => {
  await start(2, { policy: 'adaptive' });
  takes(10, 10);
  await sharesOf(10);
  // Long enough to forget the differences between the two.
  clock.advance(3_600_000);
  expect(chances()).toEqual([1 / 2, 1 / 2]);
  for (const [i, text] of ['ends', 'is cancelled'].entries()) {
    const stream = client.echo.Repeat({ text, times: i });
    await new Promise<void>((resolve) => {
      stream.once('data', () => {
        clock.advance(100_000);
        if (i === 0) stream.cancel();
      });
      stream.once('error', () => resolve()).once('end', () => resolve());
    });
  }
  expect(client.snapshot.inFlight).toBe(0);
  expect(chances()).toEqual([1 / 2, 1 / 2]);
});

test('a call that the caller abandons marks its backend as slow', async () => {
  await start(2, { policy: 'adaptive' });
  takes(10, 10);
  await sharesOf(10);
  answerBy(servers[0]!, () => {
    clock.advance(5000);
    givenUp?.cancel();
    return new Promise(() => {});
  });
  let givenUp: grpc.ClientUnaryCall | undefined;
  for (let i = 0; i < 20 && chances()[0]! > 0; i++) {
    await client.say('x', { onCall: (call) => (givenUp = call) }).catch(() => {});
  }
  expect(chances()).toEqual([0, 1]);
});

test('the report in the trailers of a call reaches the policy, and a malformed one does no harm', async () => {
  await start(1, { policy: 'round_robin' });
  const reports = [{ in_flight: 1000 }, { in_flight: 1 }, { in_flight: 1 }].map((named_metrics) =>
    encodeReport({
      cpu_utilization: 0,
      application_utilization: 0,
      rps_fractional: 0,
      eps: 0,
      utilization: {},
      named_metrics,
    }),
  );
  const calls = reports.map(() => 0);
  const backends = await Promise.all(
    reports.map(async (report, i) => {
      const server = new grpc.Server();
      server.addService(Echo.service, {
        Say: (_call: grpc.ServerUnaryCall<Line, Line>, done: grpc.sendUnaryData<Line>) => {
          const trailers = new grpc.Metadata();
          trailers.set(REPORT_KEY, calls[i]!++ % 5 === 4 ? Buffer.from([9, 9, 9]) : report);
          clock.advance(5 + 10 * random());
          done(null, { text: '', server: '', times: 0 }, trailers);
        },
      });
      const port = await new Promise<number>((resolve, reject) =>
        server.bindAsync('127.0.0.1:0', grpc.ServerCredentials.createInsecure(), (error, bound) =>
          error ? reject(error) : resolve(bound),
        ),
      );
      return { server, port };
    }),
  );
  const reported = await new BalancedClient({
    target: `static:///${backends.map(({ port }) => `127.0.0.1:${port}`).join(',')}`,
    clock,
    random: seededRandom(2),
    loadBalancing: { policy: { name: 'hot_cold', hotQuantile: 0.5 }, pool: { pingAfter: 0 } },
  }).ready(3);
  try {
    for (let i = 0; i < 200; i++) await reported.say();
    expect(calls.reduce((sum, count) => sum + count, 0)).toBe(200);
    expect(calls[0]).toBeLessThan(20);
    expect(reported.events).toContainEqual(expect.objectContaining({ type: 'load_report_rejected', total: 1 }));
  } finally {
    reported.close();
    for (const { server } of backends) server.forceShutdown();
  }
});

test('a method may have its own policy, which learns only from its calls', async () => {
  await start(3, { policy: 'round_robin', methods: { Look: { policy: 'pick_first' }, Say: { policy: 'adaptive' } } });
  const mirror = client.mirror as unknown as {
    Look(line: object, done: (error: Error | null, line: Line) => void): void;
  };
  const look = (): Promise<Line> =>
    new Promise((resolve, reject) => mirror.Look({}, (error, line) => (error ? reject(error) : resolve(line))));
  takes(300, 300, 10);
  expect(await sharesOf(20, look)).toEqual([1, 0, 0]);
  await sharesOf(20);
  expect((await sharesOf(50))[2]).toBe(1);
  expect(await sharesOf(20, look)).toEqual([1, 0, 0]);
  // What explain() shows is the policy of the others.
  expect(client.balanced.explain().rule).toContain('round_robin');
});
