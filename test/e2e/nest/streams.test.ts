import { EventEmitter, on } from 'node:events';
import { type ServerDuplexStream, type ServerReadableStream, type ServiceError, status as Status } from '@grpc/grpc-js';
import type { ClientGrpc } from '@nestjs/microservices';
import type { GrpcLbClientOptions } from 'nestjs-grpc-lb';
import {
  catchError,
  concat,
  endWith,
  finalize,
  ignoreElements,
  lastValueFrom,
  map,
  NEVER,
  Observable,
  of,
  range,
  throwError,
  toArray,
} from 'rxjs';
import { describe, expect, it } from 'vitest';
import { deferred, type Line } from '../../support/echo/cluster.js';
import { expectNoLeaks } from '../../support/run/leaks.js';
import { CLIENTS, echoOptions, type EchoStub, errorOf, startApp } from '../../support/nest/app.js';
import { failure, type PartialLine, ScriptedBackend, type Script } from '../../support/nest/backend.js';

expectNoLeaks();

async function connect(
  script: Script,
  more: Partial<GrpcLbClientOptions> = {},
): Promise<{ backend: ScriptedBackend; echo: EchoStub }> {
  const backend = await new ScriptedBackend(script).start();
  const app = await startApp(CLIENTS['the balanced client'](echoOptions(backend.target, more)));
  return { backend, echo: app.get<ClientGrpc>('ECHO').getService<EchoStub>('Echo') };
}

type Kind = 'join' | 'talk';
const KINDS: Kind[] = ['join', 'talk'];
type ReadingCall = ServerReadableStream<Line, PartialLine> | ServerDuplexStream<Line, PartialLine>;

/** The same for both kinds of calls that send a stream. */
const both = (play: (call: ReadingCall, answer: (error: Error | null) => void) => void): Script => ({
  join: (call, done) => play(call, (error) => (error ? done(error) : done(null, {}))),
  talk: (call) => play(call, (error) => (error ? call.emit('error', error) : call.end())),
});

/** Reads one message after the other, each in a later turn of the event loop. */
async function read(call: ReadingCall, count: number): Promise<void> {
  for (let i = 0; i < count; i++) {
    while (call.read() === null) await new Promise((resolve) => call.once('readable', resolve));
    await new Promise(setImmediate);
  }
}

const KIB = 1024;
const big = { text: 'x'.repeat(16 * KIB) };

