import { createServer } from 'node:http2';
import { once } from 'node:events';
import type { AddressInfo } from 'node:net';
import { InterceptingCall, type Interceptor, Metadata, status as Status } from '@grpc/grpc-js';
import type { ClientGrpc } from '@nestjs/microservices';
import { GrpcLbModule, type GrpcLbClientOptions, GrpcLbRegistry, roundRobin } from 'nestjs-grpc-lb';
import { firstValueFrom, type Observable } from 'rxjs';
import type { FleetBackend } from 'nestjs-grpc-lb/testing';
import { describe, expect, it, onTestFinished } from 'vitest';
import { startBackend } from '../../support/echo/backends.js';
import { deferred } from '../../support/echo/cluster.js';
import { expectNoLeaks } from '../../support/run/leaks.js';
import { CLIENTS, echoOptions, type EchoStub, errorOf, startApp } from '../../support/nest/app.js';
import { failure, metadataOf, ScriptedBackend, type Script } from '../../support/nest/backend.js';

expectNoLeaks();

const balanced = CLIENTS['the balanced client'];

async function connect(target: string, more: Partial<GrpcLbClientOptions> = {}, client = balanced): Promise<EchoStub> {
  const app = await startApp(client(echoOptions(target, more)));
  return app.get<ClientGrpc>('ECHO').getService<EchoStub>('Echo');
}

const answering: Script = { say: (call, done) => done(null, call.request) };

/** What Nest's gRPC options say about the transport means the same here. */
describe.each(Object.entries(CLIENTS))('as with %s', (_, client) => {
  it('messages that are too long are rejected', async () => {
    const long = { text: 'x'.repeat(5000) };
    const backend = await new ScriptedBackend({ say: (_call, done) => done(null, long) }).start();
    const receiving = await connect(backend.target, { maxReceiveMessageLength: 1000 }, client);
    expect(await errorOf(receiving.say({}))).toMatchObject({ code: Status.RESOURCE_EXHAUSTED });
    const sending = await connect(backend.target, { maxSendMessageLength: 1000 }, client);
    expect(await errorOf(sending.say(long))).toMatchObject({ code: Status.RESOURCE_EXHAUSTED });
    const both = await connect(backend.target, {}, client);
    expect(await firstValueFrom(both.say(long))).toMatchObject(long);
  });

  it('a named option overrides the same channel option', async () => {
    const backend = await new ScriptedBackend({ say: (_call, done) => done(null, { text: 'x'.repeat(5000) }) }).start();
    const channelOptions = { 'grpc.max_receive_message_length': 1000 };
    const narrow = await connect(backend.target, { channelOptions }, client);
    expect(await errorOf(narrow.say({}))).toMatchObject({ code: Status.RESOURCE_EXHAUSTED });
    const wide = await connect(
      backend.target,
      { channelOptions: { ...channelOptions }, maxReceiveMessageLength: 10_000 },
      client,
    );
    expect((await firstValueFrom(wide.say({}))).text).toHaveLength(5000);
  });

  it('keepalive options cause PINGs', async () => {
    const server = createServer();
    const pinged = deferred();
    server.on('session', (session) => session.once('ping', () => pinged.resolve()));
    await once(server.listen(0, '127.0.0.1'), 'listening');
    onTestFinished(() => void server.close());
    const keepalive = { keepaliveTimeMs: 10, keepalivePermitWithoutCalls: 1 };
    const echo = await connect(`static:///127.0.0.1:${(server.address() as AddressInfo).port}`, { keepalive }, client);
    const subscription = echo.say({}).subscribe({ error: () => {} });
    await pinged.promise;
    subscription.unsubscribe();
  });

  it.each([{ interceptors: [tagging('x-tag', 'nest')] }, { interceptor_providers: [() => tagging('x-tag', 'nest')] }])(
    'interceptors among the channel options run: %o',
    async (channelOptions) => {
      const backend = await new ScriptedBackend(answering).start();
      const echo = await connect(backend.target, { channelOptions: channelOptions as object }, client);
      await firstValueFrom(echo.say({}));
      expect(backend.seen[0]!.metadata.get('x-tag')).toEqual(['nest']);
    },
  );

  it('the timeout of a service config ends a call', async () => {
    const say: Script['say'] = (call, done) => call.request.text === 'first' && done(null, {});
    const backend = await new ScriptedBackend({ say }).start();
    // All nine digits: grpc-js reads the digits after the point as nanoseconds.
    const echo = await connect(backend.target, { channelOptions: serviceConfig({ timeout: '0.150000000s' }) }, client);
    // On a busy machine the first answer may take longer.
    const answered = (): Promise<boolean> =>
      firstValueFrom(echo.say({ text: 'first' })).then(
        () => true,
        () => false,
      );
    await expect.poll(answered).toBe(true);
    expect(await errorOf(echo.say({}))).toMatchObject({ code: Status.DEADLINE_EXCEEDED });
    expect(backend.seen[0]!.deadline).not.toBe(Infinity);
  });

  it('the retry policy of a service config retries', async () => {
    let calls = 0;
    const say: Script['say'] = (call, done) =>
      ++calls < 3 ? done(failure(Status.UNAVAILABLE, 'not yet')) : done(null, call.request);
    const backend = await new ScriptedBackend({ say }).start();
    const echo = await connect(backend.target, { channelOptions: serviceConfig({ retryPolicy: RETRY }) }, client);
    expect(await firstValueFrom(echo.say({ text: 'x' }))).toMatchObject({ text: 'x' });
    expect(backend.seen.map(({ metadata }) => metadata.get('grpc-previous-rpc-attempts'))).toEqual([[], ['1'], ['2']]);
  });
});

