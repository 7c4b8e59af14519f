import type { Metadata, MethodDefinition } from '@grpc/grpc-js';
import type { Type } from '@nestjs/common';
import type { Observable } from 'rxjs';
import { type Fault, GrpcLbOptionsError } from '../core/errors.js';
import { shown } from '../core/options/validation.js';
import { isOfPromises } from '../nest/grpc-service.js';
import { iterate, pullable } from '../nest/streams/iterate.js';
import type { Sink } from '../nest/streams/sink.js';
import { type CallArguments, callArguments } from '../nest/stub/call-arguments.js';
import { callObservable } from '../nest/stub/call-observable.js';
import { methodForms, withForms } from '../nest/stub/method-forms.js';
import type { Receiver } from '../nest/stub/receiver.js';
import { assertRequestStream } from '../nest/stub/request-stream.js';
import type { StartCall } from '../nest/stub/start-call.js';
import type { AnyCall, HandlersOf, RequestIn, UntypedHandler } from './handlers.js';
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
  readonly [K in keyof Client as Client[K] extends (...args: never[]) => AnyCall<unknown> ? K : never]: MockedMethod<
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
  const ofPromises = isOfPromises(client);
  for (const key of Object.keys(service)) {
    const names = namesOf(key, service);
    const handler = names.map((name) => handlerOf(handlers, name)).find((each) => each !== undefined);
    const [name] = names as [string];
    const missing = `${subject} has no handler for ${name}; pass one, as in { ${name}: () => ({}) }`;
    const named = { subject, method: service[key]! as MethodDefinition<object, object>, handler, ofPromises };
    const method = mockedMethod(named, name, missing);
    for (const each of names) Object.assign(mocked, { [each]: method });
  }
  return mocked;
}

type Handlers = Readonly<Record<string, UntypedHandler | undefined>>;

/** A method may be named as what every object inherits, such as `constructor`. */
function handlerOf(handlers: object, name: string): UntypedHandler | undefined {
  const isInherited = name in Object.prototype && !Object.hasOwn(handlers, name);
  return isInherited ? undefined : (handlers as Handlers)[name];
}

interface NamedMethod {
  readonly subject: string;
  readonly method: MethodDefinition<object, object>;
  readonly handler: UntypedHandler | undefined;
  readonly ofPromises: boolean;
}

function mockedMethod({ subject, method, handler, ofPromises }: NamedMethod, name: string, missing: string): object {
  const calls: MadeCall<unknown>[] = [];
  const parts = { method, handler, missing };
  const rules = { subject: `${subject}, ${name}`, intercepted: false, delegated: false };
  const open = (sink: Sink, request: unknown, args: CallArguments): MockedCall => {
    if (method.requestStream) assertRequestStream(rules, request);
    const metadata = args.metadata.clone();
    calls.push({ request, metadata });
    return new MockedCall(parts, request, { ...args, metadata }, sink);
  };
  const start: StartCall = (request, first, second, receiver, adapt) => {
    const args = callArguments(rules, first, second);
    const call = open(sinkOf(receiver), request, adapt ? adapt(args) : args);
    call.start();
    return call;
  };
  const observe = callObservable(start);
  const observed = (request: unknown, ...rest: unknown[]): Observable<unknown> => {
    const observable = observe(request, ...rest);
    if (!method.responseStream) return observable;
    return pullable(observable, (sink) => open(sink, request, callArguments(rules, rest[0], rest[1])));
  };
  const forms = methodForms({ subject: rules.subject, method }, start);
  const pulled = (request: unknown, ...rest: unknown[]): unknown => iterate(observed(request, ...rest));
  const promised = method.responseStream ? pulled : forms.promise.bind(undefined);
  return Object.assign(
    withForms(ofPromises ? promised : observed, () => forms),
    { calls },
  );
}

function sinkOf(receiver: Receiver): Sink {
  return {
    wantsMore: true,
    take: (message) => receiver.next(message),
    fail: (error) => receiver.error(error),
    complete: () => receiver.complete(),
  };
}