describe.each(KINDS)('requests of %s', (kind) => {
  it.each([
    // At each end a Node stream buffers 16 messages; between them are the buffers of HTTP/2 and the sockets.
    { retries: 0, ahead: 100 },
    // To be able to retry, grpc-js takes up to 1 MiB, 64 messages, more.
    { retries: 1, ahead: 164 },
  ])('from an iterable are pulled no faster than the server reads (retries: $retries)', async ({ retries, ahead }) => {
    const arrived = deferred<ReadingCall>();
    const { echo } = await connect(
      both((call) => arrived.resolve(call)),
      { channelOptions: { 'grpc.enable_retries': retries } },
    );
    let pulled = 0;
    async function* endless(): AsyncGenerator<typeof big> {
      for (; pulled < 2000; pulled++) yield big;
    }
    const subscription = (echo[kind](endless()) as Observable<Line>).subscribe({ error: () => {} });
    const call = await arrived.promise;
    await read(call, 5);
    expect(pulled).toBeLessThan(5 + ahead);
    await read(call, 200);
    expect(pulled).toBeGreaterThanOrEqual(205);
    expect(pulled).toBeLessThan(205 + ahead);
    subscription.unsubscribe();
  });

  it('from an Observable that is faster than the server all arrive, in order', async () => {
    const arrived = deferred<number[]>();
    const script = both((call, answer) => {
      const times: number[] = [];
      // Begins to read when the client is full.
      setImmediate(() => {
        call.on('data', (line: Line) => times.push(line.times));
        call.on('end', () => {
          arrived.resolve(times);
          answer(null);
        });
      });
    });
    const { echo } = await connect(script);
    const requests = range(0, 500).pipe(map((times) => ({ ...big, times })));
    await lastValueFrom((echo[kind](requests) as Observable<Line>).pipe(toArray()));
    expect(await arrived.promise).toEqual(Array.from({ length: 500 }, (_, i) => i));
  });

  it.each([
    [
      'an Observable',
      (error: Error) =>
        concat(
          of({ text: 'a' }),
          throwError(() => error),
        ),
    ],
    [
      'an async iterable',
      async function* (error: Error) {
        yield { text: 'a' };
        throw error;
      },
    ],
  ])('from %s that fails: that error reaches the caller as it is, and the call is cancelled', async (_, requestsOf) => {
    const { backend, echo } = await connect(both(() => {}));
    const error = new Error('the warehouse is on fire');
    const arrival = backend.arrival;
    expect(await errorOf(echo[kind](requestsOf(error)))).toBe(error);
    // One that fails at once may never have been sent.
    if (backend.seen.length > 0) await (await arrival).cancelled;
  });

  it('that fail in the middle of a call cancel it on the server', async () => {
    const { backend, echo } = await connect(both(() => {}));
    const fail = deferred();
    async function* requests(): AsyncGenerator<{ text: string }> {
      yield { text: 'a' };
      await fail.promise;
    }
    const arrival = backend.arrival;
    const error = errorOf(echo[kind](requests()));
    const { cancelled } = await arrival;
    fail.reject(new Error('the warehouse is on fire'));
    expect((await error).message).toBe('the warehouse is on fire');
    await cancelled;
  });

  it.each([
    ['without an error', null],
    ['with an error', failure(Status.RESOURCE_EXHAUSTED, 'enough')],
  ])('are stopped when the server ends early, %s', async (_, error) => {
    const { echo } = await connect(both((_call, answer) => answer(error)));
    const finalized = deferred();
    const closed = deferred();
    const emitter = new EventEmitter();
    async function* iterable(): AsyncGenerator<{ text: string }> {
      try {
        for (;;) yield await new Promise<{ text: string }>((resolve) => setImmediate(resolve, { text: 'more' }));
      } finally {
        closed.resolve();
      }
    }
    const ended = async (call: Observable<Line>): Promise<void> => {
      const end = await lastValueFrom(
        call.pipe(
          ignoreElements(),
          endWith(null),
          catchError((found: ServiceError) => of(found)),
        ),
      );
      expect(end?.details).toBe(error?.details);
    };
    await ended(echo[kind](NEVER.pipe(finalize(finalized.resolve))));
    await finalized.promise;
    await ended(echo[kind](iterable()));
    await closed.promise;
    await ended(echo[kind](on(emitter, 'order') as AsyncIterable<never>));
    await new Promise(setImmediate);
    expect(emitter.listenerCount('order')).toBe(0);
  });

  it('are stopped when the caller unsubscribes', async () => {
    const { backend, echo } = await connect(both(() => {}));
    const finalized = deferred();
    const arrival = backend.arrival;
    const subscription = (echo[kind](NEVER.pipe(finalize(finalized.resolve))) as Observable<Line>).subscribe();
    const { cancelled } = await arrival;
    subscription.unsubscribe();
    await finalized.promise;
    await cancelled;
  });

  it('may abort their own call', async () => {
    const { echo } = await connect(both(() => {}));
    const controller = new AbortController();
    const requests = new Observable<{ text: string }>((subscriber) => {
      subscriber.next({ text: 'a' });
      controller.abort('enough');
    });
    const error = await errorOf(echo[kind](requests, { signal: controller.signal }));
    expect(error).toMatchObject({ code: Status.CANCELLED, cause: 'enough' });
  });

  it('are subscribed to once for each call', async () => {
    const script = both((call, answer) => call.on('data', () => {}).on('end', () => answer(null)));
    const { echo } = await connect(script);
    let iterations = 0;
    const requests = {
      *[Symbol.iterator]() {
        iterations++;
        yield { text: 'a' };
      },
    };
    const call = echo[kind](requests) as Observable<Line>;
    expect(iterations).toBe(0);
    await lastValueFrom(call.pipe(toArray()));
    await lastValueFrom(call.pipe(toArray()));
    expect(iterations).toBe(2);
  });
});

it('a conversation takes turns', async () => {
  const { echo } = await connect({
    talk: (call) => call.on('data', (line: Line) => call.write(line)).on('end', () => call.end()),
  });
  let answered = deferred();
  async function* requests(): AsyncGenerator<{ times: number }> {
    for (let times = 0; times < 5; times++) {
      yield { times };
      await answered.promise;
      answered = deferred();
    }
  }
  const answers: number[] = [];
  await new Promise<void>((resolve, reject) => {
    echo.talk(requests()).subscribe({
      next: ({ times }) => {
        answers.push(times);
        answered.resolve();
      },
      error: reject,
      complete: resolve,
    });
  });
  expect(answers).toEqual([0, 1, 2, 3, 4]);
});
