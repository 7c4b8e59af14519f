import * as grpc from '@grpc/grpc-js';
import type { ClientGrpc } from '@nestjs/microservices';
import { lastValueFrom } from 'rxjs';
import { expect, onTestFinished, test } from 'vitest';
import { startBackends } from '../../support/echo/backends.js';
import { BalancedClient } from '../../support/echo/balanced-client.js';
import { staticTarget } from '../../support/echo/cluster.js';
import { expectNoLeaks } from '../../support/run/leaks.js';
import { CLIENTS, echoOptions, type EchoStub, errorOf, startApp } from '../../support/nest/app.js';
import { pretendedTls } from '../../support/peers/pretended-tls.js';

expectNoLeaks();

let asked = 0;
const token = grpc.credentials.createFromMetadataGenerator((_params, done) => {
  asked++;
  const metadata = new grpc.Metadata();
  metadata.set('authorization', 'Bearer s3cret');
  done(null, metadata);
});

const REFUSED = {
  code: grpc.status.UNAUTHENTICATED,
  details: expect.stringMatching(
    /^client ECHO: the call has credentials, but without TLS .* credentials\.createSsl\(\)/,
  ),
};

test('call credentials are never sent in plaintext: the call fails before it is sent', async () => {
  asked = 0;
  const servers = await startBackends(1);
  const target = staticTarget(servers);
  // Even if an interceptor starts the call later.
  const slow: grpc.Interceptor = (options, next) =>
    new grpc.InterceptingCall(next(options), {
      start: (metadata, listener, start) => setImmediate(() => start(metadata, listener)),
    });
  for (const interceptors of [[], [slow]]) {
    const app = await startApp(CLIENTS['the balanced client'](echoOptions(target, { interceptors })));
    const echo = app.get<ClientGrpc>('ECHO').getService<EchoStub>('Echo');
    expect(await errorOf(echo.say({ text: 'x' }, { credentials: token }))).toMatchObject(REFUSED);
    expect(await errorOf(echo.repeat({ text: 'x', times: 2 }, { credentials: token }))).toMatchObject(REFUSED);
    expect(await lastValueFrom(echo.say({ text: 'x' }))).toMatchObject({ text: 'x' });
  }
  expect(servers[0]!.calls).toBe(2);
  expect(asked).toBe(0);
});

test('without Nest the call fails too, even before a connection exists or when the caller cancels it', async () => {
  asked = 0;
  const client = new BalancedClient({ target: 'static:///127.0.0.1:1' });
  onTestFinished(() => client.close());
  await expect(client.say('x', { credentials: token, waitForReady: true })).rejects.toMatchObject(REFUSED);
  const cancelled = client.say('x', { credentials: token, onCall: (call) => call.cancel() });
  await expect(cancelled).rejects.toMatchObject({ code: grpc.status.UNAUTHENTICATED });
  expect(client.snapshot).toMatchObject({ inFlight: 0, pending: 0 });
  expect(asked).toBe(0);
});

test('call credentials are sent over TLS', async () => {
  asked = 0;
  const client = new BalancedClient({ target: staticTarget(await startBackends(1)), credentials: pretendedTls() });
  onTestFinished(() => client.close());
  expect(await client.say('x', { credentials: token })).toMatchObject({ text: 'x' });
  expect(asked).toBe(1);
});
