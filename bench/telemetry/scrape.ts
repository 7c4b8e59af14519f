/**
 * What a scrape costs an application with many clients: how long it takes, and how many series it has.
 *
 *   npm run bench metrics -- [--clients 50] [--endpoints 100] [--scrapes 50]
 */
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import * as grpc from '@grpc/grpc-js';
import { loadSync } from '@grpc/proto-loader';
import { type BalancedChannel, createBalancedChannel, type MethodInfo } from 'nestjs-grpc-lb/grpc';
import { type GrpcLbMetricsOptions, observeMetrics } from 'nestjs-grpc-lb/prometheus';
import { Registry } from 'prom-client';
import { Child, node } from '../../apps/demo-client/src/runner/child-process.js';
import { saveResults } from '../results/store.js';
import { toMarkdown } from '../sim/report/tables.js';
import { SCRAPE_HEAD, scrapeCellsOf, type ScrapeRow } from './tables.js';

const { values } = parseArgs({
  // `call-cpu` runs with the same arguments.
  strict: false,
  options: {
    clients: { type: 'string', default: '50' },
    endpoints: { type: 'string', default: '100' },
    scrapes: { type: 'string', default: '50' },
  },
});
const [clients, endpoints, scrapes] = [values.clients, values.endpoints, values.scrapes].map(Number) as [
  number,
  number,
  number,
];

const proto = fileURLToPath(new URL('../../../../test/support/echo/echo.proto', import.meta.url));
const script = fileURLToPath(new URL('../micro/scale-backend.js', import.meta.url));
const { Echo } = (
  grpc.loadPackageDefinition(loadSync(proto, { defaults: true })) as unknown as {
    echo: { v1: { Echo: grpc.ServiceClientConstructor } };
  }
).echo.v1;
const methods: MethodInfo[] = ['Say', 'Repeat'].map((method) => {
  return { service: 'echo.v1.Echo', method, responseStream: method === 'Repeat' };
});
type Say = (request: object, done: grpc.requestCallback<object>) => void;
type Repeat = (request: object) => grpc.ClientReadableStream<object>;

const backend = new Child<{ readonly type: 'listening'; readonly port: number }>(node(script, [proto]));
const { port } = await backend.next('listening');

function connect(index: number): Promise<BalancedChannel> {
  const addresses = Array.from({ length: endpoints }, (_, i) => `127.0.${index + 1}.${i + 1}:${port}`);
  return new Promise((resolve) => {
    let ready = 0;
    const channel = createBalancedChannel({
      name: `CLIENT_${index}`,
      target: `static:///${addresses.join(',')}`,
      credentials: grpc.credentials.createInsecure(),
      methods,
      onEvent: (event) => {
        if (event.type === 'endpoint_state' && event.to === 'ready' && ++ready === endpoints) resolve(channel);
      },
    });
    channel.connect();
  });
}

/** What the clients call before they are measured, each on each client. */
type Calls = (client: InstanceType<typeof Echo>) => Promise<void>;

const say =
  (text: string): Calls =>
  (client) =>
    new Promise((resolve) => (client['Say'] as Say).call(client, { text }, () => resolve()));

/** Ends with UNIMPLEMENTED. */
const repeat: Calls = (client) =>
  new Promise((resolve) => {
    const stream = (client['Repeat'] as Repeat).call(client, { text: 'x' });
    stream.on('error', () => resolve()).resume();
  });

async function measure(what: string, calls: readonly Calls[], options: GrpcLbMetricsOptions): Promise<ScrapeRow> {
  const registry = new Registry();
  const stops = channels.map((channel) => observeMetrics(channel, { registry, ...options }));
  for (const channelOverride of channels) {
    const client = new Echo('override', grpc.credentials.createInsecure(), { channelOverride });
    for (const call of calls) await call(client);
  }
  const times: number[] = [];
  const cpus: number[] = [];
  let text = '';
  // The first ones are not optimized yet; a scrape every 15 s is soon.
  for (let i = 0; i < scrapes + 10; i++) {
    const start = performance.now();
    const before = process.cpuUsage();
    text = await registry.metrics();
    const { user, system } = process.cpuUsage(before);
    if (i >= 10) {
      times.push(performance.now() - start);
      cpus.push((user + system) / 1000);
    }
    await new Promise(setImmediate);
  }
  for (const stop of stops) stop();
  const series = text.split('\n').filter((line) => line !== '' && !line.startsWith('#')).length;
  const kilobytes = Math.round(text.length / 1024);
  return { what, series, cpu: median(cpus), median: median(times), slowest: Math.max(...times), kilobytes };
}

function median(numbers: readonly number[]): number {
  return numbers.toSorted((a, b) => a - b)[Math.floor(numbers.length / 2)]!;
}

const channels: BalancedChannel[] = [];
for (let i = 0; i < clients; i++) channels.push(await connect(i));
const several = [say('x'), say('unknown'), repeat];
const rows = [
  await measure('no calls', [], {}),
  await measure('a method of each client has been called', [say('x')], {}),
  await measure('two methods with three statuses', several, {}),
  await measure("two methods with three statuses, detail: 'compact'", several, { detail: 'compact' }),
  await measure('no calls, addresses on', [], { addresses: true }),
];
for (const channel of channels) channel.close();
await backend.kill();

const title = `A scrape of ${clients} clients with ${endpoints} endpoints each; median and slowest of ${scrapes}`;
console.log(`\n${title}\n\n${toMarkdown({ head: SCRAPE_HEAD, rows: rows.map(scrapeCellsOf) })}`);
saveResults('metrics', 'scrape', { title, rows });
