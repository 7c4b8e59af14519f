import { inspect } from 'node:util';
import { InterceptingCall, type Interceptor, type ServiceError, status as Status } from '@grpc/grpc-js';
import type { Type } from '@nestjs/common';
import type { ClientGrpc } from '@nestjs/microservices';
import {
  getGrpcLbClientToken,
  GrpcLbArgumentError,
  type GrpcLbCallOptions,
  GrpcLbClient,
  type GrpcLbClientOptions,
  GrpcLbModule,
  GrpcPromiseService,
  iterate,
  promises,
  type PromiseServiceClient,
  type PromisesOf,
  resumable,
  responses,
} from 'nestjs-grpc-lb';
import { EMPTY, of, Subject, throwError } from 'rxjs';
import { describe, expect, it, vi } from 'vitest';
import type { Line } from '../../support/echo/cluster.js';
import { echoClient, echoOptions, type EchoService, type EchoStub, startApp } from '../../support/nest/app.js';
import { failure, metadataOf, ScriptedBackend, type Script } from '../../support/nest/backend.js';
import { expectNoLeaks } from '../../support/run/leaks.js';
import { eventually } from '../../support/time/patience.js';

expectNoLeaks();

type PromisedEcho = PromiseServiceClient<PromisesOf<EchoService, 'repeat' | 'talk'>>;

const HEADERS = { 'x-served-by': 'seven' };
const TRAILERS = { 'x-cost': '3' };

const ANSWERING: Script = {
  say: (call, done) => {
    call.sendMetadata(metadataOf(HEADERS));
    done(null, { text: call.request.text }, metadataOf(TRAILERS));
  },
  repeat: (call) => {
    for (const text of ['a', 'b', 'c']) call.write({ text });
    call.end();
  },
  join: (call, done) => {
    const texts: string[] = [];
    call.on('data', ({ text }: Line) => texts.push(text)).on('end', () => done(null, { text: texts.join() }));
  },
  talk: (call) => {
    call.on('data', ({ text }: Line) => call.write({ text: `${text}!` })).on('end', () => call.end());
  },
};
const error = failure(Status.FAILED_PRECONDITION, 'the box is shut', TRAILERS);
const FAILING: Script = {
  say: (_call, done) => done(error),
  join: (_call, done) => done(error),
  repeat: (call) => call.emit('error', error),
  talk: (call) => call.emit('error', error),
};
const SILENT: Script = { say: () => {}, join: () => {}, repeat: () => {}, talk: () => {} };

const passing: Interceptor = (options, next) => new InterceptingCall(next(options));

/** An instance of a client class, whose backend plays the script. */
async function connect<T>(
  script: Script,
  create: (target: string) => Type<T>,
): Promise<{ echo: T; backend: ScriptedBackend }> {
  const backend = await new ScriptedBackend(script).start();
  const client = create(backend.target);
  const app = await startApp({ imports: [GrpcLbModule.forRoot(), GrpcLbModule.forFeature([client])] });
  return { echo: app.get(client), backend };
}

/** A client class of Promises. */
function promised(more: Partial<GrpcLbClientOptions> = {}): (target: string) => Type<PromisedEcho> {
  return (target) => {
    @GrpcLbClient({ ...echoOptions(target, more), service: 'Echo' })
    class EchoClient extends GrpcPromiseService<PromisesOf<EchoService, 'repeat' | 'talk'>>() {}
    return EchoClient;
  };
}

const observed = (target: string): Type<EchoStub> => echoClient(target);

async function textsOf(messages: AsyncIterable<Line>): Promise<string[]> {
  const found: string[] = [];
  for await (const { text } of messages) found.push(text);
  return found;
}

function rejection(promise: Promise<unknown>): Promise<ServiceError & { cause?: unknown }> {
  return promise.then(
    () => {
      throw new Error('The call has succeeded');
    },
    (reason: unknown) => reason as ServiceError,
  );
}

async function* lines(...texts: string[]): AsyncGenerator<{ text: string }> {
  for (const text of texts) yield { text };
}

const KINDS: Record<keyof Script, (echo: PromisedEcho, signal?: AbortSignal) => Promise<unknown>> = {
  say: (echo, signal) => echo.say({}, { signal }),
  join: (echo, signal) => echo.join(new Subject<Line>(), { signal }),
  repeat: (echo, signal) => textsOf(echo.repeat({}, { signal })),
  talk: (echo, signal) => textsOf(echo.talk(new Subject<Line>(), { signal })),
};
const KIND_NAMES = Object.keys(KINDS) as (keyof Script)[];

