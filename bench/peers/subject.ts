/**
 * One subject in a process of its own: once it is warm, it makes calls when it is told to, a fixed number at a time, and
 * reports the CPU time that they took this process.
 */
import { type Receive, type Report, type RunSpec, STREAM_MESSAGES, STREAM_TEXT, UNARY_TEXT } from './run-spec.js';
import { bare } from './subjects/bare.js';
import { own, ownAsPromises, stock } from './subjects/nest.js';
import { orders } from './subjects/orders.js';
import { subchannelOnly } from './subjects/subchannel.js';
import type { Subject } from './subjects/subject.js';

const SUBJECTS: Readonly<Record<string, (spec: RunSpec) => Promise<Subject>>> = {
  'nest + grpc-js round_robin': (spec) => stock('round_robin', spec),
  'nestjs-grpc-lb least_request': (spec) => own('least_request', spec),
  'nestjs-grpc-lb as Promises': ownAsPromises,
  'nestjs-grpc-lb with OpenTelemetry metrics': (spec) => own('least_request', spec, 'opentelemetry'),
  'nestjs-grpc-lb with an OpenTelemetry producer': (spec) => own('least_request', spec, 'producer'),
  'nestjs-grpc-lb with Prometheus metrics': (spec) => own('least_request', spec, 'prometheus'),
  'nestjs-grpc-lb with an SDK, no traces': (spec) => own('least_request', spec, { sampled: 0.01, spans: false }),
  'nestjs-grpc-lb with traces, 1 % sampled': (spec) => own('least_request', spec, { sampled: 0.01, spans: true }),
  'nestjs-grpc-lb with traces, all sampled': (spec) => own('least_request', spec, { sampled: 1, spans: true }),
  'nestjs-grpc-lb adaptive': (spec) => own('adaptive', spec),
  'messages by proto-loader': (spec) => orders('proto-loader', spec),
  'messages by ts-proto, grpc-js': (spec) => orders('grpc-js', spec),
  'messages by ts-proto, generic-definitions': (spec) => orders('generic', spec),
  'messages by protobuf-es': (spec) => orders('es', spec),
  'grpc-js subchannels alone': subchannelOnly,
  'node:http2': bare,
};
/** Until the optimizing compiler has seen everything. */
const WARM_UP = { unary: 8000, interceptors: 8000, streaming: 50_000, generated: 8000, 'generated-one': 8000 };

const spec = JSON.parse(process.argv[2]!) as RunSpec;
const { kind, concurrency } = spec;
const create = SUBJECTS[spec.subject];
if (!create) throw new Error(`There is no subject "${spec.subject}": use one of ${Object.keys(SUBJECTS).join(', ')}`);
const subject = await create(spec);

/** Makes one call; returns its number of messages. */
async function call(): Promise<number> {
  if (kind === 'streaming') return subject.repeat(STREAM_TEXT, STREAM_MESSAGES);
  await subject.say(UNARY_TEXT);
  return 1;
}

async function receive(count: number): Promise<void> {
  let left = kind === 'streaming' ? Math.ceil(count / STREAM_MESSAGES) : count;
  const worker = async (): Promise<void> => {
    while (left-- > 0) await call();
  };
  await Promise.all(Array.from({ length: concurrency }, worker));
}

async function measure(messages: number): Promise<Report> {
  const before = process.cpuUsage();
  const start = performance.now();
  await receive(messages);
  const { user, system } = process.cpuUsage(before);
  return { type: 'received', cpu: user + system, wall: (performance.now() - start) * 1000 };
}

const report = (message: Report): void => void process.send!(message);
await receive(WARM_UP[kind]);
process.on('message', ({ messages }: Receive) => {
  if (messages > 0) return void measure(messages).then(report);
  process.disconnect();
  void subject.close();
});
report({ type: 'warm' });
