import { AsyncLocalStorage } from 'node:async_hooks';
import { subscribe, unsubscribe } from 'node:diagnostics_channel';
import v8 from 'node:v8';
import vm from 'node:vm';
import * as grpc from '@grpc/grpc-js';
import type { ClientGrpc } from '@nestjs/microservices';
import { expect, onTestFinished, test } from 'vitest';
import type { EndpointListener, EndpointSource } from '../../../libs/grpc-lb/src/core/endpoint-source.js';
import type { LoadBalancingOptions } from '../../../libs/grpc-lb/src/core/options/load-balancing.js';
import { registerEndpointSource } from '../../../libs/grpc-lb/src/discovery/index.js';
import { BalancedClient } from '../../support/echo/balanced-client.js';
import { startBackend } from '../../support/echo/backends.js';
import { deferred, type Line, staticTarget } from '../../support/echo/cluster.js';
import { CLIENTS, echoOptions, type EchoStub, startApp } from '../../support/nest/app.js';
import { ScriptedBackend } from '../../support/nest/backend.js';
import { expectNoLeaks } from '../../support/run/leaks.js';
import { eventually } from '../../support/time/patience.js';

expectNoLeaks();

const CALLS = 40;
const tenant = new AsyncLocalStorage<number>();

/** What each caller got, with the tenant in whose context it got it. */
class Diary {
  readonly entries: { readonly by: number; readonly in: number | undefined; readonly what: string }[] = [];
  #ended = 0;
  readonly #all = deferred();

  note(by: number, what: string): void {
    this.entries.push({ by, in: tenant.getStore(), what });
  }

