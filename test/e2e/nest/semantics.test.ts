import { getEventListeners } from 'node:events';
import { Metadata, type ServerWritableStream, status as Status } from '@grpc/grpc-js';
import type { ClientGrpc } from '@nestjs/microservices';
import type { GrpcLbClientOptions } from 'nestjs-grpc-lb';
import { EMPTY, lastValueFrom, NEVER, type Observable, toArray } from 'rxjs';
import { describe, expect, it, onTestFinished } from 'vitest';
import type { Line } from '../../support/echo/cluster.js';
import { expectNoLeaks } from '../../support/run/leaks.js';
import { CLIENTS, echoOptions, type EchoStub, errorOf, startApp } from '../../support/nest/app.js';
import { failure, metadataOf, type PartialLine, ScriptedBackend, type Script } from '../../support/nest/backend.js';

expectNoLeaks();

const balanced = CLIENTS['the balanced client'];

async function connect(
  script: Script,
  { client = balanced, more = {} }: { client?: typeof balanced; more?: Partial<GrpcLbClientOptions> } = {},
): Promise<{ backend: ScriptedBackend; echo: EchoStub }> {
  const backend = await new ScriptedBackend(script).start();
  const app = await startApp(client(echoOptions(backend.target, more)));
  return { backend, echo: app.get<ClientGrpc>('ECHO').getService<EchoStub>('Echo') };
}

/** Calls of each kind that a backend never answers. */
const UNANSWERED: Script = { say: () => {}, repeat: () => {}, join: () => {}, talk: () => {} };
const KINDS: Record<keyof Script, (echo: EchoStub) => Observable<Line>> = {
  say: (echo) => echo.say({ text: 'x' }),
  repeat: (echo) => echo.repeat({ text: 'x' }),
  join: (echo) => echo.join(NEVER),
  talk: (echo) => echo.talk(NEVER),
};
const KIND_NAMES = Object.keys(KINDS) as (keyof Script)[];

type RepeatCall = ServerWritableStream<Line, PartialLine>;

