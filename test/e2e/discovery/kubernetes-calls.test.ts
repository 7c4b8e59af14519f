import { setTimeout as delay } from 'node:timers/promises';
import { registerKubernetes } from 'nestjs-grpc-lb/kubernetes';
import type { Fleet, FleetBackend } from 'nestjs-grpc-lb/testing';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { BalancedClient } from '../../support/echo/balanced-client.js';
import { echoFleet } from '../../support/echo/backends.js';
import { KubernetesApi } from '../../support/kubernetes/api.js';
import { kubeConfigFile } from '../../support/kubernetes/client.js';
import { GRPC_PORT, type PodEntry, slice } from '../../support/kubernetes/slices.js';
import { expectNoLeaks } from '../../support/run/leaks.js';
import { SteadyLoad } from '../../support/echo/steady-load.js';
import { Stopwatch } from '../../support/time/stopwatch.js';

/** Calls through everything that a cluster does to its pods; each pod is a gRPC server on an address of its own. */

expectNoLeaks();

let api: KubernetesApi;
let deployment: Fleet;
let pods: FleetBackend[];
let client: BalancedClient;

beforeEach(async () => {
  api = await new KubernetesApi().start();
  registerKubernetes({ kubeConfigFile: kubeConfigFile({ server: api.url }) });
  deployment = await echoFleet(0);
  pods = [];
});

afterEach(async () => {
  client.close();
  await api.stop();
});

/** All on one port, as the pods of a Deployment. */
async function startPods(count: number): Promise<FleetBackend[]> {
  for (let i = 0; i < count; i++) {
    const pod = await deployment.add({ host: `127.0.0.${pods.length + 2}`, ...(pods[0] && { port: pods[0].port }) });
    pod.slow(5);
    pods.push(pod);
  }
  return pods.slice(-count);
}

const entry = (pod: FleetBackend): PodEntry => ({ ip: pod.host });
const leaving = (pod: FleetBackend): PodEntry => ({ ip: pod.host, ready: false, serving: true, terminating: true });

function put(entries: readonly PodEntry[], name = 'orders-a'): void {
  api.store.apply(slice({ name, ports: [{ ...GRPC_PORT, port: pods[0]!.port }], pods: entries }));
}

async function connected(count: number): Promise<void> {
  client = await new BalancedClient({ target: 'kubernetes:///orders.shop:grpc' }).ready(count);
  await api.untilWatched();
}

const ready = (): string[] =>
  client.snapshot.endpoints.filter(({ state }) => state === 'ready').map(({ address }) => address);
const known = (): string[] => client.snapshot.endpoints.map(({ address }) => address);
const drains = (pod: FleetBackend): boolean =>
  client.states[pod.address] === undefined || client.states[pod.address] === 'draining';

test('each change reaches the picker within 100 ms of its event', async () => {
  await startPods(6);
  put([entry(pods[0]!)]);
  await connected(1);
  const stopwatch = new Stopwatch();
  const delays: number[] = [];
  for (let round = 0; round < 5; round++) {
    for (const [i, pod] of pods.slice(1).entries()) {
      const arrived = async (): Promise<void> => {
        put(pods.slice(0, i + 2).map(entry));
        await client.until(() => known().includes(pod.address));
      };
      delays.push(await stopwatch.time(arrived));
    }
    for (const pod of pods.slice(1)) {
      const left = async (): Promise<void> => {
        put([entry(pods[0]!), ...pods.slice(pods.indexOf(pod) + 1).map(entry), leaving(pod)]);
        await client.until(() => drains(pod));
      };
      delays.push(await stopwatch.time(left));
    }
  }
  // The resolver coalesces changes within 50 ms.
  expect(Math.max(...delays)).toBeLessThan(100);
});