const RETRY = {
  maxAttempts: 3,
  initialBackoff: '0.01s',
  maxBackoff: '0.01s',
  backoffMultiplier: 1,
  retryableStatusCodes: ['UNAVAILABLE'],
};

function serviceConfig(method: object): GrpcLbClientOptions['channelOptions'] {
  return {
    'grpc.service_config': JSON.stringify({ methodConfig: [{ name: [{ service: 'echo.v1.Echo' }], ...method }] }),
  };
}

/** Adds a header to each call. */
function tagging(key: string, value: string): Interceptor {
  return (options, nextCall) =>
    new InterceptingCall(nextCall(options), {
      start(metadata, listener, next) {
        metadata.set(key, value);
        next(metadata, listener);
      },
    });
}

it('each attempt of a call is balanced', async () => {
  const sick = await new ScriptedBackend({ say: (_call, done) => done(failure(Status.UNAVAILABLE, 'sick')) }).start();
  const sound = await new ScriptedBackend(answering).start();
  const app = await startApp(
    balanced(
      echoOptions(`static:///${sick.address},${sound.address}`, {
        channelOptions: serviceConfig({ retryPolicy: RETRY }),
        // Otherwise the failing one would be left out after five of the ten.
        loadBalancing: { policy: roundRobin(), ejection: { enabled: false } },
      }),
    ),
  );
  const registry = app.get(GrpcLbRegistry);
  while (registry.snapshot('ECHO').endpoints.some(({ state }) => state !== 'ready'))
    await firstValueFrom(registry.events$);
  const echo = app.get<ClientGrpc>('ECHO').getService<EchoStub>('Echo');
  for (let i = 0; i < 10; i++) expect(await firstValueFrom(echo.say({ text: 'x' }))).toMatchObject({ text: 'x' });
  // Every second attempt goes to the failing one, and its retry to the other.
  expect(sound.seen).toHaveLength(10);
  expect(sick.seen.length).toBeGreaterThanOrEqual(9);
  expect(registry.snapshot('ECHO').endpoints.map(({ succeeded, failed }) => [succeeded, failed])).toEqual([
    [0, sick.seen.length],
    [10, 0],
  ]);
});

