/**
 * What one stream that has ended keeps alive of its client, in bytes of heap: Node keeps closed HTTP/2 streams until the
 * next full garbage collection, so the garbage collector copies that much for each call (decision 069).
 *
 *   npm run bench retained -- [--calls 5000] [--concurrency 10]
 */
import { type ClientHttp2Session, connect } from 'node:http2';
import { parseArgs } from 'node:util';
import { toMarkdown } from '../sim/report/tables.js';
import { PROTO, startBackends } from './processes.js';
import { type RunSpec, UNARY_TEXT } from './run-spec.js';
import { bare } from './subjects/bare.js';
import { own, stock } from './subjects/nest.js';
import { subchannelOnly } from './subjects/subchannel.js';
import type { Subject } from './subjects/subject.js';

const { values } = parseArgs({
  options: { calls: { type: 'string', default: '5000' }, concurrency: { type: 'string', default: '10' } },
});
const calls = Number(values.calls);
const concurrency = Number(values.concurrency);

const SUBJECTS: Readonly<Record<string, (spec: RunSpec) => Promise<Subject>>> = {
  'nest + grpc-js round_robin': (spec) => stock('round_robin', spec),
  'nestjs-grpc-lb least_request': (spec) => own('least_request', spec),
  'grpc-js subchannels alone': subchannelOnly,
  'node:http2': bare,
};

let kept: unknown[] | undefined;

/** Keeps the streams of all sessions of this process while they are wanted, as Node would. */
async function keepStreams(address: string): Promise<void> {
  const session = connect(`http://${address}`);
  const prototype = Object.getPrototypeOf(session) as ClientHttp2Session;
  const { request } = prototype;
  prototype.request = function (...args) {
    const stream = request.apply(this, args);
    kept?.push(stream);
    return stream;
  };
  await new Promise<void>((resolve) => session.close(resolve));
}

async function make(subject: Subject, count: number): Promise<void> {
  let left = count;
  const worker = async (): Promise<void> => {
    while (left-- > 0) await subject.say(UNARY_TEXT);
  };
  await Promise.all(Array.from({ length: concurrency }, worker));
}

async function heapUsed(): Promise<number> {
  // Streams are destroyed a turn after their end, and their handles by the collection after that.
  for (let i = 0; i < 3; i++) {
    await new Promise((resolve) => setTimeout(resolve, 50));
    globalThis.gc!();
  }
  return process.memoryUsage().heapUsed;
}

const backends = await startBackends();
await keepStreams(backends.addresses[0]!);
const rows: string[][] = [];
for (const [title, create] of Object.entries(SUBJECTS)) {
  const common = { subject: title, kind: 'unary', concurrency, channelOptions: {}, build: undefined } as const;
  const subject = await create({ ...common, proto: PROTO, addresses: backends.addresses });
  await make(subject, calls);
  const before = await heapUsed();
  kept = [];
  await make(subject, calls);
  const bytes = ((await heapUsed()) - before) / kept.length;
  kept = undefined;
  await subject.close();
  rows.push([title, bytes.toFixed(0)]);
}
await backends.stop();
console.log(`\nBytes of heap for each stream that has ended; ${calls} unary calls, ${concurrency} at a time`);
console.log(`\n${toMarkdown({ head: ['client', 'bytes'], rows })}`);
process.exit(0);
