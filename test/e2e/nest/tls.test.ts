import {
  type ChannelCredentials,
  credentials,
  Metadata,
  ServerCredentials,
  type ServiceError,
  status as Status,
} from '@grpc/grpc-js';
import type { ClientGrpc } from '@nestjs/microservices';
import { type GrpcLbClientOptions, GrpcLbOptionsError, GrpcLbRegistry } from 'nestjs-grpc-lb';
import { BalancedChannel, register } from 'nestjs-grpc-lb/grpc';
import { firstValueFrom } from 'rxjs';
import { describe, expect, it } from 'vitest';
import { type Certificate, makeCertificate } from '../../support/peers/certificates.js';
import { Echo } from '../../support/echo/cluster.js';
import { expectNoLeaks } from '../../support/run/leaks.js';
import { CLIENTS, echoOptions, type EchoStub, errorOf, startApp, startError } from '../../support/nest/app.js';
import { ScriptedBackend } from '../../support/nest/backend.js';

expectNoLeaks();

describe('TLS (needs openssl to make certificates)', () => {
  const here = makeCertificate(['127.0.0.1', 'localhost']);
  const elsewhere = makeCertificate(['orders.internal']);

  async function connect(
    server: Certificate,
    client: ChannelCredentials,
    more: Partial<GrpcLbClientOptions> = {},
    clientRoot?: Buffer,
  ) {
    const keys = [{ private_key: server.key, cert_chain: server.cert }];
    const serverCredentials = ServerCredentials.createSsl(clientRoot ?? null, keys, clientRoot !== undefined);
    const backend = await new ScriptedBackend({ say: (call, done) => done(null, call.request) }).start(
      serverCredentials,
    );
    const target = (more.target ?? 'static:///127.0.0.1').concat(`:${backend.port}`);
    const app = await startApp(
      CLIENTS['the balanced client'](echoOptions(target, { ...more, target, credentials: client })),
    );
    return {
      backend,
      echo: app.get<ClientGrpc>('ECHO').getService<EchoStub>('Echo'),
      registry: app.get(GrpcLbRegistry),
    };
  }

  it.each(['static:///127.0.0.1', 'dns:///localhost', 'localhost'])('works with %s', async (target) => {
    const { echo } = await connect(here, credentials.createSsl(here.cert), { target });
    expect(await firstValueFrom(echo.say({ text: 'secret' }))).toMatchObject({ text: 'secret' });
  });

  it('fails with a hint if only one of client and server uses TLS', async () => {
    const backend = await new ScriptedBackend({ say: (call, done) => done(null, call.request) }).start();
    const target = `static:///127.0.0.1:${backend.port}`;
    const client = { credentials: credentials.createSsl(here.cert) };
    const app = await startApp(CLIENTS['the balanced client'](echoOptions(target, client)));
    const error = await errorOf(app.get<ClientGrpc>('ECHO').getService<EchoStub>('Echo').say({}));
    expect(error.details).toBe(
      'client ECHO: the only endpoint is not ready: wrong version number: the client uses TLS, but the peer does not; enable TLS at the peer, or correct the port',
    );

    const { echo } = await connect(here, credentials.createInsecure());
    expect((await errorOf(echo.say({}))).details).toBe(
      'client ECHO: the only endpoint is not ready: Failed to connect: the peer closed the connection before HTTP/2 started; if it expects TLS, give the client tls: {}, or credentials: credentials.createSsl()',
    );
  });

  it('verifies the issuer of the server certificate', async () => {
    for (const client of [credentials.createSsl(elsewhere.cert), credentials.createSsl()]) {
      const { backend, echo, registry } = await connect(here, client);
      const error = await errorOf(echo.say({}));
      expect(error).toMatchObject({ code: Status.UNAVAILABLE, details: expect.stringMatching(/certificate/) });
      expect(registry.snapshot('ECHO').endpoints[0]).toMatchObject({
        state: 'transient_failure',
        reason: expect.stringMatching(/certificate/),
      });
      expect(backend.seen).toEqual([]);
    }
  });

  it('verifies the host name of the certificate', async () => {
    const { backend, echo } = await connect(elsewhere, credentials.createSsl(elsewhere.cert));
    const error = await errorOf(echo.say({}));
    expect(error.code).toBe(Status.UNAVAILABLE);
    expect(error.details).toMatch(/altnames: IP: 127\.0\.0\.1 is not in the cert's list: DNS:orders\.internal: /);
    expect(backend.seen).toEqual([]);
  });

  it('verifies against another host if the channel options set one', async () => {
    const channelOptions = { 'grpc.ssl_target_name_override': 'orders.internal' };
    const { echo } = await connect(elsewhere, credentials.createSsl(elsewhere.cert), { channelOptions });
    expect(await firstValueFrom(echo.say({ text: 'x' }))).toMatchObject({ text: 'x' });
  });

  it('does not accept a certificate for localhost if the target has no host', async () => {
    const [local, named] = [makeCertificate(['localhost']), makeCertificate(['orders.internal'])];
    for (const each of [local, named]) {
      const backend = await new ScriptedBackend({ say: (call, done) => done(null, call.request) }).start(
        ServerCredentials.createSsl(null, [{ private_key: each.key, cert_chain: each.cert }]),
      );
      const target = `static:///unix:/nowhere.sock,127.0.0.1:${backend.port}`;
      const options = echoOptions(target, { credentials: credentials.createSsl(each.cert) });
      // When the module is built.
      expect((await startError(CLIENTS['the balanced client'](options))).message).toContain(
        'channelOptions["grpc.ssl_target_name_override"] is missing',
      );
      // Without Nest too.
      expect(() => new BalancedChannel({ name: 'ECHO', target, credentials: options.credentials! })).toThrow(
        GrpcLbOptionsError,
      );
      // And with grpc-js's own channel, which this package cannot check before.
      register();
      const bare = new Echo(target, options.credentials!, {
        'grpc.service_config': JSON.stringify({ loadBalancingConfig: [{ grpc_lb: {} }] }),
      }) as unknown as { Say(line: object, done: (error: ServiceError | null) => void): void; close(): void };
      const error = await new Promise<ServiceError | null>((resolve) => bare.Say({}, resolve));
      bare.close();
      expect(error).toMatchObject({
        code: Status.UNAVAILABLE,
        details: expect.stringContaining('target-names-no-host.invalid'),
      });
      expect(backend.seen).toEqual([]);
    }
    const channelOptions = { 'grpc.ssl_target_name_override': 'orders.internal' };
    const target = `static:///unix:/nowhere.sock,127.0.0.1`;
    const { echo } = await connect(named, credentials.createSsl(named.cert), { target, channelOptions });
    expect(await firstValueFrom(echo.say({ text: 'x' }))).toMatchObject({ text: 'x' });
  });

  it('sends the client certificate if the server requests it', async () => {
    const known = credentials.createSsl(here.cert, elsewhere.key, elsewhere.cert);
    const { echo } = await connect(here, known, {}, elsewhere.cert);
    expect(await firstValueFrom(echo.say({ text: 'x' }))).toMatchObject({ text: 'x' });
    const { echo: unknown } = await connect(here, credentials.createSsl(here.cert), {}, elsewhere.cert);
    expect(await errorOf(unknown.say({}))).toMatchObject({ code: Status.UNAVAILABLE });
  });

  it('carries the credentials of each call', async () => {
    let made = 0;
    const perCall = credentials.createFromMetadataGenerator((_params, done) => {
      const metadata = new Metadata();
      metadata.set('authorization', `Bearer ${++made}`);
      done(null, metadata);
    });
    const combined = credentials.combineChannelCredentials(credentials.createSsl(here.cert), perCall);
    const { backend, echo, registry } = await connect(here, combined);
    await firstValueFrom(echo.say({}));
    await firstValueFrom(echo.say({}));
    // The first ones were for the health watch, as gRFC A17 has it: "If there are any call credentials associated with
    // the channel, the client will send those credentials with the Watch() call."
    expect(backend.seen.map(({ metadata }) => metadata.get('authorization'))).toEqual([['Bearer 2'], ['Bearer 3']]);
    expect(JSON.stringify([registry.snapshot(), registry.explain('ECHO')])).not.toContain('Bearer');
  });
});
