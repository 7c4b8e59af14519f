import { Metadata, status } from '@grpc/grpc-js';
import { expect, onTestFinished, test, vi } from 'vitest';
import type { ServerCallObserver } from './server-observer.js';
import { ServerObservers } from './server-observers.js';
import { eventually } from '../../../../test/support/time/patience.js';

const SERVER = { tls: () => null };
const CALL = { method: '/a.A/B', metadata: new Metadata(), authority: 'a', peer: 'unknown', instrumented: false };
const END = { code: status.OK, details: '', sentBytes: 0, receivedBytes: 0 };

const rejects = (() => Promise.reject(new Error('no room'))) as () => void;
const throws = (): never => {
  throw new Error('no room');
};

test.each<[string, ServerCallObserver]>([
  ['at the end of a call, in an async function', { callStarted: () => ({ ended: rejects }) }],
  ['around the handler, in an async function', { callStarted: () => ({ run: rejects }) }],
  ['at the start of a call, in an async function', { callStarted: rejects as never }],
  ['when it begins to observe', { callStarted: () => undefined, attached: throws }],
  ['when it ends to observe', { callStarted: () => undefined, attached: () => throws }],
])('an observer that fails %s is reported once, and does no harm', async (_, observer) => {
  const warn = vi.spyOn(process, 'emitWarning').mockImplementation(() => {});
  onTestFinished(() => warn.mockRestore());
  const observers = new ServerObservers();
  const remove = observers.add(observer, SERVER);
  let handled = 0;
  for (let i = 0; i < 2; i++) {
    const observation = observers.all!.callStarted(CALL);
    if (observation?.run) observation.run(() => handled++);
    else handled++;
    observation?.ended?.(END);
  }
  remove();
  expect([handled, observers.all]).toEqual([2, undefined]);
  await eventually(() => warn.mock.calls.length > 0);
  expect(warn.mock.calls).toEqual([
    ['An observer of the server failed: no room; its further errors are not reported', 'GrpcLbWarning'],
  ]);
});
