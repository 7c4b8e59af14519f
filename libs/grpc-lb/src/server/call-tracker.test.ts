import { AsyncLocalStorage } from 'node:async_hooks';
import { Duplex } from 'node:stream';
import { Metadata, type ServerInterceptingCallInterface, status } from '@grpc/grpc-js';
import { describe, expect, onTestFinished, test, vi } from 'vitest';
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

describe('the duration of the last calls', () => {
  /** A call that arrives now; `end` is how its handler answers, `leave` how its caller goes. */
  function arrive(tracker: CallTracker, method: Parameters<Interceptor>[0]) {
    let wire!: Listener;
    const call = {
      start: (listener: Listener) => (wire = listener),
      sendStatus: () => {},
      getDeadline: () => Infinity,
    } as unknown as ServerInterceptingCallInterface;
    const intercepting = tracker.interceptor(method, call);
    intercepting.start({ onReceiveMetadata: () => {}, onCancel: () => {} } as unknown as Listener);
    wire.onReceiveMetadata(new Metadata());
    return {
      end: (code: status) => intercepting.sendStatus({ code, details: '', metadata: new Metadata() }),
      leave: () => wire.onCancel(),
    };
  }

  /** A tracker whose calls take as long as the clock is moved. */
  function tracked(): { tracker: CallTracker; pass(ms: number): void } {
    let now = 1000;
    const clock = vi.spyOn(performance, 'now').mockImplementation(() => now);
    onTestFinished(() => clock.mockRestore());
    const admission = { onArrival: () => undefined, served: () => undefined, succeeded: () => {} };
    return { tracker: new CallTracker(admission as unknown as Admission), pass: (ms) => void (now += ms) };
  }

  test('is that of calls that succeed, and neither of those that fail nor of streams', () => {
    const { tracker, pass } = tracked();
    const call = arrive(tracker, SAY);
    pass(40);
    call.end(status.OK);
    expect(tracker.duration.mean).toBe(40);
    for (const [method, code] of [
      [SAY, status.INTERNAL],
      [JOIN, status.OK],
    ] as const) {
      const other = arrive(tracker, method);
      pass(5000);
      other.end(code);
    }
    expect(tracker.duration.mean).toBe(40);
  });

  test('is longer if callers leave later than calls usually end, but not shorter if they leave early', () => {
    const { tracker, pass } = tracked();
    const call = arrive(tracker, SAY);
    pass(40);
    call.end(status.OK);
    for (const [waited, mean] of [
      [10, 40],
      [100, 70],
    ] as const) {
      const left = arrive(tracker, SAY);
      pass(waited);
      left.leave();
      expect(tracker.duration.mean).toBe(mean);
    }
  });
});
