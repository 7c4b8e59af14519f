import { afterEach, expect, test } from 'vitest';
import { type EchoServer, startServers } from '../../support/echo/cluster.js';
import { expectNoLeaks } from '../../support/run/leaks.js';
import { PythonProcess } from './python-process.js';

expectNoLeaks();

interface Tally {
  readonly servers: Readonly<Record<string, number>>;
  readonly failed: number;
}

let servers: EchoServer[] = [];
let python: PythonProcess;

afterEach(async () => {
  await python.kill();
  await Promise.all(servers.map((server) => server.kill()));
});

async function calls(count: number): Promise<Tally> {
  python.tell(`calls ${count}`);
  const tally = await python.next<Tally>();
  expect(tally.failed).toBe(0);
  return tally;
}

/** Makes calls until exactly these servers answer. */
async function until(answering: readonly EchoServer[]): Promise<void> {
  const wanted = answering.map(({ address }) => address).toSorted();
  for (;;) {
    const { servers: seen } = await calls(20);
    if (Object.keys(seen).toSorted().join() === wanted.join()) return;
  }
}

test('a C-core client that checks health leaves a server that reports NOT_SERVING, and comes back', async () => {
  servers = await startServers(3, { withHealth: { '': 'SERVING', 'echo.v1.Echo': 'SERVING' } });
  const [ill, ...healthy] = servers as [EchoServer, EchoServer, EchoServer];
  python = new PythonProcess('health_client.py', ['echo.v1.Echo', ...servers.map(({ address }) => address)]);
  await until(servers);
  ill.health!.setStatus('echo.v1.Echo', 'NOT_SERVING');
  await until(healthy);
  const before = ill.calls;
  await calls(60);
  expect(ill.calls).toBe(before);
  ill.health!.setStatus('echo.v1.Echo', 'SERVING');
  await until(servers);
});
