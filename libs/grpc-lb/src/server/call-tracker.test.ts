import { AsyncLocalStorage } from 'node:async_hooks';
import { Metadata, type ServerInterceptingCallInterface } from '@grpc/grpc-js';
import { expect, test } from 'vitest';
import type { Admission } from './admission.js';
import { CallTracker } from './call-tracker.js';
import { LATER } from './shedder.js';

type Interceptor = CallTracker['interceptor'];
type Listener = Parameters<ServerInterceptingCallInterface['start']>[0];

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