describe.each([
  ['without interceptors', {}],
  ['with an interceptor', { interceptors: [passing] }],
] as [string, Partial<GrpcLbClientOptions>][])('a client of Promises %s', (_, more) => {
  it('returns a Promise of one response, and an iterable of a stream of them', async () => {
    const { echo } = await connect(ANSWERING, promised(more));
    expect(await echo.say({ text: 'x' })).toMatchObject({ text: 'x' });
    expect(await textsOf(echo.repeat({}))).toEqual(['a', 'b', 'c']);
    expect((await echo.join(lines('a', 'b'))).text).toBe('a,b');
    expect((await echo.join(of({ text: 'c' }))).text).toBe('c');
    expect(await textsOf(echo.talk(lines('a', 'b')))).toEqual(['a!', 'b!']);
    expect(await textsOf(echo.talk([{ text: 'c' }]))).toEqual(['c!']);
  });

  it.each(KIND_NAMES)('%s fails with the error that the Observable has', async (kind) => {
    const { echo } = await connect(FAILING, promised(more));
    const { code, details, metadata, message } = await rejection(KINDS[kind](echo));
    expect({ code, details, message, cost: metadata.get('x-cost') }).toEqual({
      code: Status.FAILED_PRECONDITION,
      details: 'the box is shut',
      message: '9 FAILED_PRECONDITION: the box is shut',
      cost: ['3'],
    });
  });

  it.each(KIND_NAMES)('%s is canceled by its signal on both sides, and not started by an aborted one', async (kind) => {
    const { echo, backend } = await connect(SILENT, promised(more));
    const abort = new AbortController();
    const { arrival } = backend;
    const ended = rejection(KINDS[kind](echo, abort.signal));
    const { cancelled } = await arrival;
    const reason = new Error('enough');
    abort.abort(reason);
    expect(await ended).toMatchObject({ code: Status.CANCELLED, cause: reason });
    await cancelled;
    expect(await rejection(KINDS[kind](echo, abort.signal))).toMatchObject({ code: Status.CANCELLED, cause: reason });
    expect(backend.seen).toHaveLength(1);
  });

  it('an argument that is wrong rejects, and is not thrown', async () => {
    const { echo, backend } = await connect(ANSWERING, promised(more));
    const wrong = { timeout: -1 };
    for (const call of [echo.say({}, wrong), echo.join([], wrong), textsOf(echo.repeat({}, wrong))]) {
      const { message } = await rejection(call);
      expect(message).toMatch(/^client EchoClient, Echo\/\w+: options.timeout is -1; pass a number from 1/);
    }
    expect(await rejection(textsOf(echo.talk([], wrong)))).toBeInstanceOf(GrpcLbArgumentError);
    expect((await rejection(echo.join({} as never))).message).toContain('takes a stream of requests');
    expect(backend.seen).toEqual([]);
  });

  it('leaving a loop cancels the call on the server, and closes the source of requests', async () => {
    const { echo, backend } = await connect(
      { repeat: (call) => call.write({ text: 'a' }), talk: (call) => call.write({ text: 'a' }) },
      promised(more),
    );
    const closed = vi.fn<() => void>();
    async function* endless(): AsyncGenerator<{ text: string }> {
      try {
        for (;;) {
          yield { text: 'b' };
          await new Promise(setImmediate);
        }
      } finally {
        closed();
      }
    }
    for (const stream of [echo.repeat({}), echo.talk(endless())]) {
      const { arrival } = backend;
      for await (const { text } of stream) {
        expect(text).toBe('a');
        break;
      }
      await (
        await arrival
      ).cancelled;
    }
    await eventually(() => closed.mock.calls.length > 0);
    expect(closed).toHaveBeenCalledTimes(1);
  });
});

