import { afterAll, beforeAll, expect, test } from 'vitest';
import { DemoProcesses } from './demo-processes.js';
import { now, Prometheus } from './prometheus.js';

/** An hour of the rules lasts a minute here. */
const FACTOR = 60;
const PATIENCE = { timeout: 110_000, interval: 250 };

const prometheus = new Prometheus(FACTOR);
const demo = new DemoProcesses();
const { servers } = demo;
let began = 0;

beforeAll(async () => {
  await prometheus.start(await demo.start());
  began = now();
});

afterAll(async () => {
  await prometheus.close();
  await demo.close();
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
  await demo.startServer(2);
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
