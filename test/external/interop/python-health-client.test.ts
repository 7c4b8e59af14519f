import type { FleetBackend } from 'nestjs-grpc-lb/testing';
import { afterEach, expect, test } from 'vitest';
import { startBackends } from '../../support/echo/backends.js';
import { expectNoLeaks } from '../../support/run/leaks.js';
import { PythonProcess } from './python-process.js';

expectNoLeaks();

interface Tally {
  readonly servers: Readonly<Record<string, number>>;
  readonly failed: number;
}

let servers: FleetBackend[] = [];
let python: PythonProcess;

afterEach(async () => {
  await python.kill();
});

async function calls(count: number): Promise<Tally> {
  python.tell(`calls ${count}`);
  const tally = await python.next<Tally>();
  expect(tally.failed).toBe(0);
  return tally;
}

/** Makes calls until exactly these servers answer. */
async function until(answering: readonly FleetBackend[]): Promise<void> {
  const wanted = answering.map(({ address }) => address).toSorted();
  for (;;) {
    const { servers: seen } = await calls(20);
    if (Object.keys(seen).toSorted().join() === wanted.join()) return;
  }
}

test('a C-core client that checks health leaves a server that reports NOT_SERVING, and comes back', async () => {
  servers = await startBackends(3, { health: true });
  const [ill, ...healthy] = servers as [FleetBackend, FleetBackend, FleetBackend];
  python = new PythonProcess('health_client.py', ['echo.v1.Echo', ...servers.map(({ address }) => address)]);
  await until(servers);
  ill.setHealth('NOT_SERVING', 'echo.v1.Echo');
  await until(healthy);
  const before = ill.calls;
  await calls(60);
  expect(ill.calls).toBe(before);
  ill.setHealth('SERVING', 'echo.v1.Echo');
  await until(servers);
});
