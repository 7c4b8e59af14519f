import { type Interceptor, InterceptingCall, Metadata, type ServiceError, status as Status } from '@grpc/grpc-js';
import type { GrpcLbClientHandle } from 'nestjs-grpc-lb';
import { lastValueFrom } from 'rxjs';
import { expect, it } from 'vitest';
import { CLIENTS, echoOptions, type EchoStub, startApp } from '../../support/nest/app.js';
import { failure, type PartialLine, ScriptedBackend, type Script } from '../../support/nest/backend.js';
import { expectNoLeaks } from '../../support/run/leaks.js';

expectNoLeaks();

const shut = failure(Status.FAILED_PRECONDITION, 'the box is shut');
const ECHOES: Partial<Script> = {
  say: (call, done) => done(null, { text: `${String(call.metadata.get('x-tenant'))} ${call.request.text}` }),
};
const FAILS: Partial<Script> = { say: (_call, done) => done(shut) };

/** Each passes calls on in another way. */
const INTERCEPTORS: Readonly<Record<string, () => Interceptor>> = {
  'passes everything on': () => (options, next) => new InterceptingCall(next(options)),
  'adds metadata and changes messages': () => (options, next) =>
    new InterceptingCall(next(options), {
      start: (metadata, _listener, go) => {
        metadata.set('x-tenant', 'blue');
        go(metadata, {
          onReceiveMetadata: (headers, pass) => pass(headers),
          onReceiveMessage: (message: PartialLine | null, pass) => pass(message && { text: `${message.text}!` }),
          onReceiveStatus: (status, pass) => pass({ ...status, details: `${status.details}?` }),
        });
      },
      sendMessage: (message: PartialLine, go) => go({ text: message.text!.toUpperCase() }),
    }),
  'starts later': () => (options, next) =>
    new InterceptingCall(next(options), {
      start: (metadata, listener, go) => void setImmediate(() => go(metadata, listener)),
    }),
  'passes results on later': () => (options, next) =>
    new InterceptingCall(next(options), {
      start: (metadata, _listener, go) =>
        go(metadata, {
          onReceiveMetadata: (headers, pass) => void setImmediate(() => pass(headers)),
          onReceiveMessage: (message, pass) => void setImmediate(() => pass(message)),
          onReceiveStatus: (status, pass) => void setImmediate(() => pass(status)),
        }),
    }),
  'makes the call fail': () => (options, next) =>
    new InterceptingCall(next(options), {
      start: (metadata, _listener, go) =>
        go(metadata, {
          onReceiveStatus: (_status, pass) =>
            pass({ code: Status.ABORTED, details: 'by the interceptor', metadata: new Metadata() }),
        }),
    }),
  'cancels the call': () => (options, next) => {
    const inner = next(options);
    return new InterceptingCall(inner, {
      sendMessage: (_message, go) => {
        inner.cancelWithStatus(Status.CANCELLED, 'by the interceptor');
        go({ text: 'late' });
      },
    });
  },
  'answers itself': () => () =>
    ({
      start: (
        _metadata: Metadata,
        listener: { onReceiveMessage(message: PartialLine): void; onReceiveStatus(status: object): void },
      ) => {
        listener.onReceiveMessage({ text: 'from the cache' });
        listener.onReceiveStatus({ code: Status.OK, details: '', metadata: new Metadata() });
      },
      sendMessage: () => {},
      halfClose: () => {},
      cancelWithStatus: () => {},
      startRead: () => {},
    }) as unknown as InterceptingCall,
  'sets a deadline': () => (options, next) => new InterceptingCall(next({ ...options, deadline: Date.now() - 1 })),
  'sends what cannot be encoded': () => (options, next) =>
    new InterceptingCall(next(options), { sendMessage: (_message, go) => go({ text: 7n }) }),
};

async function outcomeOf(
  interceptor: Interceptor,
  script: Partial<Script>,
): Promise<{ ours: unknown; theirs: unknown }> {
  const backend = await new ScriptedBackend(script).start();
  const options = echoOptions(backend.address, { interceptors: [interceptor] });
  const app = await startApp(CLIENTS['the balanced client'](options));
  const handle = app.get<GrpcLbClientHandle>('ECHO');
  const ours = lastValueFrom(handle.getService<EchoStub>('Echo').say({ text: 'hello' }));
  const theirs = new Promise((resolve, reject) => {
    const client = handle.getClientByServiceName<{
      say(line: PartialLine, done: (error: unknown, line?: PartialLine) => void): void;
    }>('Echo');
    client.say({ text: 'hello' }, (error, line) => (error ? reject(error as Error) : resolve(line)));
  });
  const result = (call: Promise<unknown>): Promise<unknown> =>
    call.catch((error: unknown) => {
      const { code, details } = error as ServiceError;
      return { code, details: details.replace(/\d+\.\d+s/g, 'time') };
    });
  return { ours: await result(ours), theirs: await result(theirs) };
}

for (const [name, create] of Object.entries(INTERCEPTORS)) {
  it(`an interceptor that ${name} works in a stub as in grpc-js's client`, async () => {
    for (const script of [ECHOES, FAILS]) {
      const { ours, theirs } = await outcomeOf(create(), script);
      expect(ours).toEqual(theirs);
    }
  });
}

it('interceptors run in their order', async () => {
  const order: string[] = [];
  const named =
    (name: string): Interceptor =>
    (options, next) => {
      order.push(name);
      return new InterceptingCall(next(options));
    };
  const backend = await new ScriptedBackend(ECHOES).start();
  const options = echoOptions(backend.address, { interceptors: [named('outer'), named('inner')] });
  const app = await startApp(CLIENTS['the balanced client'](options));
  await lastValueFrom(app.get<GrpcLbClientHandle>('ECHO').getService<EchoStub>('Echo').say({ text: 'x' }));
  expect(order).toEqual(['outer', 'inner']);
});