describe('interceptors', () => {
  it('see each call once, however many attempts it takes, with its response metadata and trailers', async () => {
    const backend = await new ScriptedBackend({
      say(call, done) {
        if (backend.seen.length < 2) return done(failure(Status.UNAVAILABLE, 'not yet'));
        call.sendMetadata(metadataOf({ 'x-head': 'h' }));
        done(null, { text: 'x' }, metadataOf({ 'x-trail': 't' }));
      },
    }).start();
    const told: unknown[] = [];
    const watching: Interceptor = (options, nextCall) =>
      new InterceptingCall(nextCall(options), {
        start(metadata, _listener, next) {
          told.push(options.method_definition.path);
          next(metadata, {
            onReceiveMetadata: (received, forward) => forward((told.push(received.get('x-head')), received)),
            onReceiveStatus: (status, forward) => forward((told.push(status.metadata.get('x-trail')), status)),
          });
        },
      });
    const options = {
      interceptors: [watching, tagging('x-tag', '1')],
      channelOptions: serviceConfig({ retryPolicy: RETRY }),
    };
    const echo = await connect(backend.target, options);
    await firstValueFrom(echo.say({}));
    expect(told).toEqual(['/echo.v1.Echo/Say', ['h'], ['t']]);
    expect(backend.seen.map(({ metadata }) => metadata.get('x-tag'))).toEqual([['1'], ['1']]);
  });

  it('may be given for one call', async () => {
    const backend = await new ScriptedBackend(answering).start();
    const echo = await connect(backend.target, { interceptors: [tagging('x-tag', 'client')] });
    await firstValueFrom(echo.say({}, { interceptors: [tagging('x-tag', 'call')] }));
    await firstValueFrom(echo.say({}));
    expect(backend.seen.map(({ metadata }) => metadata.get('x-tag'))).toEqual([['call'], ['client']]);
  });
});

describe('while no endpoint is ready', () => {
  /** The address of a server that is down, and can be started. */
  async function downServer(): Promise<FleetBackend> {
    const server = await startBackend();
    await server.stop();
    return server;
  }

  it('a call fails at once with the reason', async () => {
    const server = await downServer();
    const echo = await connect(server.address);
    const error = await errorOf(echo.say({}));
    expect(error.code).toBe(Status.UNAVAILABLE);
    expect(error.details).toMatch(/client ECHO: the only endpoint is not ready: .*ECONNREFUSED/);
  });

  it('a call with waitForReady waits for one', async () => {
    const server = await downServer();
    const echo = await connect(server.address, { channelOptions: { 'grpc.initial_reconnect_backoff_ms': 20 } });
    await errorOf(echo.say({}));
    const call = firstValueFrom(echo.say({ text: 'patient' }, new Metadata({ waitForReady: true })));
    await server.restart();
    expect(await call).toMatchObject({ text: 'patient' });
  });

  it('a call with waitForReady obeys its deadline', async () => {
    const server = await downServer();
    const echo = await connect(server.address);
    const call: Observable<unknown> = echo.say({}, new Metadata({ waitForReady: true }), { timeout: 30 });
    expect(await errorOf(call)).toMatchObject({ code: Status.DEADLINE_EXCEEDED });
  });
});

it('a class whose module was built but never started connects at its first call', async () => {
  const backend = await new ScriptedBackend(answering).start();
  const { Test } = await import('@nestjs/testing');
  const imports = [
    GrpcLbModule.forRoot(),
    GrpcLbModule.forFeature([{ name: 'ECHO', options: echoOptions(backend.target) }]),
  ];
  const app = await Test.createTestingModule({ imports }).compile();
  onTestFinished(() => app.close());
  expect(app.get(GrpcLbRegistry).snapshot('ECHO').state).toBe('idle');
  await firstValueFrom(app.get<ClientGrpc>('ECHO').getService<EchoStub>('Echo').say({}));
});
