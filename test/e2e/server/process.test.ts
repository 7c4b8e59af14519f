import { credentials, type ServiceError, status } from '@grpc/grpc-js';
import { expect, test } from 'vitest';
import { HealthWatch } from '../../support/peers/health-watch.js';
import { expectNoLeaks } from '../../support/run/leaks.js';
import { echoClient, say } from '../../support/server/app.js';
import { serverProcesses } from '../../support/server/processes.js';
import { SteadyLoad } from '../../support/echo/steady-load.js';

expectNoLeaks();

const startProcess = serverProcesses(100);

test('SIGTERM drains: watchers are notified, streams move, no call is lost, and the process ends by the signal', async () => {
  const processes = await Promise.all([startProcess(), startProcess()]);
  const addresses = processes.map(({ address }) => address);
  const first = processes[0].child;
  const client = echoClient(addresses, credentials.createInsecure(), {
    'grpc.service_config': '{"loadBalancingConfig":[{"round_robin":{}}]}',
  });
  const watch = new HealthWatch(addresses[0]!, 'echo.v1.Echo');
  expect(await watch.next()).toBe('SERVING');
  const alone = echoClient(addresses[0]!, credentials.createInsecure());
  const stream = alone.repeat({});
  const moved = new Promise<ServiceError>((resolve) => stream.on('error', resolve));
  await say(alone);

  const load = new SteadyLoad(() => say(client), 200);
  await load.run(50);
  first.signal('SIGTERM');
  expect(await watch.next()).toBe('NOT_SERVING');
  expect((await moved).code).toBe(status.UNAVAILABLE);
  expect(await first.ended).toBe('SIGTERM');
  await load.run(50);
  await load.stop();
  expect(load.failures).toEqual([]);
});
