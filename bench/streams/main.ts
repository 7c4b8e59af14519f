/**
 * The heap of resumable streams beside plain ones, that of requests which wait for their acknowledgment, and how long a
 * subscriber waits at a move.
 *
 *   npm run bench streams -- [--streams 10000] [--moving 200] [--replaying 20]
 */
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import * as grpc from '@grpc/grpc-js';
import { loadSync } from '@grpc/proto-loader';
import type { Observable, Subscription } from 'rxjs';
import { GrpcLbClientHandle } from '../../libs/grpc-lb/src/nest/client-handle.js';
import { resumable } from '../../libs/grpc-lb/src/nest/streams/resumable.js';

interface Place {
  readonly number: number;
  /** Who has sent it; only in responses. */
  readonly server?: number;
  readonly text?: string;
}

interface Feed {
  watch(request: Place): Observable<Place>;
  plain(request: Place): Observable<Place>;
  talk(requests: Iterable<Place>): Observable<Place>;
}

type Call = grpc.ServerWritableStream<Place, Place>;

const PROTO = fileURLToPath(new URL('../../../../bench/streams/feed.proto', import.meta.url));
const loaded = grpc.loadPackageDefinition(loadSync(PROTO)) as unknown as {
  bench: { feed: { v1: { Feed: grpc.ServiceClientConstructor } } };
};
/** How many streams are opened at a time. */
const AT_ONCE = 100;
/** Between two messages of a stream in the second part. */
const PACE_MS = 5;

const { values } = parseArgs({
  options: {
    streams: { type: 'string', default: '10000' },
    moving: { type: 'string', default: '200' },
    replaying: { type: 'string', default: '20' },
  },
});
const gc = globalThis.gc!;

/** Servers that write a message to all their streams. */
class Backends {
  length = 1;
  readonly #streams = new Map<Call, { next: number; readonly server: number }>();
  readonly #servers: grpc.Server[] = [];

