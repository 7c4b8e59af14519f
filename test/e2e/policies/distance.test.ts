import { expect, test } from 'vitest';
import { seededRandom } from '../../../libs/grpc-lb/src/core/random.js';
import { BalancedClient } from '../../support/echo/balanced-client.js';
import { answerBy, startBackends } from '../../support/echo/backends.js';
import { TcpProxy } from '../../support/peers/tcp-proxy.js';
import { expectNoLeaks } from '../../support/run/leaks.js';
import { FakeClock } from '../../support/time/fake-clock.js';

expectNoLeaks();

const CALLS = 1000;

/**
 * The share of the nearer of two idle backends, over real sockets: all bytes that the other sends pass a proxy that takes
 * a millisecond. Time passes only there and in the backends.
 */
async function shareOfNearer(policy: 'adaptive' | 'peak_ewma'): Promise<number> {
  const clock = new FakeClock();
  const random = seededRandom(5);
  const [near, far] = await startBackends(2);
  for (const server of [near!, far!]) {
    answerBy(server, () => {
      clock.advance(0.7 - 0.7 * Math.log(1 - random()));
      return {};
    });
  }
  const proxy = await new TcpProxy(far!.address, () => clock.advance(1)).start();
  const client = await new BalancedClient({
    target: `static:///${near!.address},${proxy.address}`,
    methods: [{ service: 'echo.v1.Echo', method: 'Say', responseStream: false }],
    clock,
    random: seededRandom(4),
    loadBalancing: { policy, pool: { pingAfter: 0 } },
  }).ready(2);
  for (let i = 0; i < CALLS; i++) await client.say();
  client.close();
  return near!.calls / CALLS;
}

test('a replica that is a millisecond nearer gets at most half again as many quick calls as the mean', async () => {
  expect(await shareOfNearer('adaptive')).toBeLessThan(1.5 / 2);
});

test('where only the latency counts, it gets nearly all', async () => {
  expect(await shareOfNearer('peak_ewma')).toBeGreaterThan(0.8);
});
