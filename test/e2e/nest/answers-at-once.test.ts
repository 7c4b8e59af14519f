import { type Interceptor, InterceptingCall, Metadata, status as Status, type StatusObject } from '@grpc/grpc-js';
import { GrpcLbModule, iterate, promises } from 'nestjs-grpc-lb';
import { EMPTY, lastValueFrom, toArray } from 'rxjs';
import { describe, expect, test } from 'vitest';
import { echoClient, type EchoStub, startApp } from '../../support/nest/app.js';
import { ScriptedBackend } from '../../support/nest/backend.js';
import { expectNoLeaks } from '../../support/run/leaks.js';

expectNoLeaks();

/** Answers from a cache, before anything is sent. */
const caching =
  (texts: readonly string[], code = Status.OK): Interceptor =>
  (options, next) =>
    new InterceptingCall(next(options), {
      start: (_metadata, listener) => {
        listener.onReceiveMetadata(new Metadata());
        for (const text of texts) listener.onReceiveMessage({ text });
        listener.onReceiveStatus({ code, details: 'cached', metadata: new Metadata() });
      },
      sendMessage: () => {},
      halfClose: () => {},
    });

const WAYS = ['of the client', 'of the call'] as const;

describe.each(WAYS)('an interceptor %s may answer at once', (way) => {
  async function echoOf(interceptor: Interceptor): Promise<[EchoStub, object]> {
    const backend = await new ScriptedBackend({}).start();
    const interceptors = [interceptor];
    const Echo = echoClient(backend.target, way === 'of the client' ? { interceptors } : {});
    const app = await startApp({ imports: [GrpcLbModule.forRoot(), GrpcLbModule.forFeature([Echo])] });
    return [app.get(Echo), way === 'of the call' ? { interceptors } : {}];
  }

  test('with one response, to an Observable and a Promise', async () => {
    const [echo, options] = await echoOf(caching(['a']));
    const statuses: StatusObject[] = [];
    const onStatus = (status: StatusObject): void => void statuses.push(status);
    expect(await promises(echo).say({}, { ...options, onStatus })).toEqual({ text: 'a' });
    expect(await lastValueFrom(echo.say({}, options))).toEqual({ text: 'a' });
    expect(await promises(echo).join(EMPTY, options)).toEqual({ text: 'a' });
    expect(statuses.map(({ code }) => code)).toEqual([Status.OK]);
  });

  test('with a stream', async () => {
    const [echo, options] = await echoOf(caching(['a', 'b']));
    expect(await lastValueFrom(echo.repeat({}, options).pipe(toArray()))).toEqual([{ text: 'a' }, { text: 'b' }]);
    const seen: unknown[] = [];
    for await (const { text } of iterate(echo.repeat({}, options))) seen.push(text);
    for await (const { text } of iterate(echo.talk(EMPTY, options))) seen.push(text);
    expect(seen).toEqual(['a', 'b', 'a', 'b']);
  });

  test('with a failure', async () => {
    const [echo, options] = await echoOf(caching([], Status.NOT_FOUND));
    const failed = { code: Status.NOT_FOUND, details: 'cached' };
    const statuses: number[] = [];
    const onStatus = ({ code }: StatusObject): void => void statuses.push(code);
    await expect(promises(echo).say({}, { ...options, onStatus })).rejects.toMatchObject(failed);
    await expect(lastValueFrom(echo.repeat({}, options))).rejects.toMatchObject(failed);
    expect(statuses).toEqual([Status.NOT_FOUND]);
  });
});
