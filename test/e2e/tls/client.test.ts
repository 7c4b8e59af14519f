import { once } from 'node:events';
import type { AddressInfo } from 'node:net';
import { createServer } from 'node:tls';
import { credentials, status as Status } from '@grpc/grpc-js';
import type { ClientGrpc } from '@nestjs/microservices';
import { GrpcLbModule, type GrpcLbClientOptions, GrpcLbRegistry, Tls, type TlsOptions } from 'nestjs-grpc-lb';
import { grpcLbConfig } from 'nestjs-grpc-lb/config';
import { BalancedChannel } from 'nestjs-grpc-lb/grpc';
import { firstValueFrom } from 'rxjs';
import { describe, expect, test, vi } from 'vitest';
import { TestAuthority } from 'nestjs-grpc-lb/testing';
import { inDays } from '../../support/peers/certificates.js';
import { startBackend } from '../../support/echo/backends.js';
import { BalancedClient } from '../../support/echo/balanced-client.js';
import { staticTarget } from '../../support/echo/cluster.js';
import {
  CLIENTS,
  echoClient,
  echoOptions,
  type EchoStub,
  errorOf,
  startApp,
  startError,
} from '../../support/nest/app.js';
import { filesOf, volumeOfTest } from '../../support/peers/mounted-secret.js';
import { closeWithTest } from '../../support/run/close-with-test.js';
import { expectNoLeaks } from '../../support/run/leaks.js';
import { eventually } from '../../support/time/patience.js';

expectNoLeaks();

