import { Readable } from 'node:stream';
import { type Client, type MethodDefinition, status as Status } from '@grpc/grpc-js';
import { expect, it } from 'vitest';
import { callObservable } from './call-observable.js';
import { OpenCalls } from './open-calls.js';
import { callStarter, type MethodCaller } from './start-call.js';

// Calls over real sockets are tested in test/e2e; these tests cover what a real server cannot be made to do.

/** A server-streaming call that the test drives by hand. */
class PlayedCall extends Readable {
  cancelled = 0;

  constructor() {
    super({ objectMode: true, read: () => {} });
  }

  cancel(): void {
    this.cancelled++;
  }
}

function subscribe(): { call: PlayedCall; told: unknown[]; openCalls: OpenCalls; unsubscribe: () => void } {
  const call = new PlayedCall();
  const client = { makeServerStreamRequest: () => call } as unknown as Client;
  const method = { path: '/echo.v1.Echo/Repeat', requestStream: false, responseStream: true } as MethodDefinition<
    unknown,
    unknown
  >;
  const openCalls = new OpenCalls();
  const told: unknown[] = [];
  const start = callStarter({
    subject: 'Repeat',
    intercepted: false,
    delegated: false,
    client,
    clientName: 'ECHO',
    target: 'static:///a:1',
    direct: undefined,
    method,
    openCalls,
  });
  const subscription = callObservable(start)({}).subscribe({
    next: (message) => told.push(message),
    error: (error) => told.push(error),
    complete: () => told.push('end'),
  });
  return { call, told, openCalls, unsubscribe: () => subscription.unsubscribe() };
}

const ended = (call: Readable): Promise<void> =>
  new Promise((resolve) => call.once('end', () => setImmediate(resolve)));

it('a status that overtakes messages in the buffer does not end the stream before them', async () => {
  const { call, told } = subscribe();
  for (const item of ['a', 'b', null]) call.push(item);
  call.emit('status', { code: Status.OK });
  expect(told).toEqual([]);
  await ended(call);
  expect(told).toEqual(['a', 'b', 'end']);
});

it('the end of the messages ends the stream only if its status, which comes before, is no error', async () => {
  const { call, told } = subscribe();
  call.push('a');
  await expect.poll(() => told).toEqual(['a']);
  const error = new Error('late');
  call.push(null);
  call.emit('error', error);
  call.emit('status', { code: Status.UNKNOWN });
  await ended(call);
  expect(told).toEqual(['a', error]);
});

it('a call is open until it has ended, and only an open one is cancelled', async () => {
  const complete = subscribe();
  expect(complete.openCalls.isEmpty).toBe(false);
  complete.call.push(null);
  await ended(complete.call);
  complete.call.emit('status', { code: Status.OK });
  expect(complete).toMatchObject({ openCalls: { isEmpty: true }, call: { cancelled: 0 }, told: ['end'] });

  const failed = subscribe();
  failed.call.emit('error', new Error('broken'));
  // It may come without a status, if a bug of the stream is the cause.
  await Promise.resolve();
  expect(failed).toMatchObject({ openCalls: { isEmpty: true }, call: { cancelled: 0 } });

  const left = subscribe();
  left.unsubscribe();
  expect(left).toMatchObject({ openCalls: { isEmpty: true }, call: { cancelled: 1 }, told: [] });

  const givenUp = subscribe();
  givenUp.openCalls.giveUp('closed');
  expect(givenUp).toMatchObject({ openCalls: { isEmpty: true }, call: { cancelled: 1 }, told: ['closed'] });
});

it.each([
  ['the channel', []],
  ['an interceptor', [(_options: unknown, next: (options: unknown) => unknown) => next({})]],
])('a call that %s refuses by throwing is canceled, and not open', (_, interceptors) => {
  const statuses: unknown[] = [];
  const call = {
    start: () => {
      throw new Error('no');
    },
    cancelWithStatus: (code: Status) => statuses.push(Status[code]),
  };
  const direct = { channel: { newCall: () => call }, interceptors } as unknown as MethodCaller['direct'];
  const serialize = (): Buffer => Buffer.alloc(0);
  const method = { path: '/a.B/C', requestStream: false, responseStream: false, requestSerialize: serialize };
  const openCalls = new OpenCalls();
  const errors: unknown[] = [];
  const caller = { subject: 'C', client: {}, direct, method, openCalls } as unknown as MethodCaller;
  callObservable(callStarter(caller))({}).subscribe({ error: (error: Error) => errors.push(error.message) });
  expect({ errors, statuses, open: !openCalls.isEmpty }).toEqual({
    errors: ['no'],
    statuses: ['CANCELLED'],
    open: false,
  });
});
