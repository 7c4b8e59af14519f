/**
 * What a client with very many endpoints costs: until its first answer, until all are connected, in memory, for an
 * update that changes one, and for one that replaces all. `npm run bench scale -- --endpoints 1000`.
 */
import { cpus } from 'node:os';
import { monitorEventLoopDelay } from 'node:perf_hooks';
import { setTimeout as delay } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import * as grpc from '@grpc/grpc-js';
import { loadSync } from '@grpc/proto-loader';
import { Child, node } from '../../apps/demo-client/src/runner/child-process.js';
import type { Endpoint } from '../../libs/grpc-lb/src/core/endpoint.js';
import type { EndpointListener } from '../../libs/grpc-lb/src/core/endpoint-source.js';
import { registerEndpointSource } from '../../libs/grpc-lb/src/discovery/index.js';
import { BalancedChannel } from '../../libs/grpc-lb/src/grpc/channel/balanced-channel.js';

const { values } = parseArgs({
  options: {
    endpoints: { type: 'string', default: '1000' },
    subset: { type: 'string' },
    updates: { type: 'string', default: '100' },
  },
});
const count = Number(values.endpoints);
const updates = Number(values.updates);
const MB = 1024 * 1024;

const proto = fileURLToPath(new URL('../../../../test/support/echo/echo.proto', import.meta.url));
const script = fileURLToPath(new URL('scale-backend.js', import.meta.url));
const backend = new Child<{ readonly type: 'listening'; readonly port: number }>(node(script, [proto]));
const { port } = await backend.next('listening');

/** On port 1 nothing listens. */
const endpoints = (first: number, onPort = port): Endpoint[] =>
  Array.from({ length: count }, (_, i) => {
    const n = first + i + 1;
    return { address: { host: `127.${n >> 16}.${(n >> 8) & 255}.${n & 255}`, port: onPort } };
  });

let listener!: EndpointListener;
registerEndpointSource('bench', () => ({
  start: (to) => {
    listener = to;
    queueMicrotask(() => to.onEndpoints(endpoints(0)));
  },
  refresh: () => {},
  stop: () => {},
}));

function memory(): { heap: number; rss: number } {
  global.gc!();
  global.gc!();
  const { heapUsed, external, rss } = process.memoryUsage();
  return { heap: (heapUsed + external) / MB, rss: rss / MB };
}

const Echo = (
  grpc.loadPackageDefinition(loadSync(proto, { defaults: true })) as unknown as {
    echo: { v1: { Echo: grpc.ServiceClientConstructor } };
  }
).echo.v1.Echo;
const credentials = grpc.credentials.createInsecure();

let [opened, closed] = [0, 0];
const expected = values.subset === undefined ? count : Math.min(count, Number(values.subset));
let onEvent = (): void => {};
const before = memory();
const balanced = new BalancedChannel({
  name: 'BENCH',
  target: 'bench:///echo',
  credentials,
  loadBalancing: { subset: values.subset === undefined ? undefined : { size: Number(values.subset) } },
  onEvent: ({ type }) => {
    if (type === 'connection_opened') opened++;
    if (type === 'connection_closed') closed++;
    onEvent();
  },
});
const stub = new Echo('override', credentials, { channelOverride: balanced.channel });
const say = stub['Say']!.bind(stub) as (request: object, done: (error: Error | null) => void) => void;
const call = (): Promise<void> =>
  new Promise((resolve, reject) => say({ text: 'x' }, (error) => (error ? reject(error) : resolve())));
const until = (condition: () => boolean): Promise<void> =>
  new Promise((resolve) => {
    onEvent = () => condition() && resolve();
    onEvent();
  });

const start = performance.now();
await call();
const first = performance.now() - start;
await until(() => opened === expected);
const all = performance.now() - start;
const after = memory();

const [times, most] = [[] as number[], { opened: 0, closed: 0 }];
for (let i = 1; i <= updates; i++) {
  const [openedBefore, closedBefore] = [opened, closed];
  const list = endpoints(i);
  const began = performance.now();
  listener.onEndpoints(list);
  times.push(performance.now() - began);
  await delay(60);
  most.opened = Math.max(most.opened, opened - openedBefore);
  most.closed = Math.max(most.closed, closed - closedBefore);
}
times.sort((a, b) => a - b);
const at = (share: number): string => times[Math.floor(share * (times.length - 1))]!.toFixed(2);

const replacement = endpoints(0, 1);
const delays = monitorEventLoopDelay({ resolution: 5 });
const replacing = performance.now();
listener.onEndpoints(replacement);
const replaced = performance.now() - replacing;
delays.enable();
await delay(5000);
delays.disable();

console.log(
  `${cpus()[0]!.model}, ${cpus().length} cores, Node ${process.version}, ${new Date().toISOString().slice(0, 10)}`,
);
console.log(`${count} endpoints${values.subset === undefined ? '' : `, subset of ${values.subset}`}`);
console.log(`first call answered after    ${first.toFixed(0)} ms`);
console.log(`all ${expected} connected after     ${all.toFixed(0)} ms`);
console.log(
  `heap and buffers             ${(after.heap - before.heap).toFixed(1)} MB, ${(((after.heap - before.heap) * 1024) / expected).toFixed(1)} KB a connected endpoint`,
);
console.log(`resident set                 ${(after.rss - before.rss).toFixed(1)} MB`);
console.log(
  `an update that changes one   ${at(0.5)} ms in the median, ${at(0.95)} p95, ${at(1)} at most (${updates} updates)`,
);
console.log(`connections for one update   ${most.opened} opened, ${most.closed} closed at most`);
console.log(
  `an update that replaces all  ${replaced.toFixed(0)} ms, and pauses of ${(delays.max / 1e6).toFixed(0)} ms at most while they join, fail to connect, and leave`,
);
stub.close();
balanced.close();
await backend.kill();