describe.each(Object.entries(CLIENTS))('as with %s', (_, client) => {
  it('nothing is sent before a subscription, and each subscription is a call', async () => {
    const { backend, echo } = await connect({ say: (call, done) => done(null, call.request) }, { client });
    const call = echo.say({ text: 'x' });
    echo.say({ text: 'nobody asks' });
    expect(await lastValueFrom(call)).toMatchObject({ text: 'x' });
    expect(await lastValueFrom(call)).toMatchObject({ text: 'x' });
    expect(backend.seen).toHaveLength(2);
  });

  it.each(KIND_NAMES)('unsubscribing cancels the call on the server: %s', async (kind) => {
    const { backend, echo } = await connect(UNANSWERED, { client });
    const arrival = backend.arrival;
    const told: unknown[] = [];
    const subscription = KINDS[kind](echo).subscribe({
      next: (x) => told.push(x),
      error: (x) => told.push(x),
      complete: () => told.push('end'),
    });
    const { method, cancelled } = await arrival;
    subscription.unsubscribe();
    await cancelled;
    expect(method).toBe(kind);
    expect(told).toEqual([]);
  });

  it.each(KIND_NAMES)('an error carries code, details and trailers: %s', async (kind) => {
    const error = failure(Status.FAILED_PRECONDITION, 'the box is shut', { 'x-box': 'seven' });
    const fail = (call: { emit(event: string, error: Error): unknown }): unknown => call.emit('error', error);
    const script: Script = {
      say: (_call, done) => done(error),
      repeat: fail,
      join: (_call, done) => done(error),
      talk: fail,
    };
    const { echo } = await connect(script, { client });
    const found = await errorOf(KINDS[kind](echo));
    expect(found).toBeInstanceOf(Error);
    expect(found).toMatchObject({ code: Status.FAILED_PRECONDITION, details: 'the box is shut' });
    expect(found.metadata.get('x-box')).toEqual(['seven']);
  });

  it.each(KIND_NAMES)('metadata is sent with the call: %s', async (kind) => {
    const { backend, echo } = await connect(UNANSWERED, { client });
    const metadata = metadataOf({ 'x-tenant': 'blue' });
    const stub = echo as unknown as Record<string, (request: unknown, metadata: unknown) => Observable<Line>>;
    const arrival = backend.arrival;
    const subscription = stub[kind]!(kind === 'join' || kind === 'talk' ? NEVER : {}, metadata).subscribe();
    expect((await arrival).metadata.get('x-tenant')).toEqual(['blue']);
    subscription.unsubscribe();
  });

  it.each([
    ['a Date', (ms: number) => new Date(Date.now() + ms)],
    ['milliseconds since the epoch', (ms: number) => Date.now() + ms],
  ])('a deadline may be %s, and the server knows it', async (_name, deadlineIn) => {
    const { backend, echo } = await connect(
      { say: (call, done) => call.request.text === 'first' && done(null, {}) },
      { client },
    );
    await lastValueFrom(echo.say({ text: 'first' }));
    expect(await errorOf(echo.say({ text: 'x' }, { deadline: deadlineIn(60) }))).toMatchObject({
      code: Status.DEADLINE_EXCEEDED,
    });
    const arrival = backend.arrival;
    const deadline = deadlineIn(600_000);
    const from = Date.now();
    const subscription = echo.say({ text: 'x' }, { deadline }).subscribe();
    const seen = Number((await arrival).deadline);
    // It is sent as the remaining time, so the deadline of the server is later by the latency.
    expect(seen).toBeGreaterThan(Number(deadline) - 20);
    expect(seen).toBeLessThan(Number(deadline) + (Date.now() - from) + 20);
    subscription.unsubscribe();
  });

  it('all messages before an error arrive before it', async () => {
    const repeat = (call: RepeatCall): void => {
      for (let i = 0; i < 200; i++) call.write({ text: String(i) });
      call.emit('error', failure(Status.ABORTED, 'that is all'));
    };
    const { echo } = await connect({ repeat }, { client });
    const told: unknown[] = [];
    await new Promise<void>((resolve) => {
      echo.repeat({}).subscribe({
        next: ({ text }) => told.push(Number(text)),
        error: ({ code }: { code: number }) => resolve(void told.push(Status[code])),
      });
    });
    expect(told).toEqual([...Array.from({ length: 200 }, (_item, i) => i), 'ABORTED']);
  });

  it('a long stream of responses arrives whole and in order', async () => {
    const repeat = (call: RepeatCall): void => {
      for (let i = 0; i < 1000; i++) call.write({ times: i });
      call.end();
    };
    const { echo } = await connect({ repeat }, { client });
    const lines = await lastValueFrom(echo.repeat({}).pipe(toArray()));
    expect(lines.map(({ times }) => times)).toEqual(Array.from({ length: 1000 }, (_item, i) => i));
  });

  it('a stream without messages just completes', async () => {
    const { echo } = await connect(
      { repeat: (call) => call.end(), talk: (call) => call.on('data', () => {}).on('end', () => call.end()) },
      { client },
    );
    expect(await lastValueFrom(echo.repeat({}).pipe(toArray()))).toEqual([]);
    expect(await lastValueFrom(echo.talk(EMPTY).pipe(toArray()))).toEqual([]);
  });

  it('unsubscribing in the middle of a stream stops it', async () => {
    const { backend, echo } = await connect(
      { repeat: (call) => call.write({ text: 'one' }) && call.write({ text: 'two' }) },
      { client },
    );
    const arrival = backend.arrival;
    const told: string[] = [];
    const subscription = echo.repeat({}).subscribe(({ text }) => {
      told.push(text);
      subscription.unsubscribe();
    });
    await (
      await arrival
    ).cancelled;
    expect(told).toEqual(['one']);
  });
});

