import { EventEmitter, on } from 'node:events';
import { Metadata, type ServiceError, status as Status, type StatusObject } from '@grpc/grpc-js';
import { Injectable, Module } from '@nestjs/common';
import { Test } from '@nestjs/testing';
import {
  GrpcLbClient,
  GrpcLbModule,
  GrpcLbRegistry,
  GrpcPromiseService,
  GrpcService,
  iterate,
  promises,
  type PromisesOf,
  responses,
} from 'nestjs-grpc-lb';
import { mockClient, statusError, trackLeaks } from 'nestjs-grpc-lb/testing';
import { firstValueFrom, lastValueFrom, NEVER, Observable, of, throwError, toArray } from 'rxjs';
import { describe, expect, it, onTestFinished } from 'vitest';
import { ECHO_PROTO, type Line } from '../../support/echo/cluster.js';
import type { EchoService } from '../../support/nest/app.js';
import { EchoClient, EchoModule } from '../../support/testing/fleet-app.js';

@Injectable()
class Caller {
  constructor(readonly echo: EchoClient) {}
}

@Module({ imports: [EchoModule, GrpcLbModule.forFeature([EchoClient])], providers: [Caller] })
class CallerModule {}

function errorOf(call: Observable<unknown>): Promise<ServiceError> {
  return firstValueFrom(call).then(
    () => {
      throw new Error('the call has succeeded');
    },
    (error: unknown) => error as ServiceError,
  );
}

