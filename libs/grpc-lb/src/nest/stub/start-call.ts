import type { Client, Metadata } from '@grpc/grpc-js';
import type { Unsubscribable } from 'rxjs';
import type { ArgumentRules } from './argument-rules.js';
import { type CallArguments, callArguments, isIntercepted } from './call-arguments.js';
import { ClientMadeCall } from './client-made-call.js';
import { ServerStreamCall, UnaryCall } from './direct-call.js';
import { InterceptedCall } from './intercepted-call.js';
import type { Receiver } from './receiver.js';
import { assertRequestStream } from './request-stream.js';
import { aborted } from './service-error.js';
import type { CallTarget, DirectWay, SubscribedCall } from './subscribed-call.js';

/** The metadata, with the policy's key of the request. */
export type Keyed = (request: unknown, metadata: Metadata) => Metadata;

/** What the calls of one method need. */
export interface MethodCaller extends ArgumentRules, Pick<CallTarget, 'method' | 'openCalls'> {
  readonly client: Client;
  /** The name of the client. */
  readonly clientName: string;
  /** The target of the client, without secrets. */
  readonly target: string;
  /** How to make calls without grpc-js's client; undefined if they must go through it. */
  readonly direct: DirectWay | undefined;
  readonly keyed?: Keyed;
}

/** A call that has started. */
export interface StartedCall extends Unsubscribable {
  /** Its receiver takes messages again. Only calls with a stream of requests have it. */
  resume?(): void;
}

/**
 * Starts a call of one method, from the arguments as the user passes them. The receiver must unsubscribe from the call
 * when it wants nothing more, and when the call has ended. `adapt` may replace the arguments once they are checked.
 *
 * @returns Undefined if the call has ended before it began.
 * @throws GrpcLbArgumentError if an argument is wrong; what an interceptor throws.
 */
export type StartCall = (
  request: unknown,
  first: unknown,
  second: unknown,
  receiver: Receiver,
  adapt?: (args: CallArguments) => CallArguments,
) => StartedCall | undefined;

/** What starts the calls of one method. */
export function callStarter(caller: MethodCaller): StartCall {
  const { method, openCalls, direct, keyed = (_request, metadata) => metadata } = caller;
  const target = direct && { ...direct, method, openCalls };
  const DirectCall = target && directClass(target);
  return (request, first, second, receiver, adapt) => {
    if (method.requestStream) assertRequestStream(caller, request);
    const given = callArguments(caller, first, second);
    const args = adapt ? adapt(given) : given;
    if (args.signal?.aborted) {
      receiver.error(aborted(args.signal));
      return undefined;
    }
    // Keys come from single requests only.
    const metadata = keyed(method.requestStream ? undefined : request, args.metadata);
    const keyedArgs = metadata === args.metadata ? args : { ...args, metadata };
    if (target && DirectCall && !isIntercepted(args))
      return startDirectly(new DirectCall(target, keyedArgs, receiver), request);
    const call = new ClientMadeCall(caller, keyedArgs, receiver);
    call.start(request);
    return call;
  };
}

type DirectClass = new (...args: ConstructorParameters<typeof UnaryCall>) => SubscribedCall;

/** The class of the calls that are made without grpc-js's client; undefined if it must make them. */
function directClass({ interceptors, method }: CallTarget): DirectClass | undefined {
  const { requestStream, responseStream } = method;
  if (requestStream || (responseStream && interceptors.length > 0)) return undefined;
  if (interceptors.length > 0) return InterceptedCall;
  return responseStream ? ServerStreamCall : UnaryCall;
}

/** Starts a call; returns what ends it. Its receiver gets nothing to unsubscribe from if that throws. */
function startDirectly(call: SubscribedCall, request: unknown): SubscribedCall {
  try {
    call.start(request);
  } catch (error) {
    call.unsubscribe();
    throw error;
  }
  return call;
}