  /** The last entry of a caller. */
  end(by: number, what: string): void {
    this.note(by, what);
    if (++this.#ended === CALLS) this.#all.resolve();
  }

  get complete(): Promise<void> {
    return this.#all.promise;
  }

  /** Expects that each caller got these, in any order, and all in its own context. */
  expectOwn(what: readonly string[]): void {
    expect(this.entries.filter((entry) => entry.in !== entry.by)).toEqual([]);
    for (let by = 0; by < CALLS; by++) {
      const got = this.entries.filter((entry) => entry.by === by).map((entry) => entry.what);
      expect(got.toSorted()).toEqual(what.toSorted());
    }
  }
}

interface Case {
  readonly loadBalancing?: LoadBalancingOptions;
  /** What the backend does with the attempts of each call: the first, and so on. */
  readonly attempts: readonly ('answer' | 'fail' | 'hang')[];
  readonly timeout?: number;
  /**
   * Calls at a time on each backend. The client sets it: servers of Node 22.23 and later refuse a stream that takes the
   * place of one which was reset in the same turn (docs/guide/runtimes.md).
   */
  readonly limit?: number;
  readonly gets: { readonly unary: readonly string[]; readonly stream: readonly string[] };
}

const RETRY = { maxAttempts: 2, initialBackoff: 1, throttling: false, budget: false } as const;
const HEDGE = { delay: 1, methods: { Say: true, Repeat: true } } as const;
const ANSWERED = { unary: ['headers', 'x', 'status 0', 'end'], stream: ['headers', 'x', 'x', 'status 0', 'end'] };
const ended = (code: grpc.status): Case['gets'] => ({
  unary: [`status ${code}`, `error ${code}`],
  stream: [`status ${code}`, `error ${code}`],
});

const CASES: Record<string, Case> = {
  answers: { attempts: ['answer'], gets: ANSWERED },
  errors: { attempts: ['fail'], gets: ended(grpc.status.UNAVAILABLE) },
  retries: { loadBalancing: { retry: RETRY }, attempts: ['fail', 'answer'], gets: ANSWERED },
  hedges: {
    loadBalancing: { hedge: HEDGE, retry: { throttling: false, budget: false } },
    attempts: ['hang', 'answer'],
    // A hedge does not wait for room.
    limit: 2 * CALLS,
    gets: ANSWERED,
  },
  deadlines: { attempts: ['hang'], timeout: 200, gets: ended(grpc.status.DEADLINE_EXCEEDED) },
};

async function twoBackends({ attempts }: Pick<Case, 'attempts'>): Promise<string> {
  const next = (metadata: grpc.Metadata): Case['attempts'][number] => {
    const previous = Number(metadata.get('grpc-previous-rpc-attempts')[0] ?? 0);
    return attempts[Math.min(previous, attempts.length - 1)]!;
  };
  const failure = { code: grpc.status.UNAVAILABLE, details: 'as told' };
  const start = (): Promise<ScriptedBackend> =>
    new ScriptedBackend({
      say: (call, done) => {
        const todo = next(call.metadata);
        if (todo === 'answer') setImmediate(() => done(null, { text: 'x' }));
        if (todo === 'fail') setImmediate(() => done(failure));
      },
      repeat: (call) => {
        const todo = next(call.metadata);
        if (todo === 'fail') setImmediate(() => call.emit('error', failure));
        if (todo !== 'answer') return;
        call.write({ text: 'x' });
        setImmediate(() => {
          call.write({ text: 'x' });
          call.end();
        });
      },
    }).start();
  const servers = await Promise.all([start(), start()]);
  return `static:///${servers.map(({ address }) => address).join(',')}`;
}

function optionsOf({ loadBalancing, limit = 2 }: Case): LoadBalancingOptions {
  const pool = { maxSize: 1, maxConcurrentStreams: limit };
  return { ...loadBalancing, pool, health: { enabled: false }, ejection: { enabled: false } };
}

const kinds = Object.entries(CASES).flatMap(([name, each]) =>
  (['unary', 'stream'] as const).map((kind) => [name, kind, each] as const),
);

test.each(kinds)(
  '%s of 40 calls at the stream limit arrive in the context of their own subscriber: Nest, %s',
  async (_, kind, each) => {
    const target = await twoBackends(each);
    const options = echoOptions(target, { loadBalancing: optionsOf(each) });
    const app = await startApp(CLIENTS['the balanced client'](options));
    const echo = app.get<ClientGrpc>('ECHO').getService<EchoStub>('Echo');
    const diary = new Diary();
    for (let by = 0; by < CALLS; by++) {
      tenant.run(by, () => {
        const callOptions = {
          ...(each.timeout !== undefined && { timeout: each.timeout }),
          onMetadata: () => diary.note(by, 'headers'),
          onStatus: ({ code }: grpc.StatusObject) => diary.note(by, `status ${code}`),
        };
        const call = kind === 'unary' ? echo.say({}, callOptions) : echo.repeat({ times: 2 }, callOptions);
        call.subscribe({
          next: ({ text }) => diary.note(by, text),
          complete: () => diary.end(by, 'end'),
          error: ({ code }: grpc.ServiceError) => diary.end(by, `error ${code}`),
        });
      });
    }
    await diary.complete;
    diary.expectOwn(each.gets[kind]);
  },
);

test.each(kinds)(
  '%s of 40 calls at the stream limit arrive in the context of their own caller: a grpc-js client, %s',
  async (_, kind, each) => {
    const target = await twoBackends(each);
    const methods = ['Say', 'Repeat'].map((method) => ({
      service: 'echo.v1.Echo',
      method,
      responseStream: method === 'Repeat',
    }));
    const client = new BalancedClient({ target, loadBalancing: optionsOf(each), methods });
    const diary = new Diary();
    for (let by = 0; by < CALLS; by++) {
      tenant.run(by, () => {
        const deadline = each.timeout === undefined ? Infinity : Date.now() + each.timeout;
        const end = (error: grpc.ServiceError | null): void => diary.end(by, error ? `error ${error.code}` : 'end');
        const call =
          kind === 'unary'
            ? client.echo.Say({}, new grpc.Metadata(), { deadline }, (error, line) => {
                if (line) diary.note(by, line.text);
                end(error);
              })
            : (client.echo as unknown as StreamStub).Repeat({ times: 2 }, new grpc.Metadata(), { deadline });
        call.on('metadata', () => diary.note(by, 'headers'));
        call.on('status', ({ code }: grpc.StatusObject) => diary.note(by, `status ${code}`));
        if (kind === 'unary') return;
        call.on('data', ({ text }: Line) => diary.note(by, text));
        call.on('error', end);
        call.on('end', () => diary.note(by, 'no more'));
        call.on('close', () => {
          if (!diary.entries.some((entry) => entry.by === by && entry.what.startsWith('error'))) diary.end(by, 'end');
        });
      });
    }
    await diary.complete;
    expect(diary.entries.filter((entry) => entry.in !== entry.by)).toEqual([]);
    expect(diary.entries.filter(({ what }) => what === each.gets[kind].at(-1))).toHaveLength(CALLS);
  },
);

interface StreamStub {
  Repeat(line: Partial<Line>, metadata: grpc.Metadata, options: grpc.CallOptions): grpc.ClientReadableStream<Line>;
}

test('cancellation arrives in the context of the subscriber, not of the one who aborts or closes', async () => {
  const target = await twoBackends({ attempts: ['hang'] });
  const app = await startApp(CLIENTS['the balanced client'](echoOptions(target)));
  const echo = app.get<ClientGrpc>('ECHO').getService<EchoStub>('Echo');
  const diary = new Diary();
  const aborts: AbortController[] = [];
  for (let by = 0; by < CALLS; by++) {
    const abort = new AbortController();
    // Half of them are cancelled by a signal; the application closes before the others have ended.
    if (by % 2 === 0) aborts.push(abort);
    tenant.run(by, () => {
      const call = by % 4 < 2 ? echo.say({}, { signal: abort.signal }) : echo.repeat({}, { signal: abort.signal });
      call.subscribe({ error: () => diary.end(by, 'error') });
    });
  }
  await tenant.run(-1, async () => {
    for (const abort of aborts) abort.abort();
    await app.close();
    await diary.complete;
  });
  diary.expectOwn(['error']);
});

test('requests of a stream that waited are asked for in the context of its own caller', async () => {
  const server = new ScriptedBackend(
    { join: (call, done) => call.on('data', () => {}).on('end', () => done(null, { text: 'joined' })) },
    { 'grpc.max_concurrent_streams': 1 },
  );
  await server.start();
  const loadBalancing = { pool: { maxSize: 1 }, health: { enabled: false } };
  // More than what a call keeps, so that its requests go at the pace of the connection.
  const channelOptions = { 'grpc.per_rpc_retry_buffer_size': 100_000 };
  const options = echoOptions(server.target, { loadBalancing, channelOptions });
  const app = await startApp(CLIENTS['the balanced client'](options));
  const echo = app.get<ClientGrpc>('ECHO').getService<EchoStub>('Echo');
  const diary = new Diary();
  async function* requests(by: number): AsyncGenerator<Partial<Line>> {
    for (let i = 0; i < 10; i++) {
      diary.note(by, 'request');
      yield { text: 'x'.repeat(30_000) };
    }
  }
  for (let by = 0; by < CALLS; by++) {
    tenant.run(by, () => {
      echo.join(requests(by)).subscribe({ next: ({ text }) => diary.end(by, text) });
    });
  }
  await diary.complete;
  diary.expectOwn([...Array<string>(10).fill('request'), 'joined']);
});

test('connections and discovery are started outside the context of the call that needs them', async () => {
  const server = await startBackend({}, { maxConcurrentStreams: 1 });
  const found: (number | undefined)[] = [];
  const onSocket = (): void => void found.push(tenant.getStore());
  subscribe('net.client.socket', onSocket);
  onTestFinished(() => void unsubscribe('net.client.socket', onSocket));
  const started: (number | undefined)[] = [];
  let listener: EndpointListener;
  registerEndpointSource('contexts', (): EndpointSource => ({
    start: (to) => {
      started.push(tenant.getStore());
      listener = to;
      queueMicrotask(() => listener.onEndpoints([{ address: { host: '127.0.0.1', port: server.port } }]));
    },
    refresh: () => void started.push(tenant.getStore()),
    stop: () => {},
  }));
  const events: (number | undefined)[] = [];
  const client = new BalancedClient({ target: 'contexts:///x', loadBalancing: { health: { enabled: false } } });
  const push = client.events.push.bind(client.events);
  client.events.push = (...items) => {
    events.push(tenant.getStore());
    return push(...items);
  };
  // The second call needs another connection.
  server.hang();
  const calls = [1, 2].map((by) => tenant.run(by, () => client.say()));
  await eventually(() => server.calls === 2);
  server.recover();
  await Promise.all(calls);
  expect(started).toEqual([undefined]);
  expect(found).toEqual([undefined, undefined]);
  expect(new Set(events)).toEqual(new Set([undefined]));
});

test('nothing that outlives a call keeps its context: connections, watches, timers', async () => {
  const server = await startBackend({ health: true });
  const client = new BalancedClient({
    target: staticTarget([server]),
    // grpc-js starts its keepalive timer in the context of a call, where it stays until the first PING.
    channelOptions: { 'grpc.keepalive_time_ms': -1 },
  });
  const request = new AsyncLocalStorage<object>();
  const call = async (): Promise<WeakRef<object>> => {
    const context = { large: Buffer.alloc(1000) };
    await request.run(context, () => client.say());
    return new WeakRef(context);
  };
  const contexts = [await call(), await call()];
  // The ledger keeps the last call until the next.
  await client.say();
  v8.setFlagsFromString('--expose-gc');
  const collect = vm.runInNewContext('gc') as () => void;
  await eventually(() => {
    collect();
    return contexts.every((context) => context.deref() === undefined);
  });
  expect(client.states).toEqual({ [server.address]: 'ready' });
});