describe('a mocked client', () => {
  it('takes the place of the client, and opens nothing: no connection, no timer', async () => {
    const leaks = trackLeaks();
    const echo = mockClient(EchoClient, { say: ({ text }) => ({ text }) });
    const app = await Test.createTestingModule({ imports: [CallerModule] })
      .overrideProvider(EchoClient)
      .useValue(echo)
      .compile();
    await app.init();
    expect(app.get(Caller).echo).toBe(echo);
    expect(echo).toBeInstanceOf(EchoClient);
    expect((await firstValueFrom(app.get(Caller).echo.say({ text: 'a' }))).text).toBe('a');
    expect(app.get(GrpcLbRegistry).snapshot(EchoClient).state).toBe('idle');
    expect(leaks.open()).toEqual([]);
    await app.close();
    await leaks.expectNone(0);
  });

  it.each<[string, () => unknown]>([
    ['a message', () => ({ text: 'a' })],
    ['a promise', () => Promise.resolve({ text: 'a' })],
    ['an Observable', () => of({ text: 'a' })],
  ])('answers a unary call with %s', async (_, say) => {
    const echo = mockClient(EchoClient, { say } as object);
    expect(await lastValueFrom(echo.say({}).pipe(toArray()))).toEqual([{ text: 'a' }]);
  });

  it.each<[string, () => unknown]>([
    ['an array', () => [{ text: 'a' }, { text: 'b' }]],
    ['an Observable', () => of({ text: 'a' }, { text: 'b' })],
    ['a promise of an array', () => Promise.resolve([{ text: 'a' }, { text: 'b' }])],
    [
      'an async generator',
      async function* () {
        yield { text: 'a' };
        yield { text: 'b' };
      },
    ],
  ])('answers a stream with %s', async (_, repeat) => {
    const echo = mockClient(EchoClient, { repeat } as object);
    expect(await lastValueFrom(echo.repeat({}).pipe(toArray()))).toEqual([{ text: 'a' }, { text: 'b' }]);
  });

  it('gives a handler the requests of a stream, from an Observable or an iterable', async () => {
    const echo = mockClient(EchoClient, {
      join: async (lines) => {
        const texts: string[] = [];
        for await (const { text } of lines) texts.push(text!);
        return { text: texts.join() };
      },
    });
    expect((await firstValueFrom(echo.join(of({ text: 'a' }, { text: 'b' })))).text).toBe('a,b');
    expect((await firstValueFrom(echo.join([{ text: 'a' }]))).text).toBe('a');
    expect(echo.join.calls).toHaveLength(2);
  });

  it('keeps the calls: one for each subscription, none before', async () => {
    const echo = mockClient(EchoClient, { say: (line) => line });
    const metadata = new Metadata();
    metadata.set('x-user', '7');
    const call = echo.say({ text: 'a' }, metadata, { timeout: 100 });
    expect(echo.say.calls).toEqual([]);
    await firstValueFrom(call);
    await firstValueFrom(call);
    expect(echo.say.calls).toHaveLength(2);
    expect(echo.say.calls[0]).toMatchObject({ request: { text: 'a' } });
    expect(echo.say.calls[0]!.metadata.get('x-user')).toEqual(['7']);
  });

  it('has messages as over the wire: no field that the service does not have, and the defaults of the loader', async () => {
    @GrpcLbClient({
      package: 'echo.v1',
      service: 'Echo',
      protoPath: ECHO_PROTO,
      loader: { defaults: true },
      target: 'a:1',
    })
    class Defaults extends GrpcService<EchoService>() {}
    let seen: unknown;
    const echo = mockClient(Defaults, {
      say: (line) => {
        seen = line;
        return { text: 'a', unknown: 1 } as Partial<Line>;
      },
    });
    expect(await firstValueFrom(echo.say({ text: 'b' }))).toEqual({ text: 'a', server: '', times: 0 });
    expect(seen).toEqual({ text: 'b', server: '', times: 0 });
  });

  it('fails calls as a server does', async () => {
    const echo = mockClient(EchoClient, {
      say: () => Promise.reject(statusError('NOT_FOUND', 'no line')),
      repeat: () => throwError(() => new Error('oops')),
    });
    expect(await errorOf(echo.say({}))).toMatchObject({ code: 5, details: 'no line', message: '5 NOT_FOUND: no line' });
    expect(await errorOf(echo.repeat({}))).toMatchObject({ code: 2, details: 'oops' });
  });

  it('tells its handler when the caller goes, and obeys a signal', async () => {
    const signals: AbortSignal[] = [];
    const echo = mockClient(EchoClient, {
      repeat: (_, { signal }) => {
        signals.push(signal);
        return NEVER;
      },
    });
    echo.repeat({}).subscribe().unsubscribe();
    const abort = new AbortController();
    const error = errorOf(echo.repeat({}, { signal: abort.signal }));
    abort.abort();
    expect(await error).toMatchObject({ code: 1, details: 'The call was cancelled by its AbortSignal' });
    expect(signals.map(({ aborted }) => aborted)).toEqual([true, true]);
  });

  it('can be pulled message by message, and stops when the loop is left', async () => {
    let made = 0;
    const echo = mockClient(EchoClient, {
      async *repeat() {
        for (;;) yield { times: ++made };
      },
    });
    for await (const { times } of iterate(echo.repeat({}))) if (times === 3) break;
    await new Promise((resolve) => setImmediate(resolve));
    const after = made;
    expect(after).toBeLessThan(30);
    await new Promise((resolve) => setImmediate(resolve));
    expect([made, echo.repeat.calls.length]).toEqual([after, 1]);
  });

  it.each<[string, (source: Observable<Line>) => object]>([
    ['a unary call', (say) => ({ say: () => say })],
    ['a stream', (repeat) => ({ repeat: () => repeat })],
  ])('unsubscribes from the Observable of its handler when the caller of %s goes', async (_, handlers) => {
    let open = 0;
    const source = new Observable<Line>(() => {
      open++;
      return () => open--;
    });
    const echo = mockClient(EchoClient, handlers(source));
    const call = 'say' in handlers(source) ? echo.say({}) : echo.repeat({});
    const subscription = call.subscribe();
    await expect.poll(() => open).toBe(1);
    subscription.unsubscribe();
    expect(open).toBe(0);
  });

  it('closes the iterator of its handler when the caller goes, although the next item never comes', async () => {
    const emitter = new EventEmitter();
    const echo = mockClient(EchoClient, { repeat: () => on(emitter, 'line') as AsyncIterable<Line> });
    const subscription = echo.repeat({}).subscribe();
    await expect.poll(() => emitter.listenerCount('line')).toBe(1);
    subscription.unsubscribe();
    await expect.poll(() => emitter.listenerCount('line')).toBe(0);
  });

  it('leaves the requests of a caller when the call has ended', async () => {
    let open = 0;
    const lines = new Observable<Partial<Line>>((subscriber) => {
      open++;
      subscriber.next({ text: 'a' });
      return () => open--;
    });
    const echo = mockClient(EchoClient, {
      join: async (given) => {
        const iterator = given[Symbol.asyncIterator]();
        const { value } = (await iterator.next()) as { value: Line };
        void iterator.next();
        return { text: value.text };
      },
    });
    expect((await firstValueFrom(echo.join(lines))).text).toBe('a');
    expect(open).toBe(0);
  });

  it('tells the status of each call once, before its end, also if the caller leaves with the first value', async () => {
    const echo = mockClient(EchoClient, {
      say: ({ text }) => ({ text }),
      repeat: ({ times }) => (times === 0 ? NEVER : of({ text: 'a' })),
    });
    const told: string[] = [];
    const options = { onStatus: ({ code, details }: StatusObject) => void told.push(`${code} ${details}`) };
    await firstValueFrom(echo.say({}, options)).then(() => told.push('answered'));
    await lastValueFrom(echo.repeat({}, options)).then(() => told.push('streamed'));
    expect(told.splice(0)).toEqual(['0 OK', 'answered', '0 OK', 'streamed']);
    echo.repeat({ times: 0 }, options).subscribe().unsubscribe();
    expect(told.splice(0)).toEqual(['1 Cancelled on client']);
    const abort = new AbortController();
    const error = errorOf(echo.repeat({ times: 0 }, { ...options, signal: abort.signal }));
    abort.abort();
    await error;
    expect(told).toEqual(['1 The call was cancelled by its AbortSignal']);
  });

  it('does not tell a handler that its caller has gone when the call has ended well', async () => {
    const signals: AbortSignal[] = [];
    const echo = mockClient(EchoClient, {
      say: (_, { signal }) => {
        signals.push(signal);
        return {};
      },
      repeat: (_, { signal }) => {
        signals.push(signal);
        return [{ text: 'a' }];
      },
    });
    await firstValueFrom(echo.say({}));
    await lastValueFrom(echo.repeat({}));
    expect(signals.map(({ aborted }) => aborted)).toEqual([false, false]);
  });

  it('has the reason of a signal as the cause, and many calls may share one signal', async () => {
    const warnings: string[] = [];
    const warned = ({ name }: Error): void => void warnings.push(name);
    process.on('warning', warned);
    onTestFinished(() => void process.off('warning', warned));
    const echo = mockClient(EchoClient, { say: () => NEVER });
    const abort = new AbortController();
    const errors = Array.from({ length: 20 }, () => errorOf(echo.say({}, { signal: abort.signal })));
    const reason = new Error('the request is gone');
    abort.abort(reason);
    expect((await Promise.all(errors)).map(({ cause }) => cause === reason)).not.toContain(false);
    await new Promise((resolve) => setImmediate(resolve));
    expect(warnings).toEqual([]);
  });

  it('does not run the handler of a call whose signal is aborted', async () => {
    const echo = mockClient(EchoClient, { say: () => expect.unreachable() });
    expect(await errorOf(echo.say({}, { signal: AbortSignal.abort() }))).toMatchObject({ code: 1 });
  });

  it('has the own methods of the class', async () => {
    @GrpcLbClient({ package: 'echo.v1', service: 'Echo', protoPath: ECHO_PROTO, target: 'a:1' })
    class WithOwn extends GrpcService<EchoService>() {
      shout(text: string): Promise<Line> {
        return firstValueFrom(this.say({ text: text.toUpperCase() }));
      }
    }
    const echo = mockClient(WithOwn, { say: (line) => line });
    expect((await echo.shout('a')).text).toBe('A');
  });
});

