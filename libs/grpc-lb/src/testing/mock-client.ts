import {
  type MethodDefinition,
  Metadata,
  type ServiceDefinition,
  type ServiceError,
  status as Status,
} from '@grpc/grpc-js';
import type { Type } from '@nestjs/common';
import { Observable } from 'rxjs';
import { type Fault, GrpcLbOptionsError } from '../core/errors.js';
import { shown } from '../core/options/validation.js';
import { messageOf, messagesOf } from './answers.js';
import type { HandlerCall, HandlersOf, RequestIn, UntypedHandler } from './handlers.js';
import { checkHandlerNames, namesOf, serviceOfClient } from './served-services.js';

/** A call that a test made with a mocked client. */
export interface MockedCall<Req> {
  /** The request, as the caller passed it. */
  readonly request: Req;
  /** The metadata that the caller passed; empty if none. */
  readonly metadata: Metadata;
}

/** A method of a mocked client. */
export interface MockedMethod<Req> {
  /** The calls that were made, in order: one for each subscription. */
  readonly calls: readonly MockedCall<Req>[];
}

/** A client without a connection, whose methods also have `calls`. */
export type MockedClient<Client> = Client & {
  readonly [K in keyof Client as Client[K] extends (...args: never[]) => Observable<unknown> ? K : never]: MockedMethod<
    RequestIn<Client[K]>
  >;
};

/**
 * A client that answers by handlers, for unit tests: it opens no connection, and keeps the calls that are made. Requests
 * and answers pass the codec of the service, so they come out as over the wire, with defaults. A method of the service
 * without a handler fails with UNIMPLEMENTED, and the error says so.
 *
 * @example
 *   const orders = mockClient(OrdersClient, { find: ({ id }) => ({ id, total: 5 }) });
 *   const builder = Test.createTestingModule({ imports: [AppModule] }).overrideProvider(OrdersClient).useValue(orders);
 *   expect(orders.find.calls).toHaveLength(1);
 *
 * @param client A class with `@GrpcLbClient`. Its own methods work on the mocked ones; its constructor does not run.
 * @throws GrpcLbOptionsError if the service cannot be loaded, or has no method for a handler.
 */
export function mockClient<Client extends object>(
  client: Type<Client>,
  handlers: HandlersOf<NoInfer<Client>> = {},
): MockedClient<Client> {
  const faults: Fault[] = [];
  if (typeof client !== 'function') {
    const fault = { path: 'client', message: `is ${shown(client)}; pass the class of the client` };
    throw new GrpcLbOptionsError('mockClient', [fault]);
  }
  const subject = `mockClient(${client.name})`;
  const service = serviceOfClient(client, faults);
  if (faults.length === 0) checkHandlerNames(handlers, [service], '', faults);
  if (faults.length > 0) throw new GrpcLbOptionsError(subject, faults);
  const mocked = Object.create(client.prototype as object) as MockedClient<Client>;
  for (const key of Object.keys(service)) {
    const names = namesOf(key, service);
    const method = mockedMethod(subject, names, service, key, handlers as Readonly<Record<string, UntypedHandler>>);
    for (const name of names) Object.assign(mocked, { [name]: method });
  }
  return mocked;
}

function mockedMethod(
  subject: string,
  names: readonly string[],
  service: ServiceDefinition,
  key: string,
  handlers: Readonly<Record<string, UntypedHandler | undefined>>,
): object {
  const calls: MockedCall<unknown>[] = [];
  const method = service[key]! as MethodDefinition<object, object>;
  const handler = names.map((name) => handlers[name]).find((each) => each !== undefined);
  const call = (request: unknown, first?: unknown, second?: unknown): Observable<object> =>
    new Observable((subscriber) => {
      const metadata = first instanceof Metadata ? first : new Metadata();
      const { signal } = ((first instanceof Metadata ? second : first) ?? {}) as { signal?: AbortSignal };
      calls.push({ request, metadata });
      if (!handler) {
        subscriber.error(unmocked(subject, names[0]!));
        return undefined;
      }
      const over = new AbortController();
      const cancel = (): void =>
        subscriber.error(failure(Status.CANCELLED, 'The call was cancelled by its AbortSignal'));
      if (signal?.aborted) cancel();
      signal?.addEventListener('abort', cancel);
      const info: HandlerCall = { method: method.path, metadata, signal: over.signal };
      void (async () => {
        for await (const message of answersOf(method, handler, request, info)) {
          if (subscriber.closed) return;
          subscriber.next(message);
        }
        subscriber.complete();
      })().catch((error: unknown) => subscriber.error(asServiceError(error)));
      return () => {
        signal?.removeEventListener('abort', cancel);
        over.abort();
      };
    });
  return Object.assign(call, { calls });
}

async function* answersOf(
  method: MethodDefinition<object, object>,
  handler: UntypedHandler,
  request: unknown,
  info: HandlerCall,
): AsyncGenerator<object> {
  const asSent = (message: object): object => method.requestDeserialize(method.requestSerialize(message));
  const asReceived = (message: object): object => method.responseDeserialize(method.responseSerialize(message));
  const answer = handler(method.requestStream ? requestsOf(request, asSent) : asSent(request as object), info);
  if (!method.responseStream) yield asReceived(await messageOf(answer));
  else for await (const message of messagesOf(answer)) yield asReceived(message);
}

async function* requestsOf(requests: unknown, asSent: (message: object) => object): AsyncGenerator<object> {
  for await (const message of messagesOf(requests)) yield asSent(message);
}

function unmocked(subject: string, name: string): ServiceError {
  return failure(
    Status.UNIMPLEMENTED,
    `${subject} has no handler for ${name}; pass one, as in { ${name}: () => ({}) }`,
  );
}

function failure(code: Status, details: string): ServiceError {
  return Object.assign(new Error(`${code} ${Status[code]}: ${details}`), { code, details, metadata: new Metadata() });
}

/** As a server answers an error of its handler. */
function asServiceError(error: unknown): ServiceError {
  const { code, details, message, metadata } = (error ?? {}) as Partial<ServiceError>;
  const known = Number.isInteger(code) && Status[code!] !== undefined;
  const status = known ? code! : Status.UNKNOWN;
  const made = failure(status, details ?? message ?? shown(error));
  return Object.assign(made, { metadata: metadata ?? made.metadata, cause: error });
}