describe('a client of Promises', () => {
  it('starts a stream with its loop, and a call at once', async () => {
    const { echo, backend } = await connect(ANSWERING, promised());
    echo.repeat({});
    echo.talk(lines('a'));
    await echo.say({});
    expect(backend.seen.map(({ method }) => method)).toEqual(['say']);
  });

  it('a slow loop over a bidirectional stream stops the server, and what waits here is bounded', async () => {
    const big = 'x'.repeat(16 * 1024);
    let written = 0;
    const { echo } = await connect(
      {
        ...ANSWERING,
        talk: (call) => {
          const fill = (): void => {
            while (written < 2000) {
              written++;
              if (!call.write({ text: big })) return void call.once('drain', fill);
            }
            call.end();
          };
          fill();
        },
      },
      promised(),
    );
    const stream = echo.talk(new Subject<Line>());
    await stream.next();
    // What fits into the windows and buffers arrives; the rest waits until it is asked for.
    for (let i = 0; i < 300; i++) await echo.say({});
    expect(written).toBeLessThan(150);
    let received = 1;
    for await (const { text } of stream) {
      expect(text).toHaveLength(big.length);
      received++;
    }
    expect(received).toBe(2000);
  });

  it('a subclass may override a method, and call the original', async () => {
    const { echo, backend } = await connect(ANSWERING, (target) => {
      @GrpcLbClient({ ...echoOptions(target), service: 'Echo' })
      class EchoClient extends GrpcPromiseService<PromisesOf<EchoService, 'repeat' | 'talk'>>() {
        override readonly say: PromisedEcho['say'] = async (request) => {
          const { text } = await super.say(request, metadataOf({ 'x-tenant': 'a' }));
          return { text: text.toUpperCase(), server: '', times: 0 };
        };
      }
      return EchoClient;
    });
    expect((await echo.say({ text: 'x' })).text).toBe('X');
    expect((await responses(echo).say({ text: 'x' })).message.text).toBe('X');
    expect(backend.seen.map(({ metadata }) => metadata.get('x-tenant'))).toEqual([['a'], ['a']]);
  });

  it('with headers and trailers a method that overrides another gets the options where the caller passed them', async () => {
    const { echo, backend } = await connect(ANSWERING, (target) => {
      @GrpcLbClient({ ...echoOptions(target), service: 'Echo' })
      class EchoClient extends GrpcPromiseService<PromisesOf<EchoService, 'repeat' | 'talk'>>() {
        override readonly say: PromisedEcho['say'] = (request, options) =>
          super.say(request, options as GrpcLbCallOptions);
      }
      return EchoClient;
    });
    const statuses: number[] = [];
    const options: GrpcLbCallOptions = {
      metadata: { 'x-tenant': 'b' },
      onStatus: ({ code }) => void statuses.push(code),
    };
    await responses(echo).say({ text: 'x' }, options);
    await responses(echo).say({ text: 'x' }, metadataOf({ 'x-tenant': 'c' }));
    expect(backend.seen.map(({ metadata }) => metadata.get('x-tenant'))).toEqual([['b'], ['c']]);
    expect(statuses).toEqual([0]);
  });

  it('resumes the streams of a resumable method', async () => {
    let calls = 0;
    const { echo } = await connect(
      {
        repeat: (call) => {
          calls++;
          const from = Number(call.request.text);
          call.write({ text: String(from + 1) });
          if (from === 2) call.end();
          else call.emit('error', failure(Status.UNAVAILABLE, 'gone'));
        },
      },
      promised({
        resumable: [
          resumable<EchoService, string>({
            method: 'repeat',
            token: ({ text }) => text,
            resume: (request, text) => ({ ...request, text }),
            initialBackoff: 1,
          }),
        ],
      }),
    );
    expect(await textsOf(echo.repeat({ text: '0' }))).toEqual(['1', '2', '3']);
    expect(calls).toBe(3);
  });

  it('rejects the calls that are open when the application closes', async () => {
    const backend = await new ScriptedBackend(SILENT).start();
    const client = promised()(backend.target);
    const app = await startApp({ imports: [GrpcLbModule.forRoot(), GrpcLbModule.forFeature([client])] });
    const { arrival } = backend;
    const ended = rejection(app.get(client).say({}));
    await arrival;
    await app.close();
    expect(await ended).toMatchObject({ code: Status.CANCELLED, details: 'client EchoClient is closed' });
  });
});

