import type { EventEmitter } from 'node:events';
import type { Server } from '@grpc/grpc-js';

type Handler = Parameters<Server['register']>[1];
type Type = Parameters<Server['register']>[4];
type Callback = (error: unknown, value: unknown, trailer: unknown, flags: unknown) => void;
type Unary = (call: unknown, callback: Callback) => void;
type Streaming = (call: EventEmitter) => void;

/**
 * The same handler, whose errors are objects. grpc-js reads the properties of an error, which throws where nothing catches
 * it if the error is a text: that ends the process. The filter of Nest's documentation passes on `exception.getError()`,
 * which is the text of `new RpcException(text)`.
 */
export function withErrorObjects(handler: Handler, type: Type): Handler {
  if (type === 'unary' || type === 'clientStream') {
    const unary = handler as unknown as Unary;
    return ((call: unknown, callback: Callback) =>
      unary(call, (error, value, trailer, flags) =>
        callback(error && errorObject(error), value, trailer, flags),
      )) as unknown as Handler;
  }
  const streaming = handler as unknown as Streaming;
  return (call: EventEmitter) => {
    // That of grpc-js, which makes the status.
    for (const listener of call.listeners('error') as ((error: unknown) => void)[]) {
      call.off('error', listener);
      call.on('error', (error) => listener.call(call, errorObject(error)));
    }
    return streaming(call);
  };
}

function errorObject(error: unknown): object {
  if (typeof error === 'function' || (typeof error === 'object' && error !== null)) return error;
  return new Error(String(error));
}
