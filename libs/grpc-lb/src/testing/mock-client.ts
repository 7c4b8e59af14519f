import { Metadata, type MethodDefinition, type ServiceDefinition } from '@grpc/grpc-js';
import type { Type } from '@nestjs/common';
import { Observable } from 'rxjs';
import { type Fault, GrpcLbOptionsError } from '../core/errors.js';
import { shown } from '../core/options/validation.js';
import { pullable } from '../nest/streams/iterate.js';
import type { Sink } from '../nest/streams/sink.js';
import type { HandlersOf, RequestIn, UntypedHandler } from './handlers.js';
import { MockedCall } from './mocked-call.js';
import { checkHandlerNames, namesOf, serviceOfClient } from './served-services.js';

/** A call that a test made with a mocked client. */
export interface MadeCall<Req> {
  /** The request, as the caller passed it. */
  readonly request: Req;
  /** The metadata that the caller passed; empty if none. */
  readonly metadata: Metadata;
}

/** A method of a mocked client. */
export interface MockedMethod<Req> {
  /** The calls that were made, in order: one for each subscription. */
  readonly calls: readonly MadeCall<Req>[];
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
  const calls: MadeCall<unknown>[] = [];
  const parts = {
    method: service[key]! as MethodDefinition<object, object>,
    handler: names.map((name) => handlers[name]).find((each) => each !== undefined),
    missing: `${subject} has no handler for ${names[0]!}; pass one, as in { ${names[0]!}: () => ({}) }`,
  };
  const call = (request: unknown, first?: unknown, second?: unknown): Observable<unknown> => {
    const metadata = first instanceof Metadata ? first : new Metadata();
    const { signal } = ((first instanceof Metadata ? second : first) ?? {}) as { signal?: AbortSignal };
    const open = (sink: Sink): MockedCall => {
      calls.push({ request, metadata });
      return new MockedCall(parts, request, metadata, signal, sink);
    };
    const observable = new Observable((subscriber) => {
      const opened = open({
        wantsMore: true,
        take: (message) => subscriber.next(message),
        fail: (error) => subscriber.error(error),
        complete: () => subscriber.complete(),
      });
      opened.start();
      return opened;
    });
    return parts.method.responseStream ? pullable(observable, open) : observable;
  };
  return Object.assign(call, { calls });
}