describe('promises and responses of a client of Observables', () => {
  it('have its methods with one response, the same object and the same functions each time', async () => {
    const { echo, backend } = await connect(ANSWERING, observed);
    const view = promises(echo);
    expect(promises(echo)).toBe(view);
    expect(view.say).toBe(view.say);
    expect((await view.say({ text: 'x' }, metadataOf({ 'x-tenant': 'a' }), { timeout: 5000 })).text).toBe('x');
    expect((await view.join(lines('a', 'b'))).text).toBe('a,b');
    expect(backend.seen[0]!.metadata.get('x-tenant')).toEqual(['a']);
    expect(backend.seen[0]!.deadline).not.toBe(Infinity);
  });

  it('a method that streams rejects, and says what to use', async () => {
    const { echo } = await connect(ANSWERING, observed);
    const { message } = await rejection(promises(echo).repeat({}));
    expect(message).toBe(
      'client EchoClient, Echo/Repeat answers with a stream of messages, which a Promise cannot hold; loop over it: for await (const message of iterate(client.method(request)))',
    );
    expect(await rejection(responses(echo).talk([]))).toBeInstanceOf(GrpcLbArgumentError);
    expect(await textsOf(iterate(echo.talk(lines('a'))))).toEqual(['a!']);
  });

  it('responses have headers and trailers, and the functions of the caller are still told', async () => {
    const { echo } = await connect(ANSWERING, observed);
    const told: unknown[] = [];
    const { message, headers, trailers } = await responses(echo).say(
      { text: 'x' },
      {
        onMetadata: (metadata) => told.push(metadata.getMap()),
        onStatus: ({ code, metadata }) => told.push(code, metadata.getMap()),
      },
    );
    expect([message.text, headers.get('x-served-by'), trailers.get('x-cost')]).toEqual(['x', ['seven'], ['3']]);
    expect(told).toEqual([expect.objectContaining(HEADERS), Status.OK, TRAILERS]);
    const bare = await responses(echo).join([{ text: 'a' }]);
    expect([bare.message.text, bare.trailers.getMap()]).toEqual(['a', {}]);
  });

  it('work on what getService returns, by both names of a method', async () => {
    const { target } = await new ScriptedBackend(ANSWERING).start();
    const app = await startApp({
      imports: [GrpcLbModule.forRoot(), GrpcLbModule.forFeature([{ name: 'ECHO', options: echoOptions(target) }])],
    });
    const echo = app.get<ClientGrpc>(getGrpcLbClientToken('ECHO')).getService<EchoService>('Echo');
    expect((await promises(echo).say({ text: 'x' })).text).toBe('x');
    expect(
      await (promises(echo) as unknown as Record<'Say', (request: object) => Promise<Line>>).Say({}),
    ).toBeDefined();
  });

  it('call a method that overrides that of the service, or that a test has put there', async () => {
    const { echo } = await connect(ANSWERING, observed);
    const view = promises(echo);
    await view.say({});
    const say = vi.spyOn(echo, 'say').mockReturnValue(of({ text: 'mocked', server: '', times: 0 }));
    expect((await view.say({ text: 'x' }, { timeout: 5 })).text).toBe('mocked');
    expect(say).toHaveBeenCalledWith({ text: 'x' }, { timeout: 5 });
    const response = await responses(echo).say({});
    expect([response.message.text, response.headers.getMap()]).toEqual(['mocked', {}]);
    say.mockReturnValue(throwError(() => new Error('no')));
    expect((await rejection(view.say({}))).message).toBe('no');
    say.mockReturnValue(EMPTY);
    expect((await rejection(view.say({}))).name).toBe('EmptyError');
    vi.spyOn(echo, 'join').mockImplementation((...args) => echo.repeat(args[0] as object));
    expect(await rejection(view.join([]))).toBeInstanceOf(GrpcLbArgumentError);
  });

  it('are no Promise themselves, have no hooks of Nest, and exist for clients only', async () => {
    class Hooked {
      say = () => of(1);
      onModuleInit = vi.fn<() => void>();
    }
    const view = promises(new Hooked());
    expect(await Promise.resolve(view)).toBe(view);
    expect((view as { onModuleInit?: unknown }).onModuleInit).toBeUndefined();
    expect(inspect(view)).toContain('{}');
    expect(() => promises(undefined as never)).toThrow(
      new GrpcLbArgumentError('promises: client is undefined; pass an instance of a client class, or a stub'),
    );
    expect(() => responses('orders' as never)).toThrow('responses: client is "orders"');
  });
});