describe('a mocked client of Promises', () => {
  @GrpcLbClient({ package: 'echo.v1', service: 'Echo', protoPath: ECHO_PROTO, target: 'a:1' })
  class PromisedEcho extends GrpcPromiseService<PromisesOf<EchoService, 'repeat' | 'talk'>>() {}

  it('returns Promises and iterables, and keeps the calls', async () => {
    const echo = mockClient(PromisedEcho, {
      say: ({ text }) => ({ text }),
      repeat: () => [{ text: 'a' }, { text: 'b' }],
      async *talk(lines) {
        for await (const { text } of lines) yield { text: `${text}!` };
      },
    });
    expect((await echo.say({ text: 'a' })).text).toBe('a');
    expect(echo.say.calls.map(({ request }) => request.text)).toEqual(['a']);
    const texts: string[] = [];
    for await (const { text } of echo.repeat({})) texts.push(text);
    for await (const { text } of echo.talk([{ text: 'c' }])) texts.push(text);
    expect(texts).toEqual(['a', 'b', 'c!']);
    await expect(echo.join([])).rejects.toMatchObject({ code: Status.UNIMPLEMENTED });
  });

  it('of Observables has Promises as a client has, with the status where it is asked for', async () => {
    const echo = mockClient(EchoClient, {
      say: ({ text }) => {
        if (text === '') throw statusError('NOT_FOUND', 'no text');
        return { text };
      },
      repeat: () => [],
    });
    expect((await promises(echo).say({ text: 'a' })).text).toBe('a');
    const { message, trailers } = await responses(echo).say({ text: 'b' });
    expect([message.text, trailers.getMap()]).toEqual(['b', {}]);
    const codes: number[] = [];
    const failed = promises(echo).say({ text: '' }, { onStatus: ({ code }) => codes.push(code) });
    await expect(failed).rejects.toMatchObject({ code: Status.NOT_FOUND, details: 'no text' });
    await promises(echo).say({ text: 'c' }, undefined, { onStatus: ({ code }) => codes.push(code) });
    expect(codes).toEqual([Status.NOT_FOUND, Status.OK]);
    await expect(promises(echo).repeat({})).rejects.toThrow('repeat answers with a stream of messages');
  });

  it('refuses options as the client does', async () => {
    const echo = mockClient(PromisedEcho, { say: () => ({}) });
    await expect(echo.say({}, { timeout: 0 })).rejects.toThrow(
      'mockClient(PromisedEcho), say: options.timeout is 0; pass a number from 1 to 2147483647 (milliseconds)',
    );
  });
});

