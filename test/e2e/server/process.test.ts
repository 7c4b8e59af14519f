import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { credentials, type ServiceError, status } from '@grpc/grpc-js';
import { afterAll, beforeAll, expect, onTestFinished, test } from 'vitest';
import { ECHO_PROTO } from '../../support/echo/cluster.js';
import { HealthWatch } from '../../support/peers/health-watch.js';
import { expectNoLeaks } from '../../support/run/leaks.js';
import { type Transpiled, transpile } from '../../support/run/transpile.js';
import { echoClient, freePort, say } from '../../support/server/app.js';
import { SteadyLoad } from '../../support/echo/steady-load.js';

expectNoLeaks();

let program: Transpiled;
beforeAll(() => void (program = transpile('test/support/server/child.ts')));
afterAll(() => program.remove());

async function startProcess(port: number): Promise<ChildProcess> {
  const child = spawn(process.execPath, [program.path, `127.0.0.1:${port}`, ECHO_PROTO, '100'], {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  onTestFinished(() => void child.kill('SIGKILL'));
  await once(child.stdout!, 'data');
  return child;
}

test('SIGTERM drains: watchers are told, streams move, no call is lost, and the process ends by the signal', async () => {
  const ports = [await freePort(), await freePort()];
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
  const exit = once(first!, 'exit');
  first!.kill('SIGTERM');
  expect(await watch.next()).toBe('NOT_SERVING');
  expect((await moved).code).toBe(status.UNAVAILABLE);
  expect(await exit).toEqual([null, 'SIGTERM']);
  await load.run(50);
  await load.stop();
  expect(load.failures).toEqual([]);
});
