import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { setTimeout as delay } from 'node:timers/promises';
import * as grpc from '@grpc/grpc-js';
import { registerKubernetes } from '../../libs/grpc-lb/src/discovery/kubernetes/index.js';
import { BalancedChannel } from '../../libs/grpc-lb/src/grpc/channel/balanced-channel.js';
import { kubeConfigText } from '../../test/support/kubernetes/config.js';
import { Cluster } from './cluster.js';
import { OrdersClient, type OrdersStub } from './pods.js';

/**
 * `kubernetes:` targets without a cluster: an API server that kubectl can ask, three pods that are gRPC servers of this
 * process, and a client that calls them without pause. docs/discovery/kubernetes.md shows it.
 */

const TARGET = 'kubernetes:///orders.shop:grpc';
const PAUSE_MS = 20;

const cluster = new Cluster();
await cluster.api.start();
await cluster.up(3);
const folder = mkdtempSync(join(tmpdir(), 'try-kubernetes-'));
const kubeConfigFile = join(folder, 'config');
const parts = { server: cluster.api.url, cluster: { 'insecure-skip-tls-verify': true }, namespace: 'shop' };
writeFileSync(kubeConfigFile, kubeConfigText(parts));

registerKubernetes({ kubeConfigFile });
const credentials = grpc.credentials.createInsecure();
const balanced = new BalancedChannel({ name: 'ORDERS', target: TARGET, credentials });
const orders = new OrdersClient('orders', credentials, { channelOverride: balanced.channel }) as unknown as OrdersStub;

let answered = new Map<string, number>();
let calls = 0;
let failures = 0;

function call(): void {
  calls++;
  orders.Where({}, { deadline: Date.now() + 5000 }, (error, answer) => {
    if (error) {
      failures++;
      console.log(`failed: ${error.details}`);
    } else answered.set(answer!.host, (answered.get(answer!.host) ?? 0) + 1);
  });
}

function report(): void {
  const shares = [...answered].toSorted(([a], [b]) => a.localeCompare(b)).map(([host, count]) => `${host}: ${count}`);
  const { state } = balanced.snapshot().source;
  console.log(`discovery ${state}; answers in the last second: ${shares.join(', ')}; ${failures} of ${calls} failed`);
  answered = new Map();
}

const commands: Record<string, () => Promise<void>> = {
  up: () => cluster.up(1),
  down: async () => {
    // Without a pod there are no answers to show.
    if (cluster.names.length > 1) await cluster.down(1);
    else console.log('the last pod stays');
  },
  replace: () => cluster.replace(),
  restart: () => cluster.api.restart(),
};

const timers = [setInterval(call, PAUSE_MS), setInterval(report, 1000)];

async function end(): Promise<void> {
  for (const timer of timers) clearInterval(timer);
  while (balanced.snapshot().inFlight > 0) await delay(10);
  balanced.close();
  await cluster.end();
  rmSync(folder, { recursive: true });
  console.log(`${calls} calls, ${failures} failed`);
  process.exitCode = failures > 0 ? 1 : 0;
}

console.log(`In another terminal:
  export KUBECONFIG=${kubeConfigFile}
  kubectl get endpointslices --watch`);

if (process.argv.includes('--play')) {
  for (const name of ['up', 'up', 'down', 'replace', 'restart', 'down']) {
    await delay(1500);
    console.log(`> ${name}`);
    await commands[name]!();
  }
  await delay(1500);
  await end();
} else {
  console.log('Here: up, down, replace (all pods), restart (the API server), quit.\n');
  const input = createInterface({ input: process.stdin });
  input.on('line', (line) => {
    const name = line.trim();
    if (name === 'quit') input.close();
    else if (Object.hasOwn(commands, name)) void commands[name]!();
    else if (name !== '') console.log(`${name} is none of: ${Object.keys(commands).join(', ')}, quit`);
  });
  process.once('SIGINT', () => input.close());
  input.once('close', () => void end());
}