describe('TLS of a client', () => {
  const client = { names: ['spiffe://example.org/client'] };

  describe('in Nest', () => {
    async function served(more: (files: { ca: string; cert: string; key: string }) => Partial<GrpcLbClientOptions>) {
      const ca = new TestAuthority();
      const server = await startBackend({ tls: { ...ca.issue(), clientCa: ca.cert } });
      const files = filesOf(volumeOfTest(ca.cert, ca.issue(client)));
      return { files, server, options: echoOptions(staticTarget([server]), more(files)) };
    }

    test('works from the options of a client', async () => {
      const { options } = await served((tls) => ({ tls }));
      const app = await startApp(CLIENTS['the balanced client'](options));
      const echo = app.get<ClientGrpc>('ECHO').getService<EchoStub>('Echo');
      expect(await firstValueFrom(echo.say({ text: 'x' }))).toMatchObject({ text: 'x' });
      const { tls } = app.get(GrpcLbRegistry).snapshot('ECHO');
      expect(tls).toMatchObject({ state: 'ok', name: 'spiffe://example.org/client', expiring: false, authorities: 1 });
    });

    test('works from forRoot, by a decorator, and from the environment', async () => {
      const { files, server } = await served(() => ({}));
      const target = staticTarget([server]);
      const ways: [TlsOptions | undefined, TlsOptions | undefined, Record<string, string>][] = [
        [files, undefined, {}],
        [{ ca: '/nowhere' }, files, {}],
        [undefined, undefined, { TLS_CA: files.ca, TLS_CERT: files.cert, TLS_KEY: files.key }],
        [undefined, { ...files, ca: '/nowhere' }, { TLS_CA: files.ca, TLS_SERVER_NAME: 'localhost' }],
      ];
      for (const [root, decorated, environment] of ways) {
        for (const [name, value] of Object.entries(environment)) vi.stubEnv(`GRPC_LB_ECHO_CLIENT_${name}`, value);
        const Echo = echoClient(target);
        if (decorated) Tls(decorated)(Echo);
        const { overrides = {} } = grpcLbConfig();
        const app = await startApp({
          imports: [GrpcLbModule.forRoot({ ...(root && { tls: root }), overrides }), GrpcLbModule.forFeature([Echo])],
        });
        expect(await firstValueFrom(app.get(Echo).say({ text: 'x' }))).toMatchObject({ text: 'x' });
        vi.unstubAllEnvs();
        await app.close();
      }
    });

    test('of forRoot leaves a client with credentials, or with tls: false, alone', async () => {
      const server = await startBackend();
      for (const own of [{ tls: false }, { credentials: credentials.createInsecure() }] as const) {
        const Echo = echoClient(staticTarget([server]), own);
        const app = await startApp({
          imports: [GrpcLbModule.forRoot({ tls: {} }), GrpcLbModule.forFeature([Echo])],
        });
        expect(await firstValueFrom(app.get(Echo).say({ text: 'x' }))).toMatchObject({ text: 'x' });
      }
    });

    test('is checked when the module is built, all faults at once, and without the key', async () => {
      const { files, server } = await served(() => ({}));
      const key = new TestAuthority().issue(client).key;
      const faults = async (more: Partial<GrpcLbClientOptions>): Promise<string> => {
        const Echo = echoClient(staticTarget([server]), more);
        return (await startError({ imports: [GrpcLbModule.forRoot(), GrpcLbModule.forFeature([Echo])] })).message;
      };
      expect(await faults({ tls: { ca: files.ca }, credentials: credentials.createSsl() })).toContain(
        '- tls is set together with credentials, which bring their own certificates; remove one of them',
      );
      expect(await faults({ tls: { ...files, key } })).toContain('- tls.key does not belong to the certificate');
      expect(await faults({ tls: { cert: files.cert } })).toContain('- tls.key is missing; set it together with cert');
      expect(await faults({ tls: { ca: '/nowhere/ca.crt' } })).toContain(
        '- tls.ca /nowhere/ca.crt cannot be read: ENOENT',
      );
      const many = await faults({
        tls: {
          ca: [],
          cert: 7,
          spiffeIds: ['x'],
          serverName: 'a:1',
          replaceWithin: -1,
          minVersion: 'TLSv1.1',
          kay: key,
        } as never,
      });
      expect(many).toContain('7 options are invalid');
      expect(many).toContain('tls.minVersion is "TLSv1.1"; use one of TLSv1.2, TLSv1.3');
      for (const wrong of [key, [key], { tls: key }, { key }]) {
        const text = await faults({ tls: wrong as never });
        expect(text).not.toContain('MIG');
        expect(text).not.toMatch(/BEGIN \w+ KEY/);
      }
      const hostless = `static:///unix:/nowhere.sock,${server.address}`;
      expect(
        (await startError(CLIENTS['the balanced client'](echoOptions(hostless, { tls: { ca: files.ca } })))).message,
      ).toContain('tls.serverName is missing: target "static:///unix:/nowhere.sock,127.0.0.1');
    });

    test('by two decorators is a fault', async () => {
      const Echo = echoClient('static:///a:1', { tls: {} });
      Tls({})(Echo);
      const { message } = await startError({ imports: [GrpcLbModule.forRoot(), GrpcLbModule.forFeature([Echo])] });
      expect(message).toContain('tls is declared by @GrpcLbClient and @Tls; keep one');
    });
  });

  test('needs exactly one of tls and credentials without Nest', () => {
    const target = 'static:///a:1';
    expect(() => new BalancedChannel({ name: 'A', target })).toThrow('credentials is missing');
    expect(
      () => new BalancedChannel({ name: 'A', target, tls: {}, credentials: credentials.createInsecure() }),
    ).toThrow('tls is set together with credentials');
  });

  test('never falls back to plaintext', async () => {
    const server = await startBackend();
    const plain = new BalancedClient({ target: staticTarget([server]), tls: {} });
    await expect(plain.say()).rejects.toMatchObject({
      code: Status.UNAVAILABLE,
      details: expect.stringContaining('the client uses TLS, but the peer does not'),
    });
    expect(server.calls).toBe(0);
  });

  test('waits for a provider, and says why it cannot connect without it', async () => {
    const ca = new TestAuthority();
    const server = await startBackend({ tls: { ...ca.issue(), clientCa: ca.cert } });
    const own = ca.issue(client);
    let give!: (value: object) => void;
    const target = staticTarget([server]);
    const late = new BalancedClient({
      target,
      tls: { provider: () => new Promise((resolve) => (give = resolve as never)) },
    });
    const call = late.say('late', { waitForReady: true });
    expect(late.snapshot.tls).toMatchObject({ state: 'pending' });
    await eventually(() => (give as unknown) !== undefined);
    give({ ca: ca.cert, ...own });
    expect(await call).toMatchObject({ text: 'late' });
    expect(late.snapshot.tls).toMatchObject({ state: 'ok', rotations: 0, outdatedConnections: 0 });

    const never = new BalancedClient({ target, tls: { provider: () => Promise.reject(new Error('vault is sealed')) } });
    await expect(never.say()).rejects.toMatchObject({
      code: Status.UNAVAILABLE,
      details: expect.stringContaining('there are no certificates for TLS: tls.provider failed: vault is sealed'),
    });
    expect(never.snapshot.tls).toMatchObject({ state: 'failed' });
  });

  test.each<[string, (ca: TestAuthority) => { cert: string; key: string }, RegExp]>([
    ['for another name', (ca) => ca.issue({ names: ['other.example'] }), /for other names; issue one/],
    ['that has expired', (ca) => ca.issue({ from: inDays(-3), until: inDays(-1) }), /has expired; renew it there/],
    [
      'of an unknown CA',
      () => new TestAuthority('other').issue(),
      /of a CA that this client does not trust; add that CA to tls.ca/,
    ],
  ])('leaves out one of five backends with a certificate %s, without a failed call', async (_, bad, why) => {
    const ca = new TestAuthority();
    const good = ca.issue();
    const servers = await Promise.all([
      startBackend({ tls: bad(ca) }),
      ...Array.from({ length: 4 }, () => startBackend({ tls: good })),
    ]);
    const balanced = await new BalancedClient({ target: staticTarget(servers), tls: { ca: ca.cert } }).ready(4);
    for (let i = 0; i < 200; i++) await balanced.say();
    expect(servers.map(({ calls }) => calls > 0)).toEqual([false, true, true, true, true]);
    const [out] = balanced.snapshot.endpoints;
    expect(out).toMatchObject({ state: 'transient_failure', reason: expect.stringMatching(why) });
    expect(balanced.events).toContainEqual(
      expect.objectContaining({
        type: 'endpoint_state',
        address: servers[0]!.address,
        reason: expect.stringMatching(why),
      }),
    );
  });

  test('verifies each target against its own name', async () => {
    const ca = new TestAuthority();
    const [here, there] = [
      await startBackend({ tls: ca.issue({ names: ['here.test'] }) }),
      await startBackend({ tls: ca.issue({ names: ['there.test'] }) }),
    ];
    const targets = [staticTarget([here]), staticTarget([there])];
    const both = (serverName: string | string[]): BalancedClient =>
      new BalancedClient({ target: targets, tls: { ca: ca.cert, serverName } });
    const balanced = await both(['here.test', 'there.test']).ready(1);
    expect((await balanced.say()).server).toBe(here.address);
    await here.stop();
    await balanced.until(() =>
      balanced.snapshot.endpoints.some(({ address, state }) => address === there.address && state === 'ready'),
    );
    expect((await balanced.say('x', { waitForReady: true })).server).toBe(there.address);

    const one = both('here.test');
    await expect(one.say()).rejects.toMatchObject({ code: Status.UNAVAILABLE });
    const reason = () => one.snapshot.endpoints.find(({ address }) => address === there.address)?.reason ?? '';
    await one.until(() => /there\.test.*for other names/.test(reason()));
    expect(() => both(['here.test'])).toThrow('tls.serverName is a list of 1, and there are 2 targets');
  });

  test('verifies each target against its own host, with credentials of the user too', async () => {
    const ca = new TestAuthority();
    const there = await startBackend({ tls: ca.issue({ names: ['localhost'] }) });
    const target = ['static:///127.0.0.2:1', `dns:///localhost:${there.port}`];
    for (const secured of [{ tls: { ca: ca.cert } }, { credentials: credentials.createSsl(Buffer.from(ca.cert)) }]) {
      const balanced = new BalancedClient({ target, ...secured });
      expect((await balanced.say('x', { waitForReady: true })).server).toBe(there.address);
    }
    expect(
      () => new BalancedChannel({ name: 'A', target: ['dns:///a', 'static:///unix:/b.sock,c:1'], tls: {} }),
    ).toThrow('tls.serverName is missing: target "static:///unix:/b.sock,c:1" has no host name');
  });

  test('verifies SPIFFE ids instead of the name', async () => {
    const ca = new TestAuthority();
    const server = await startBackend({ tls: ca.issue({ names: ['spiffe://example.org/ns/shop/sa/echo'] }) });
    const target = staticTarget([server]);
    for (const id of ['spiffe://example.org/ns/shop/sa/echo', 'spiffe://example.org/*']) {
      const known = new BalancedClient({ target, tls: { ca: ca.cert, spiffeIds: [id] } });
      expect(await known.say('x')).toMatchObject({ text: 'x' });
    }
    const unknown = new BalancedClient({
      target,
      tls: { ca: ca.cert, spiffeIds: ['spiffe://example.org/ns/other/*'] },
    });
    await expect(unknown.say()).rejects.toMatchObject({
      details: expect.stringContaining(
        'names spiffe://example.org/ns/shop/sa/echo, which is not one of the allowed ids: spiffe://example.org/ns/other/*; correct tls.spiffeIds, or find out why',
      ),
    });
    // The CA is verified all the same.
    const untrusted = new BalancedClient({
      target,
      tls: { ca: new TestAuthority('other').cert, spiffeIds: ['spiffe://example.org/*'] },
    });
    await expect(untrusted.say()).rejects.toMatchObject({ details: expect.stringContaining('does not trust') });
  });

  test('refuses versions below 1.2', async () => {
    const ca = new TestAuthority();
    const { cert, key } = ca.issue();
    const old = createServer({ cert, key, minVersion: 'TLSv1', maxVersion: 'TLSv1.1', ciphers: 'DEFAULT@SECLEVEL=0' });
    closeWithTest(() => old.close());
    await once(old.listen(0, '127.0.0.1'), 'listening');
    const secured: unknown[] = [];
    old.on('secureConnection', (socket) => secured.push(socket));
    const target = `static:///127.0.0.1:${(old.address() as AddressInfo).port}`;
    const balanced = new BalancedClient({ target, tls: { ca: ca.cert } });
    await expect(balanced.say()).rejects.toMatchObject({ details: expect.stringContaining('check tls.minVersion') });
    expect(secured).toEqual([]);
  });

  test('shows no key anywhere', async () => {
    const ca = new TestAuthority();
    const server = await startBackend({ tls: { ...ca.issue(), clientCa: ca.cert } });
    const own = ca.issue(client);
    const app = await startApp(
      CLIENTS['the balanced client'](echoOptions(staticTarget([server]), { tls: { ca: ca.cert, ...own } })),
    );
    const registry = app.get(GrpcLbRegistry);
    const echo = app.get<ClientGrpc>('ECHO').getService<EchoStub>('Echo');
    await firstValueFrom(echo.say({}));
    const error = await errorOf(echo.say({}, { timeout: 1 } as never)).catch(() => undefined);
    const shownTexts = JSON.stringify([registry.snapshot(), registry.explain('ECHO'), registry.origins('ECHO'), error]);
    for (const line of own.key.split('\n').slice(1, -2)) expect(shownTexts).not.toContain(line);
  });
});
