import { once } from 'node:events';
import { setTimeout as delay } from 'node:timers/promises';
import * as grpc from '@grpc/grpc-js';
import { BalancedChannel } from '../../libs/grpc-lb/src/grpc/index.js';
import { type BareStub, Echo, type Line } from '../../test/support/calls/service.js';
import { now } from '../clock.js';

const MESSAGE = { text: 'x'.repeat(2 ** 16) };
/** Readers rest for a turn of a timer after so many messages, so that senders are faster. */
const REST_EVERY = 200;

export interface BigStream {
  readonly direction: string;
  readonly bytes: number;
  readonly seconds: number;
  /** The most that the memory of this process, of client and server, has grown meanwhile, in bytes. */
  readonly growth: number;
}

/** One stream of so many bytes to a server, and one from it, under retries. */
export async function bigStreams(bytes: number): Promise<BigStream[]> {
  const messages = Math.ceil(bytes / MESSAGE.text.length);
  const server = new grpc.Server();
  server.addService(Echo.service, {
    Say: () => {},
    Talk: () => {},
    Join: (call: grpc.ServerReadableStream<Line, Line>, done: grpc.sendUnaryData<Line>) =>
      void read(call).then((times) => done(null, { text: '', server: '', times })),
    Repeat: (call: grpc.ServerWritableStream<Line, Line>) => void write(call, messages).then(() => call.end()),
  });
  const credentials = grpc.ServerCredentials.createInsecure();
  const port = await new Promise<number>((resolve, reject) =>
    server.bindAsync('127.0.0.1:0', credentials, (error, bound) => (error ? reject(error) : resolve(bound))),
  );
  const channel = new BalancedChannel({
    name: 'STREAMS',
    target: `static:///127.0.0.1:${port}`,
    credentials: grpc.credentials.createInsecure(),
    loadBalancing: { retry: {} },
  });
  const override = { channelOverride: channel };
  const stub = new Echo('override', grpc.credentials.createInsecure(), override) as unknown as BareStub;
  try {
    return [
      await measured('to the server', bytes, async () => {
        let stream!: ReturnType<BareStub['Join']>;
        const received = new Promise<number>((resolve, reject) => {
          stream = stub.Join(new grpc.Metadata(), {}, (error, line) => (error ? reject(error) : resolve(line!.times)));
        });
        await write(stream, messages);
        stream.end();
        expect(await received, messages);
      }),
      await measured('from the server', bytes, async () =>
        expect(await read(stub.Repeat(MESSAGE, new grpc.Metadata(), {})), messages),
      ),
    ];
  } finally {
    channel.close();
    server.forceShutdown();
  }
}

async function measured(direction: string, bytes: number, stream: () => Promise<void>): Promise<BigStream> {
  const memory = (): number => {
    globalThis.gc!();
    const { heapUsed, external } = process.memoryUsage();
    return heapUsed + external;
  };
  const before = memory();
  let most = before;
  const timer = setInterval(() => (most = Math.max(most, memory())), 200);
  const started = now();
  await stream();
  clearInterval(timer);
  return { direction, bytes, seconds: (now() - started) / 1000, growth: most - before };
}

async function read(stream: AsyncIterable<Line>): Promise<number> {
  let count = 0;
  for await (const line of stream) {
    if (line.text.length !== MESSAGE.text.length) throw new Error(`a message of ${line.text.length} characters`);
    if (++count % REST_EVERY === 0) await delay(1);
  }
  return count;
}

async function write(stream: NodeJS.EventEmitter & { write(line: object): boolean }, count: number): Promise<void> {
  for (let i = 0; i < count; i++) if (!stream.write(MESSAGE)) await once(stream, 'drain');
}

function expect(received: number, sent: number): void {
  if (received !== sent) throw new Error(`${received} of ${sent} messages have arrived`);
}
