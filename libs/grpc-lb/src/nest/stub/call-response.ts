import { Metadata } from '@grpc/grpc-js';
import type { GrpcLbCallOptions } from '../call-options.js';
import type { GrpcLbResponse } from '../promise-types.js';
import { callPromise } from './call-promise.js';
import type { StartCall } from './start-call.js';

/** Starts a call with one response; the Promise has the response with what came beside it. */
export async function callResponse(
  start: StartCall,
  request: unknown,
  first: unknown,
  second: unknown,
): Promise<GrpcLbResponse<unknown>> {
  const beside = new Beside();
  const gathering: StartCall = (...args) => start(args[0], args[1], args[2], args[3], (given) => beside.gather(given));
  return beside.with(await callPromise(gathering, request, first, second));
}

type Listeners = Required<Pick<GrpcLbCallOptions, 'onMetadata' | 'onStatus'>>;

/** What comes beside the response of a call. */
export class Beside {
  #headers: Metadata | undefined;
  #trailers: Metadata | undefined;

  /** Arguments of a call that tell this as well as the functions that the user passed. */
  gather<T extends Pick<GrpcLbCallOptions, 'onMetadata' | 'onStatus'>>(given: T): T & Listeners {
    return {
      ...given,
      onMetadata: (metadata) => {
        this.#headers = metadata;
        given.onMetadata?.(metadata);
      },
      onStatus: (status) => {
        this.#trailers = status.metadata;
        given.onStatus?.(status);
      },
    };
  }

  with(message: unknown): GrpcLbResponse<unknown> {
    return { message, headers: this.#headers ?? new Metadata(), trailers: this.#trailers ?? new Metadata() };
  }
}
