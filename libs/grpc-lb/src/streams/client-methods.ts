import type { ClientDuplexStream, ClientReadableStream } from '@grpc/grpc-js';
import type { ReplayingOptions, ResumableOptions } from '../nest/streams/resumable-options.js';

/** The methods of a client that return streams of responses. */
export type StreamMethodName<C> = {
  [K in keyof C]: C[K] extends (...args: never[]) => ClientReadableStream<unknown> ? K : never;
}[keyof C] &
  string;

/** The options for one method of a client, by whether it streams its requests. */
export type ClientMethods<C, K extends keyof C> = C[K] extends (
  ...args: never[]
) => ClientDuplexStream<infer Req, infer Msg>
  ? // oxlint-disable-next-line typescript/no-explicit-any
    ReplayingOptions<Req, Msg, any>
  : C[K] extends (request: infer Req, ...rest: never[]) => ClientReadableStream<infer Msg>
    ? // oxlint-disable-next-line typescript/no-explicit-any
      ResumableOptions<Req, Msg, any>
    : never;

/** A method of a client of grpc-js whose streams resume. Its messages and requests have the types of the method. */
export type ResumableClientMethod<C> = {
  [K in StreamMethodName<C>]: ClientMethods<C, K> & {
    /** The method, as the client has it. */
    readonly method: K;
  };
}[StreamMethodName<C>];