  async start(count: number): Promise<string[]> {
    return Promise.all(Array.from({ length: count }, () => this.#startOne()));
  }

  append(): void {
    this.length++;
    for (const call of this.#streams.keys()) this.#send(call);
  }

  stop(): void {
    for (const server of this.#servers) server.forceShutdown();
  }

  async #startOne(): Promise<string> {
    const server = new grpc.Server();
    const name = this.#servers.length + 1;
    const serve = (call: Call): void => {
      this.#streams.set(call, { next: call.request.number + 1, server: name });
      const gone = (): void => void this.#streams.delete(call);
      call.on('cancelled', gone).on('close', gone).on('error', gone);
      this.#send(call);
    };
    // It takes requests and acknowledges none.
    const talk = (call: grpc.ServerDuplexStream<Place, Place>): unknown => call.on('error', () => {}).resume();
    server.addService(loaded.bench.feed.v1.Feed.service, { watch: serve, plain: serve, talk });
    this.#servers.push(server);
    return new Promise((resolve, reject) => {
      server.bindAsync('127.0.0.1:0', grpc.ServerCredentials.createInsecure(), (error, port) =>
        error ? reject(error) : resolve(`127.0.0.1:${port}`),
      );
    });
  }

  #send(call: Call): void {
    const stream = this.#streams.get(call)!;
    for (; stream.next <= this.length; stream.next++) call.write({ number: stream.next, server: stream.server });
  }
}

const backends = new Backends();
const addresses = await backends.start(3);

/** A client with connections of its own: a server closes those on which thousands of streams are canceled at once. */
function client(): GrpcLbClientHandle {
  const options = {
    target: `static:///${addresses.join(',')}`,
    package: 'bench.feed.v1',
    protoPath: PROTO,
    resumable: [
      resumable<Feed, number>({ method: 'watch', token: ({ number }) => number, resume: (_, number) => ({ number }) }),
    ],
    // The second part moves streams itself.
    loadBalancing: { pool: { maxPending: 100_000 }, streams: { rebalance: false } },
  } as const;
  return new GrpcLbClientHandle('FEED', options, () => {});
}

/** Bytes of heap for each stream of a method, server's side included. */
async function heapOf(method: 'watch' | 'plain', count: number): Promise<number> {
  const handle = client();
  const feed = handle.getService<Feed>('Feed');
  for (let i = 0; i < 3; i++) gc();
  const before = process.memoryUsage().heapUsed;
  const subscriptions: Subscription[] = [];
  while (subscriptions.length < count) {
    const opened = Array.from({ length: Math.min(AT_ONCE, count - subscriptions.length) }, async () => {
      await new Promise<void>((next, error) => {
        subscriptions.push(feed[method]({ number: backends.length - 1 }).subscribe({ next: () => next(), error }));
      });
    });
    await Promise.all(opened);
  }
  for (let i = 0; i < 3; i++) gc();
  const after = process.memoryUsage().heapUsed;
  for (const subscription of subscriptions) subscription.unsubscribe();
  handle.close();
  await new Promise((resolve) => setTimeout(resolve, 1000));
  return (after - before) / count;
}

async function memory(count: number): Promise<void> {
  await heapOf('plain', count);
  const rounds: number[] = [];
  for (let round = 1; round <= 3; round++) {
    const plain = await heapOf('plain', count);
    const more = (await heapOf('watch', count)) - plain;
    rounds.push(more);
    console.log(`round ${round}: plain ${Math.round(plain)} bytes a stream, resumable ${Math.round(more)} more`);
  }
  const [, median] = rounds.toSorted((a, b) => a - b);
  console.log(`a resumable stream of ${count}: ${Math.round(median!)} bytes above a plain one (bound: 4096)`);
}

/** The heap of requests of so many bytes that are sent and not acknowledged, until no more are taken. */
async function replay(streams: number, bytes: number): Promise<void> {
  const options = {
    target: `static:///${addresses.join(',')}`,
    package: 'bench.feed.v1',
    protoPath: PROTO,
    resumable: [
      resumable<{ talk(requests: Observable<Place>): Observable<Place> }, number>({
        method: 'talk',
        token: ({ number }) => number,
        resume: () => undefined,
        replay: { key: ({ number }) => number, acknowledged: () => undefined, maxPending: 100_000 },
      }),
    ],
  } as const;
  const handle = new GrpcLbClientHandle('FEED', options, () => {});
  const feed = handle.getService<Feed>('Feed');
  let taken = 0;
  function* requests(): Generator<Place> {
    // Each text is an object of its own.
    for (let number = 1; ; taken++) yield { number: number++, text: `${number}`.padEnd(bytes, 'x') };
  }
  for (let i = 0; i < 3; i++) gc();
  const before = process.memoryUsage().heapUsed;
  const subscriptions = Array.from({ length: streams }, () => feed.talk(requests()).subscribe({ error: () => {} }));
  for (let last = -1; last !== taken;) {
    last = taken;
    await new Promise((resolve) => setTimeout(resolve, 500));
  }
  for (let i = 0; i < 3; i++) gc();
  const heap = process.memoryUsage().heapUsed - before;
  for (const subscription of subscriptions) subscription.unsubscribe();
  handle.close();
  await new Promise((resolve) => setTimeout(resolve, 1000));
  const each = taken / streams;
  console.log(
    `replay: a stream keeps ${Math.round(each)} requests of ${bytes} bytes in ${Math.round(heap / streams / 1024)} KiB ` +
      `(maxPendingBytes: 1024 KiB), ${Math.round(heap / taken - bytes)} bytes a request above its text`,
  );
}

/** Where a subscriber is. */
interface Seen {
  at: number;
  number: number;
  server: number | undefined;
}

async function gaps(count: number): Promise<void> {
  const handle = client();
  const feed = handle.getService<Feed>('Feed');
  let wrong = 0;
  /** Milliseconds between two messages of one server, and between the last of one and the first of the next. */
  const waits: number[] = [];
  const moves: number[] = [];
  const subscriptions = Array.from({ length: count }, () => {
    const seen: Seen = { at: 0, number: backends.length - 1, server: undefined };
    return feed.watch({ number: seen.number }).subscribe(({ number, server }) => {
      const now = performance.now();
      if (number !== seen.number + 1) wrong++;
      if (seen.server !== undefined) (server === seen.server ? waits : moves).push(now - seen.at);
      Object.assign(seen, { at: now, number, server });
    });
  });
  const writing = setInterval(() => backends.append(), PACE_MS);
  // Each backend in turn gives its streams away.
  for (const address of addresses) {
    await new Promise((resolve) => setTimeout(resolve, 1000));
    handle.eject(address, 60_000);
    await new Promise((resolve) => setTimeout(resolve, 3000));
    handle.restore(address);
  }
  clearInterval(writing);
  for (const subscription of subscriptions) subscription.unsubscribe();
  handle.close();
  console.log(
    `${count} streams, a message every ${PACE_MS} ms, ${moves.length} moves; p99 between two messages: ` +
      `${quantile(waits).toFixed(1)} ms on one server, ${quantile(moves).toFixed(1)} ms at a move (bound: 50 ms more); ` +
      `lost, doubled or out of order: ${wrong}`,
  );
}

function quantile(waits: readonly number[]): number {
  return waits.toSorted((a, b) => a - b)[Math.floor(waits.length * 0.99)]!;
}

await memory(Number(values.streams));
for (const bytes of [10, 1000, 50_000]) await replay(Number(values.replaying), bytes);
await gaps(Number(values.moving));
backends.stop();