describe('mistakes', () => {
  it('a method without a handler fails, and the error says what to do', async () => {
    const error = await errorOf(mockClient(EchoClient, {}).say({}));
    expect([error.code, error.details]).toEqual([
      12,
      'mockClient(EchoClient) has no handler for say; pass one, as in { say: () => ({}) }',
    ]);
  });

  it('a handler for a method that the service does not have', () => {
    expect(() => mockClient(EchoClient, { sey: () => ({}) } as object)).toThrow(
      'mockClient(EchoClient): an option is invalid\n  - sey is not a method of the service; did you mean "say"?; the service has say, repeat, join, talk',
    );
  });

  it('a class that is not a client, and one whose service does not exist', () => {
    @GrpcLbClient({ package: 'echo.v1', service: 'Ecko', protoPath: ECHO_PROTO, target: 'a:1' })
    class Wrong extends GrpcService<EchoService>() {}
    expect(() => mockClient(class Plain {})).toThrow('client is the class Plain, which has no @GrpcLbClient');
    expect(() => mockClient(undefined as never)).toThrow('client is undefined; pass the class of the client');
    expect(() => mockClient(Wrong)).toThrow('service is "Ecko", which the package does not have; did you mean "Echo"?');
  });

  it('a single request where the method takes a stream of them, as the client refuses it', async () => {
    const echo = mockClient(EchoClient, { join: () => ({}), talk: () => [] });
    const message =
      'request is another object, but the method takes a stream of requests; pass an Observable or an (async) iterable';
    expect((await errorOf(echo.join({ text: 'a' } as never))).message).toBe(`mockClient(EchoClient), join: ${message}`);
    await expect(iterate(echo.talk({ text: 'a' } as never)).next()).rejects.toThrow(message);
    expect(echo.join.calls).toEqual([]);
  });

  it('a request and an answer that cannot be serialized, with the status that they have on the wire', async () => {
    const unwritable = {
      get text(): string {
        throw new Error('not now');
      },
    };
    const echo = mockClient(EchoClient, { say: () => unwritable });
    const failed = [await errorOf(echo.say(unwritable)), await errorOf(echo.say({}))];
    expect(failed.map(({ code }) => code)).toEqual([Status.INTERNAL, Status.INTERNAL]);
    expect(failed.map(({ details }) => details)).toEqual([
      'Request message serialization failure: not now',
      'Error serializing response: not now',
    ]);
  });

  it('a stream as the answer of a method with one response', async () => {
    const echo = mockClient(EchoClient, { say: () => [{ text: 'a' }] });
    expect(await errorOf(echo.say({}))).toMatchObject({
      code: 2,
      details: 'the handler of a method with one response returned a stream; return one message',
    });
  });

  it('an answer that the service cannot encode', async () => {
    const echo = mockClient(EchoClient, { repeat: () => ({ text: 'a' }) });
    expect(await errorOf(echo.repeat({}))).toMatchObject({
      code: 2,
      details: 'the handler of a stream returned one message; return an array, an iterable or an Observable',
    });
  });
});
