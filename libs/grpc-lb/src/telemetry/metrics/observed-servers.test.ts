import { expect, test } from 'vitest';
import type { ObservedServer } from '../../server/server-observer.js';
import { ObservedServers } from './observed-servers.js';
import type { ServerTlsMetricName } from './server-metrics.js';

function serverWith(rotations: number, handshakes: Readonly<Record<string, number>>): ObservedServer {
  const tls = {
    state: 'ok',
    expiresInMs: 1000 * rotations,
    rotations,
    rejections: 0,
    refusedHandshakes: 0,
    handshakes,
  };
  return { tls: () => tls as never };
}

test('the counters of several servers do not fall when one of them goes', () => {
  const servers = new ObservedServers();
  const valuesOf = (metric: ServerTlsMetricName): unknown =>
    Array.from(servers.samples(metric), ({ labels, value }) => [...Object.values(labels), value]);
  const all = (): unknown => [
    valuesOf('grpc.lb.server.tls.rotations'),
    valuesOf('grpc.server.tls.handshakes'),
    valuesOf('grpc.lb.server.tls.certificate.time_left'),
  ];
  const stay = servers.add(serverWith(3, { SUCCESS: 5 }));
  const left = serverWith(2, { SUCCESS: 7, CERTIFICATE_EXPIRED: 1 });
  const go = servers.add(left);
  const successes = ['SUCCESS', 12];
  expect(all()).toEqual([[[5]], [successes, ['CERTIFICATE_EXPIRED', 1]], [[2]]]);
  go();
  go();
  // What no server has any more ends, and gauges are of those that are there.
  expect(all()).toEqual([[[5]], [successes], [[3]]]);
  expect(all()).toEqual([[[5]], [successes], [[3]]]);
  // Twice the same one.
  servers.add(left)();
  servers.add(left)();
  expect(all()).toEqual([[[5]], [successes], [[3]]]);
  stay();
  expect(all()).toEqual([[], [], []]);
  servers.add(serverWith(1, {}));
  expect(all()).toEqual([[[1]], [], [[1]]]);
});