test('nothing fails through scaling up and down, a rollout, a rollback, an expired history and a restart of the API server', async () => {
  await startPods(2);
  put(pods.map(entry));
  await connected(2);
  const load = new SteadyLoad(() => client.say(), 400);
  await load.run(100);

  // Up to six, in two slices.
  const more = await startPods(4);
  put(more.map(entry), 'orders-b');
  await client.ready(6);
  await load.run(100);

  // Down to two: the others terminate, and end after their calls.
  put([...more.slice(0, 2).map(leaving), ...more.slice(2).map(entry)], 'orders-b');
  put(pods.slice(0, 2).map(leaving));
  await client.until(() => [...pods.slice(0, 2), ...more.slice(0, 2)].every(drains));
  const quiet = [...pods.slice(0, 2), ...more.slice(0, 2)];
  // Calls sent before have been answered.
  await load.until(() => quiet.every((pod) => client.states[pod.address] === undefined));
  const before = quiet.map(({ calls }) => calls);
  await load.run(100);
  expect(quiet.map(({ calls }) => calls)).toEqual(before);
  await Promise.all(quiet.map((pod) => pod.drain()));
  api.store.delete('orders-a');
  put(more.slice(2).map(entry), 'orders-b');
  await load.run(100);

  // The API server stops, its history is compacted, and all pods are replaced while it is down.
  const url = api.url;
  await api.stop();
  await load.run(100);
  const fresh = await startPods(3);
  put(fresh.map(entry), 'orders-c');
  api.store.delete('orders-b');
  api.store.compact();
  await load.run(50);
  await api.start();
  expect(api.url).toBe(url);
  await client.until(() => fresh.every((pod) => ready().includes(pod.address)) && more.slice(2).every(drains));
  await Promise.all(more.slice(2).map((pod) => pod.drain()));
  await load.run(100);

  // A second restart, with nothing changed, makes no event.
  const opened = fresh.map(({ accepted }) => accepted);
  await api.restart();
  await load.run(200);
  expect(fresh.map(({ accepted }) => accepted)).toEqual(opened);
  await load.stop();
  expect(load.failures).toEqual([]);
  expect(load.succeeded).toBeGreaterThan(800);
  expect(client.snapshot.inFlight).toBe(0);
});

test('terminating pods are used only while there are no others', async () => {
  const [first, second] = (await startPods(2)) as [FleetBackend, FleetBackend];
  put([entry(first)]);
  await connected(1);
  put([leaving(first), { ip: second.host, ready: false, serving: false }]);
  await delay(100);
  await expect(client.say()).resolves.toMatchObject({ server: first.address });
  put([leaving(first), entry(second)]);
  await client.until(() => drains(first) && ready().includes(second.address));
  await expect(client.say()).resolves.toMatchObject({ server: second.address });
});

test('a Service scaled down to zero keeps its last pods for a grace time, and a new pod ends that', async () => {
  const [first, second] = (await startPods(2)) as [FleetBackend, FleetBackend];
  put([entry(first)]);
  await connected(1);
  put([]);
  await client.until(() => client.snapshot.source.error !== null);
  expect(client.snapshot.source.error).toMatch(/no longer lists endpoints/);
  await expect(client.say()).resolves.toMatchObject({ server: first.address });
  put([entry(second)]);
  await client.until(() => drains(first) && ready().includes(second.address));
  expect(client.snapshot.source).toMatchObject({ state: 'ok', error: null });
});

test('a missing Service fails calls with the reason, and is used when it appears', async () => {
  const [pod] = (await startPods(1)) as [FleetBackend];
  client = new BalancedClient({ target: 'kubernetes:///orders.shop:grpc' });
  await expect(client.say()).rejects.toThrow(/EndpointSlices of "orders" in namespace "shop": there are none/);
  const patient = client.say('patient', { waitForReady: true });
  put([entry(pod)]);
  await expect(patient).resolves.toMatchObject({ server: pod.address });
});

test('the zone of a pod is the locality of its endpoint', async () => {
  const [pod] = (await startPods(1)) as [FleetBackend];
  put([{ ...entry(pod), zone: 'eu-1a', node: 'node-7' }]);
  await connected(1);
  expect(JSON.stringify(client.snapshot.endpoints[0])).toContain('eu-1a');
});

test('with `hints` all calls stay at the pods that are meant for the node, and go elsewhere when those are gone', async () => {
  registerKubernetes({ kubeConfigFile: kubeConfigFile({ server: api.url }), hints: { zone: 'a', node: 'node-1' } });
  await startPods(3);
  const [own, neighbor, distant] = pods as [FleetBackend, FleetBackend, FleetBackend];
  const meantFor = (pod: FleetBackend, zone: string, node: string): PodEntry => ({
    ...entry(pod),
    zone,
    node,
    forZones: [zone],
    forNodes: [node],
  });
  const others = [meantFor(neighbor, 'a', 'node-2'), meantFor(distant, 'b', 'node-3')];
  put([meantFor(own, 'a', 'node-1'), ...others]);
  await connected(1);
  const servers = async (): Promise<Set<string>> =>
    new Set(await Promise.all(Array.from({ length: 30 }, async () => (await client.say()).server)));
  expect(await servers()).toEqual(new Set([own.address]));

  // Without a pod for the node, those for the zone count.
  put(others);
  await client.until(() => ready().includes(neighbor.address) && !known().includes(own.address));
  expect(await servers()).toEqual(new Set([neighbor.address]));
});
