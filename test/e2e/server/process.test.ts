import { credentials, type ServiceError, status } from '@grpc/grpc-js';
import { afterAll, beforeAll, expect, onTestFinished, test } from 'vitest';
import { Child, node } from '../../../apps/demo-client/src/runner/child-process.js';
import { freePorts } from '../../../apps/demo-client/src/runner/ports.js';
import { ECHO_PROTO } from '../../support/echo/cluster.js';
import { HealthWatch } from '../../support/peers/health-watch.js';
import { expectNoLeaks } from '../../support/run/leaks.js';
import { type Transpiled, transpile } from '../../support/run/transpile.js';
import { echoClient, say } from '../../support/server/app.js';
import { SteadyLoad } from '../../support/echo/steady-load.js';

expectNoLeaks();

let program: Transpiled;
beforeAll(() => void (program = transpile('test/support/server/child.ts')));
afterAll(() => program.remove());

async function startProcess(port: number): Promise<Child> {
  const child = new Child(node(program.path, [`127.0.0.1:${port}`, ECHO_PROTO, '100']), { quiet: true });
  onTestFinished(() => child.kill());
  await child.nextLine(/listening/);
  return child;
}

test('SIGTERM drains: watchers are notified, streams move, no call is lost, and the process ends by the signal', async () => {
  const ports = await freePorts(2);
  const [first] = await Promise.all(ports.map(startProcess));
  const addresses = ports.map((port) => `127.0.0.1:${port}`);
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
  first!.signal('SIGTERM');
  expect(await watch.next()).toBe('NOT_SERVING');
  expect((await moved).code).toBe(status.UNAVAILABLE);
  expect(await first!.ended).toBe('SIGTERM');
  await load.run(50);
  await load.stop();
  expect(load.failures).toEqual([]);
});