describe('better than with Nest’s ClientGrpc', () => {
  it.each(KIND_NAMES)('CANCELLED from the server is an error like any other: %s', async (kind) => {
    // Nest recognizes it by the text, `Cancelled`.
    for (const details of ['Cancelled', 'shutting down']) {
      const error = failure(Status.CANCELLED, details);
      const fail = (call: { emit(event: string, error: Error): unknown }): unknown => call.emit('error', error);
      const { echo } = await connect({
        say: (_call, done) => done(error),
        repeat: fail,
        join: (_call, done) => done(error),
        talk: fail,
      });
      expect(await errorOf(KINDS[kind](echo))).toMatchObject({ code: Status.CANCELLED, details });
    }
  });

  it.each(KIND_NAMES)('options reach every kind of call: %s', async (kind) => {
    const { echo } = await connect(UNANSWERED);
    const stub = echo as unknown as Record<string, (request: unknown, ...rest: unknown[]) => Observable<Line>>;
    const request = kind === 'join' || kind === 'talk' ? NEVER : {};
    const deadline = new Date(Date.now() + 30);
    for (const rest of [[{ deadline }], [undefined, { deadline }], [metadataOf({}), { deadline }], [{ timeout: 1 }]]) {
      expect(await errorOf(stub[kind]!(request, ...rest))).toMatchObject({ code: Status.DEADLINE_EXCEEDED });
    }
  });

  it('a timeout counts from the subscription, and the earlier of timeout and deadline applies', async () => {
    const { echo } = await connect(UNANSWERED);
    const call = echo.say({}, { timeout: 40 });
    const later = echo.say({}, { timeout: 60_000, deadline: Date.now() + 40 });
    const sooner = echo.say({}, { timeout: 40, deadline: new Date(Date.now() + 60_000) });
    for (const each of [call, call, later, sooner]) {
      expect(await errorOf(each)).toMatchObject({ code: Status.DEADLINE_EXCEEDED });
    }
  });

  it.each([0, -1, Number.NaN, Infinity, 2 ** 31, '5'])('a timeout of %s is rejected', async (timeout) => {
    const { backend, echo } = await connect(UNANSWERED);
    const error = await errorOf(echo.say({}, { timeout: timeout as number }));
    expect(error.message).toMatch(
      /^client ECHO, Echo\/Say: options\.timeout is .*; pass a number from 1 to 2147483647 \(milliseconds\)$/,
    );
    expect(backend.seen).toEqual([]);
  });

  it('metadata and options of a wrong type are rejected without showing their content', async () => {
    const { backend, echo } = await connect(UNANSWERED);
    const stub = echo as unknown as Record<string, (request: unknown, ...rest: unknown[]) => Observable<Line>>;
    const plain = await errorOf(stub['say']!({}, { authorization: 'Bearer s3cret' }, {}));
    expect(plain).toMatchObject({ name: 'GrpcLbArgumentError', code: 'GRPC_LB_INVALID_ARGUMENT' });
    expect(plain.message).toBe(
      'client ECHO, Echo/Say: metadata is another object; pass headers among the options, as in ' +
        "{ metadata: { 'x-tenant': 'acme' } }, or a Metadata of the @grpc/grpc-js that this package uses",
    );
    const lookalike = await errorOf(stub['say']!({}, { getMap: () => ({ authorization: 'Bearer s3cret' }) }));
    expect(lookalike.message).toBe(
      'client ECHO, Echo/Say: metadata is another object; pass a Metadata of the @grpc/grpc-js that this package uses',
    );
    const text = await errorOf(stub['say']!({}, 'Bearer s3cret'));
    expect(text.message).toBe('client ECHO, Echo/Say: options is a string; pass an object, as in { timeout: 1000 }');
    expect(backend.seen).toEqual([]);
  });

  it('a streaming call without a stream is rejected', async () => {
    const { echo } = await connect(UNANSWERED);
    for (const kind of ['join', 'talk'] as const) {
      const error = await errorOf(echo[kind]({ text: 'x' } as never));
      expect(error.message).toMatch(
        /^client ECHO, Echo\/\w+: request is another object, but the method takes a stream of requests; pass an Observable or an \(async\) iterable$/,
      );
    }
  });
});

