import { GrpcLbArgumentError } from '../../core/errors.js';
import { callPromise } from './call-promise.js';
import { callResponse } from './call-response.js';
import type { StartCall } from './start-call.js';

/** A call of a method, with the arguments as the user passes them. */
export type PromisedCall = (request: unknown, first?: unknown, second?: unknown) => Promise<unknown>;

/** What a method of a stub offers beside its Observables. */
export interface MethodForms {
  /** Whether it answers with a stream of messages. */
  readonly streams: boolean;
  /** Its response. */
  readonly promise: PromisedCall;
  /** Its response, with headers and trailers. */
  readonly response: PromisedCall;
}

const FORMS = Symbol('nestjs-grpc-lb forms of a method');

/** Finds the forms of a method of a client. A method of a client class asks for those of its stub. */
export type FindForms = (client: object) => MethodForms | undefined;

interface Marked {
  readonly [FORMS]?: { readonly method: object; readonly find: FindForms };
}

/** Lets `formsOf` find the forms of a method. */
export function withForms<M extends object>(method: M, find: FindForms): M {
  return Object.defineProperty(method, FORMS, { value: { method, find } });
}

/** The forms of a method of a client; undefined if the method is another function, such as one that overrides it. */
export function formsOf(method: unknown, client: object): MethodForms | undefined {
  const marked = (method as Marked | undefined)?.[FORMS];
  // Spies of tests copy the properties of what they replace.
  return marked?.method === method ? marked?.find(client) : undefined;
}

interface NamedMethod {
  /** For errors, as in `client ORDERS, Orders/Find`. */
  readonly subject: string;
  readonly method: { readonly responseStream: boolean };
}

/** The forms of a method whose calls `start` starts. */
export function methodForms({ subject, method }: NamedMethod, start: StartCall): MethodForms {
  if (method.responseStream) {
    const refuse = (): Promise<never> => Promise.reject(streamsError(subject));
    return { streams: true, promise: refuse, response: refuse };
  }
  return {
    streams: false,
    promise: (request, first, second) => callPromise(start, request, first, second),
    response: (request, first, second) => callResponse(start, request, first, second),
  };
}

/** A method that streams its responses was called as if it had one. */
export function streamsError(subject: string): GrpcLbArgumentError {
  return new GrpcLbArgumentError(
    `${subject} answers with a stream of messages, which a Promise cannot hold; loop over it: ` +
      'for await (const message of iterate(client.method(request)))',
  );
}
