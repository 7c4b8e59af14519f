import { Observable, type Subscriber } from 'rxjs';
import { type CallArguments, callArguments } from '../stub/call-arguments.js';
import { pullable } from './iterate.js';
import { assertRequestStream } from '../stub/request-stream.js';
import { ReplayingCall } from './replaying-call.js';
import { ResumableCall, type StreamTarget } from './resumable-call.js';
import type { Sink } from './sink.js';

type StubMethod = (request: unknown, ...rest: unknown[]) => Observable<unknown>;

/** One resumable method in Nest's form: a function that returns a cold Observable. */
export function resumableMethod(target: StreamTarget): StubMethod {
  return pullableMethod(
    (request, first, second) =>
      new Observable((subscriber) => {
        const args = callArguments(target.argumentRules, first, second);
        const call = createCall(target, args, request, new SubscriberSink(subscriber));
        call.start();
        return call;
      }),
    target,
  );
}

/** The streams that a method returns, so that `iterate` can pull them. */
export function pullableMethod(method: StubMethod, target: StreamTarget): StubMethod {
  return (request, ...rest) =>
    pullable(method(request, ...rest), (sink) => {
      const args = callArguments(target.argumentRules, rest[0], rest[1]);
      return createCall(target, args, request, sink);
    });
}

function createCall(target: StreamTarget, args: CallArguments, request: unknown, sink: Sink): ResumableCall {
  const { method, rules } = target;
  if (!method.requestStream) return new ResumableCall(target, args, request, sink);
  assertRequestStream(rules, request);
  return new ReplayingCall(target, args, request, sink);
}

/** An Observable takes whatever comes. */
class SubscriberSink implements Sink {
  readonly wantsMore = true;

  constructor(private readonly subscriber: Subscriber<unknown>) {}

  take(message: unknown): void {
    this.subscriber.next(message);
  }

  fail(error: unknown): void {
    this.subscriber.error(error);
  }

  complete(): void {
    this.subscriber.complete();
  }
}