describe('an AbortSignal', () => {
  it('that is already aborted prevents the call', async () => {
    const { backend, echo } = await connect({ say: (_call, done) => done(null, {}) });
    const reason = new Error('too late');
    const error = await errorOf(echo.say({}, { signal: AbortSignal.abort(reason) }));
    expect(error).toMatchObject({
      code: Status.CANCELLED,
      details: expect.stringContaining('AbortSignal'),
      cause: reason,
    });
    await lastValueFrom(echo.say({}));
    expect(backend.seen).toHaveLength(1);
  });

  it.each(KIND_NAMES)('cancels a running call on the server, and its reason is the cause: %s', async (kind) => {
    const { backend, echo } = await connect(UNANSWERED);
    const stub = echo as unknown as Record<string, (request: unknown, options: object) => Observable<Line>>;
    const { signal, abort } = abortable();
    const arrival = backend.arrival;
    const error = errorOf(stub[kind]!(kind === 'join' || kind === 'talk' ? NEVER : {}, { signal }));
    const { cancelled } = await arrival;
    const reason = new Error('the user has left');
    abort(reason);
    expect(await error).toMatchObject({ code: Status.CANCELLED, cause: reason });
    await cancelled;
    expect(getEventListeners(signal, 'abort')).toEqual([]);
  });

  it('is released when the call has ended', async () => {
    const { echo } = await connect({ say: (_call, done) => done(null, {}), repeat: (call) => call.end() });
    const { signal } = abortable();
    await lastValueFrom(echo.say({}, { signal }));
    await lastValueFrom(echo.repeat({}, { signal }).pipe(toArray()));
    expect(getEventListeners(signal, 'abort')).toEqual([]);
  });

  it('of more than ten calls of all kinds prints no warning, and ends all of them', async () => {
    const { backend, echo } = await connect(UNANSWERED);
    const warnings: Error[] = [];
    const warn = (warning: Error): void => void warnings.push(warning);
    process.on('warning', warn);
    onTestFinished(() => void process.off('warning', warn));
    const { signal, abort } = abortable();
    const stub = echo as unknown as Record<string, (request: unknown, options: object) => Observable<Line>>;
    const calls = Array.from({ length: 12 }, () =>
      KIND_NAMES.map((kind) => errorOf(stub[kind]!(kind === 'join' || kind === 'talk' ? NEVER : {}, { signal }))),
    ).flat();
    await expect.poll(() => backend.seen.length).toBe(calls.length);
    expect(getEventListeners(signal, 'abort')).toHaveLength(1);
    abort('gone');
    for (const error of await Promise.all(calls))
      expect(error).toMatchObject({ code: Status.CANCELLED, cause: 'gone' });
    expect(getEventListeners(signal, 'abort')).toEqual([]);
    expect(warnings).toEqual([]);
  });

  it('that is aborted in `onStatus` comes too late: the call ends as its status says', async () => {
    const { echo } = await connect({
      say: (_call, done) => done(null, { text: 'x' }),
      join: (call, done) => call.on('data', () => {}).on('end', () => done(null, { text: 'x' })),
      repeat: (call: RepeatCall) => call.end(),
      talk: (call) => call.on('data', () => {}).on('end', () => call.end()),
    });
    for (const kind of KIND_NAMES) {
      const { signal, abort } = abortable();
      const options = { signal, onStatus: () => abort('late') };
      const stub = echo as unknown as Record<string, (request: unknown, options: object) => Observable<Line>>;
      const call = stub[kind]!(kind === 'join' || kind === 'talk' ? EMPTY : {}, options);
      const expected = kind === 'say' || kind === 'join' ? [{ text: 'x' }] : [];
      expect(await lastValueFrom(call.pipe(toArray())), kind).toMatchObject(expected);
    }
  });

  it('ends a call that waits for a connection', async () => {
    const { echo } = await connect({}, { more: { target: 'static:///127.0.0.1:1' } });
    const { signal, abort } = abortable();
    const error = errorOf(echo.say({}, new Metadata({ waitForReady: true }), { signal }));
    abort('gone');
    expect(await error).toMatchObject({ code: Status.CANCELLED, cause: 'gone' });
  });
});

function abortable(): { signal: AbortSignal; abort: (reason: unknown) => void } {
  const controller = new AbortController();
  return { signal: controller.signal, abort: (reason) => controller.abort(reason) };
}

it('the options of the user are not modified at any depth', async () => {
  const more = deepFreeze({
    loader: { defaults: true },
    channelOptions: { 'grpc.enable_retries': 0 },
    maxReceiveMessageLength: 5000,
    maxSendMessageLength: 5000,
    maxMetadataSize: 5000,
    keepalive: { keepaliveTimeMs: 30_000 },
    interceptors: [],
    loadBalancing: { policy: { name: 'least_request', choiceCount: 2 }, pool: { size: 1 } },
  } as Partial<GrpcLbClientOptions>);
  const { echo } = await connect({ say: (call, done) => done(null, call.request) }, { more });
  const callOptions = deepFreeze({ timeout: 5000 });
  expect(await lastValueFrom(echo.say(deepFreeze({ text: 'x' }), callOptions))).toMatchObject({ text: 'x' });
  const metadata = metadataOf({ 'x-mine': '1' });
  await lastValueFrom(echo.say({}, metadata, callOptions));
  expect(metadata.getMap()).toEqual({ 'x-mine': '1' });
});

function deepFreeze<T extends object>(value: T): T {
  for (const each of Object.values(value)) if (typeof each === 'object' && each !== null) deepFreeze(each as object);
  return Object.freeze(value);
}
