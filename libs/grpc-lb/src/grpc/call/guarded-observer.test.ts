import { Metadata, status as Status } from '@grpc/grpc-js';
import { expect, test, vi } from 'vitest';
import type { CallObservation } from './call-observer.js';
import { GuardedObserver } from './guarded-observer.js';
import { eventually } from '../../../../../test/support/time/patience.js';

const CALL = {
  client: 'ORDERS',
  target: 'dns:///orders:50051',
  method: '/orders.v1.Orders/Find',
  declared: true,
  stream: false,
  setHeader: () => {},
};
const END = { code: Status.OK, details: '', metadata: new Metadata(), origin: 'remote' } as const;
const group = { telling: 0 };
const ATTEMPT = { number: 1, kind: 'first', address: 'a:1', waited: 0, waitedFor: undefined } as const;

function tellAll(observation: CallObservation): void {
  observation.waits!('connection');
  observation.attemptStarted!(ATTEMPT);
  observation.notSent!(undefined);
  observation.messageSent!(1, 5);
  observation.headersReceived!(1, END.metadata);
  observation.messageReceived!(1, 7);
  observation.attemptEnded!(1, END);
  observation.dropped!(END);
  observation.ended!(END);
}

test('everything is passed on, in order, to what the observer returned', () => {
  const told: unknown[] = [];
  class Recorder implements Required<CallObservation> {
    waits = (...args: unknown[]): unknown => told.push(['waits', ...args]);
    notSent = (...args: unknown[]): unknown => told.push(['notSent', ...args]);
    attemptStarted = (...args: unknown[]): unknown => told.push(['attemptStarted', ...args]);
    headersReceived = (...args: unknown[]): unknown => told.push(['headersReceived', ...args]);
    messageSent = (...args: unknown[]): unknown => told.push(['messageSent', ...args]);
    messageReceived = (...args: unknown[]): unknown => told.push(['messageReceived', ...args]);
    attemptEnded = (...args: unknown[]): unknown => told.push(['attemptEnded', ...args]);
    dropped = (...args: unknown[]): unknown => told.push(['dropped', ...args]);
    // A method that needs its object.
    ended(...args: unknown[]): void {
      this.dropped('again', ...args);
    }
  }
  const observer = new GuardedObserver(
    'ORDERS',
    {
      callStarted: (call) => {
        told.push(['callStarted', call]);
        return new Recorder();
      },
    },
    group,
  );
  tellAll(observer.callStarted(CALL)!);
  expect(told).toEqual([
    ['callStarted', CALL],
    ['waits', 'connection'],
    ['attemptStarted', ATTEMPT],
    ['notSent', undefined],
    ['messageSent', 1, 5],
    ['headersReceived', 1, END.metadata],
    ['messageReceived', 1, 7],
    ['attemptEnded', 1, END],
    ['dropped', END],
    ['dropped', 'again', END],
  ]);
});

test('an observer may be told of nothing, or of some things only', () => {
  expect(new GuardedObserver('ORDERS', { callStarted: () => undefined }, group).callStarted(CALL)).toBeUndefined();
  tellAll(new GuardedObserver('ORDERS', { callStarted: () => ({}) }, group).callStarted(CALL)!);
});

test('errors end here: the first one is a warning that names the client', () => {
  const warn = vi.spyOn(process, 'emitWarning').mockImplementation(() => {});
  const fail = (): never => {
    throw new Error('no\nroom');
  };
  const observer = new GuardedObserver('ORDERS', { callStarted: () => ({ attemptStarted: fail, ended: fail }) }, group);
  tellAll(observer.callStarted(CALL)!);
  tellAll(observer.callStarted(CALL)!);
  expect(warn.mock.calls).toEqual([
    [
      expect.stringMatching(/^The observer of client ORDERS failed: no.*room; its further errors are not reported$/),
      'GrpcLbWarning',
    ],
  ]);
  expect(new GuardedObserver('ORDERS', { callStarted: fail }, group).callStarted(CALL)).toBeUndefined();
  warn.mockRestore();
});

test('an observer whose methods are async and fail does not end the process', async () => {
  const warn = vi.spyOn(process, 'emitWarning').mockImplementation(() => {});
  const fail = (() => Promise.reject(new Error('no room'))) as () => void;
  const one = new GuardedObserver('ORDERS', { callStarted: () => ({ attemptEnded: fail, ended: fail }) }, group);
  tellAll(one.callStarted(CALL)!);
  const other = new GuardedObserver('STOCK', { callStarted: () => undefined, weightsUpdated: fail }, group);
  other.weightsUpdated({ client: 'STOCK', target: '', weights: [], notYetUsable: 0, stale: 0, fallback: true });
  await eventually(() => warn.mock.calls.length > 1);
  expect(warn.mock.calls.map(([text]) => text)).toEqual([
    'The observer of client ORDERS failed: no room; its further errors are not reported',
    'The observer of client STOCK failed: no room; its further errors are not reported',
  ]);
  warn.mockRestore();
});

test('while it is told of a step, whatever fails, it counts as being told', () => {
  const fail = (): never => {
    throw new Error('no');
  };
  const warn = vi.spyOn(process, 'emitWarning').mockImplementation(fail);
  const counts: number[] = [];
  const count = (): unknown => counts.push(group.telling);
  const observer = new GuardedObserver(
    'ORDERS',
    {
      callStarted: () => ({
        waits: count,
        notSent: count,
        attemptStarted: count,
        headersReceived: count,
        messageSent: count,
        messageReceived: count,
        attemptEnded: count,
        dropped: count,
        ended: count,
      }),
      weightsUpdated: count,
    },
    group,
  );
  tellAll(observer.callStarted(CALL)!);
  observer.weightsUpdated({ client: 'ORDERS', target: '', weights: [], notYetUsable: 0, stale: 0, fallback: true });
  expect(counts).toEqual(Array.from({ length: 10 }, () => 1));
  expect(group.telling).toBe(0);
  // As when the stack is full.
  const failing = new GuardedObserver('ORDERS', { callStarted: () => ({ waits: fail }) }, group);
  expect(() => failing.callStarted(CALL)!.waits!('ready')).toThrow('no');
  expect(group.telling).toBe(0);
  warn.mockRestore();
});
