import { AsyncLocalStorage } from 'node:async_hooks';
import { Duplex } from 'node:stream';
import { Metadata, type ServerInterceptingCallInterface, status } from '@grpc/grpc-js';
import { expect, test } from 'vitest';
import type { Admission } from './admission.js';
import { CallTracker } from './call-tracker.js';
import { LATER } from './shedder.js';

type Interceptor = CallTracker['interceptor'];
type Listener = Parameters<ServerInterceptingCallInterface['start']>[0];

const SAY = { path: '/echo.v1.Echo/Say', requestStream: false, responseStream: false } as Parameters<Interceptor>[0];
const JOIN = { path: '/echo.v1.Echo/Join', requestStream: true, responseStream: false } as Parameters<Interceptor>[0];

test('a postponed call runs in its own async context, not in that which ends the turn', () => {
  const decided: ((refusal: undefined) => void)[] = [];
  const admission = {
    onArrival: () => LATER,
    postpone: (_metadata: Metadata, decide: (refusal: undefined) => void) => void decided.push(decide),
    served: () => undefined,
  };
  const context = new AsyncLocalStorage<string>();
  const tracker = new CallTracker(admission as unknown as Admission);
  const seen: unknown[] = [];
  const arrive = (name: string): void => {
    let wire: Listener | undefined;
    const call = { start: (listener: Listener) => (wire = listener) } as unknown as ServerInterceptingCallInterface;
    const handler = { onReceiveMetadata: () => seen.push(context.getStore()) } as unknown as Listener;
    tracker.interceptor(JOIN, call).start(handler);
    context.run(name, () => wire!.onReceiveMetadata(new Metadata()));
  };
  arrive('first');
  arrive('second');
  expect(seen).toEqual([]);
  context.run('first', () => decided.forEach((decide) => decide(undefined)));
  expect(seen).toEqual(['first', 'second']);
});

test('what a caller has sent is no failure of the server, and no end of a run of failures', () => {
  const admission = { onArrival: () => undefined, served: () => undefined };
  const tracker = new CallTracker(admission as unknown as Admission);
  /** grpc-js ends a call with these details. */
  const end = (details: string): void => {
    let wire!: Listener;
    const sentHeaders = { 'grpc-status': status.INTERNAL, 'grpc-message': encodeURI(details) };
    const call = {
      start: (listener: Listener) => (wire = listener),
      stream: Object.assign(new Duplex(), { sentHeaders }),
    } as unknown as ServerInterceptingCallInterface;
    const handler = { onReceiveMetadata: () => {}, onCancel: () => {} } as unknown as Listener;
    tracker.interceptor(SAY, call).start(handler);
    wire.onReceiveMetadata(new Metadata());
    wire.onCancel();
  };
  const counts = (): number[] => [tracker.ended, tracker.errors, tracker.failureRun.length];
  // More than chance explains.
  for (let i = 0; i < 25; i++) end('Error serializing response');
  expect(counts()).toEqual([25, 25, 25]);
  end('Error deserializing request');
  expect(counts()).toEqual([26, 25, 25]);
});
