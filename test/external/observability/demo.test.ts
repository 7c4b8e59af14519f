import { execFile } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import type { FromBackend, ToBackend } from 'demo-server/control';
import { afterAll, beforeAll, expect, test } from 'vitest';
import type { FromClient, ToClient } from '../../../apps/demo-client/src/runner-messages.js';
import { Child, node } from '../../../apps/demo-client/src/runner/child-process.js';
import { freePort, freePorts } from '../../../apps/demo-client/src/runner/ports.js';
import { type Settings, SETTINGS_VARIABLE } from '../../../apps/demo-client/src/settings.js';
import { now, Prometheus } from './prometheus.js';

/** An hour of the rules lasts a minute here. */
const FACTOR = 60;
const PATIENCE = { timeout: 110_000, interval: 250 };
const ROOT = fileURLToPath(new URL('../../../', import.meta.url));

type Server = Child<FromBackend, ToBackend>;

const prometheus = new Prometheus(FACTOR);
const servers: Server[] = [];
let client: Child<FromClient, ToClient>;
let began = 0;
/** Starts a server again where it was. */
let restart: (index: number) => Promise<void>;

beforeAll(async () => {
  await promisify(execFile)('npm', ['run', '--silent', 'build'], { cwd: ROOT });
  const [ports, metricsPorts] = [await freePorts(3), await freePorts(3)];
  restart = async (i) => {
    const env = { PORT: String(ports[i]), METRICS_PORT: String(metricsPorts[i]), DELAY_MS: '5' };
    servers[i] = new Child<FromBackend, ToBackend>(node(`${ROOT}apps/demo-server/dist/main.js`), { env, quiet: true });
    await servers[i].next('listening');
  };
  for (const i of ports.keys()) await restart(i);
  const addresses = ports.map((port) => `127.0.0.1:${port}`);
  const httpPort = await freePort();
  const settings: Partial<Settings> = { addresses, httpPort, anyPort: false, rate: 60, baselineSeconds: 0 };
  const env = {
    [SETTINGS_VARIABLE]: JSON.stringify(settings),
    GRPC_LB_ORDERS_CLIENT_TARGET: `static:///${addresses.join(',')}`,
  };
  client = new Child<FromClient, ToClient>(node(`${ROOT}apps/demo-client/dist/main.js`), { env, quiet: true });
  await client.next('listening');
  await prometheus.start([
    { job: 'demo-client', address: `127.0.0.1:${httpPort}` },
    ...metricsPorts.map((port) => ({ job: 'demo-server', address: `127.0.0.1:${port}` })),
  ]);
  began = now();
});

afterAll(async () => {
  await prometheus.close();
  await client?.kill();
  await Promise.all(servers.map((server) => server.kill()));
});

const firing = async (): Promise<(string | undefined)[]> =>
  (await prometheus.firing()).map(({ labels }) => labels.alertname);

test('a quiet hour of the demo fires no alert, and both sides count its calls', async () => {
  await new Promise((resolve) => setTimeout(resolve, 3_600_000 / FACTOR));
  expect(await prometheus.firedSince(began)).toEqual([]);
  const counted = async (side: string): Promise<number> => {
    const [series] = await prometheus.range(`sum(grpc_${side}_call_duration_seconds_count{grpc_status="OK"})`, began);
    return Number(series!.values.at(-1)![1]);
  };
  const [byClient, byServers] = [await counted('client'), await counted('server')];
  expect(byClient).toBeGreaterThan(1000);
  expect(byServers / byClient).toBeGreaterThan(0.9);
  expect(byServers / byClient).toBeLessThan(1.1);
});

test('a server that is killed fires its alert, and no other', async () => {
  const start = now();
  await servers[2]!.kill();
  await expect.poll(() => prometheus.firedSince(start), PATIENCE).toEqual(['GrpcLbBackendDown']);
  await restart(2);
  await expect.poll(firing, PATIENCE).toEqual([]);
  expect(await prometheus.firedSince(start)).toEqual(['GrpcLbBackendDown']);
});

test('a server that hangs fires its alert, and no other', async () => {
  const start = now();
  servers[1]!.signal('SIGSTOP');
  await expect.poll(() => prometheus.firedSince(start), PATIENCE).toEqual(['GrpcLbBackendHangs']);
  servers[1]!.signal('SIGCONT');
  await expect.poll(firing, PATIENCE).toEqual([]);
  expect(await prometheus.firedSince(start)).toEqual(['GrpcLbBackendHangs']);
});

test('a server whose calls fail fires its alert, and no other', async () => {
  const start = now();
  servers[0]!.tell({ type: 'knobs', knobs: { errorRate: 1 } });
  await expect.poll(() => prometheus.firedSince(start), PATIENCE).toEqual(['GrpcLbBackendEjected']);
});
