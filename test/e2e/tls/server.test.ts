import { credentials, ServerCredentials, status as Status } from '@grpc/grpc-js';
import { Logger } from '@nestjs/common';
import { createConnection, type Socket } from 'node:net';
import { connect, type SecureVersion } from 'node:tls';
import { HealthIndicatorService } from '@nestjs/terminus';
import { Registry } from 'prom-client';
import type { TlsVersion } from 'nestjs-grpc-lb';
import { GrpcServerTelemetry } from 'nestjs-grpc-lb/opentelemetry';
import { GrpcServerMetrics } from 'nestjs-grpc-lb/prometheus';
import { GrpcServerHealthIndicator } from 'nestjs-grpc-lb/terminus';
import { describe, expect, onTestFinished, test, vi } from 'vitest';
import { TestAuthority } from 'nestjs-grpc-lb/testing';
import { inDays } from '../../support/peers/certificates.js';
import { effectiveServerOptions, type GrpcServerOptions } from '../../../libs/grpc-lb/src/server/options.js';
import { GrpcServerModule, grpcServer } from '../../../libs/grpc-lb/src/server/index.js';
import { BalancedClient } from '../../support/echo/balanced-client.js';
import { filesOf, secretOf, volumeOfTest } from '../../support/peers/mounted-secret.js';
import { expectNoLeaks } from '../../support/run/leaks.js';
import { echoClient, echoTransport, failureOf, say, startEcho } from '../../support/server/app.js';
import { OtelMetrics } from '../../support/telemetry/otel-metrics.js';
import { eventually } from '../../support/time/patience.js';

expectNoLeaks();

describe('TLS of a server', () => {
  const client = { names: ['spiffe://example.org/client'] };

  test('rotates for new handshakes, and leaves connections and streams alone', async () => {
    const ca = new TestAuthority();
    const volume = volumeOfTest(ca.cert, ca.issue());
    const { server, address } = await startEcho({ tls: filesOf(volume) });
    const own = ca.issue(client);
    const target = `static:///${address}`;
    const first = await new BalancedClient({ target, tls: { ca: ca.cert, ...own } }).ready(1);
    await first.say();
    const before = server.tls()!.fingerprint;
    const next = new TestAuthority('new');
    volume.replace(secretOf(ca.cert, next.issue()));
    await eventually(() => server.tls()!.fingerprint !== before);
    expect(server.tls()).toMatchObject({ state: 'ok', rotations: 1, authorities: 1 });
    await first.say();
    expect(first.snapshot.totals.connectionsOpened).toBe(1);
    // A new connection sees the new certificate.
    const second = new BalancedClient({ target, tls: { ca: ca.cert, ...own } });
    await expect(second.say()).rejects.toMatchObject({ details: expect.stringContaining('does not trust') });
    const third = new BalancedClient({ target, tls: { ca: next.cert, ...own } });
    expect(await third.say('x')).toMatchObject({ text: 'x' });
  });

  test('keeps the last good certificates, with a warning and without the key', async () => {
    const ca = new TestAuthority();
    const pair = ca.issue();
    const volume = volumeOfTest(ca.cert, pair);
    const warned = vi.spyOn(Logger.prototype, 'warn').mockImplementation(() => {});
    const { server, address } = await startEcho({ tls: { ...filesOf(volume), clientCertificates: 'none' } });
    volume.replace(secretOf(ca.cert, { ...pair, key: ca.issue().key }));
    await eventually(() => server.tls()!.state === 'rejected');
    const lines = warned.mock.calls.flat().join('\n');
    warned.mockRestore();
    expect(lines).toContain('TLS: certificates cannot be used, so the last good ones stay in force: tls.key (/');
    expect(JSON.stringify([server.tls(), lines])).not.toContain(pair.key.split('\n')[1]);
    const after = new BalancedClient({ target: `static:///${address}`, tls: { ca: ca.cert } });
    expect(await after.say('x')).toMatchObject({ text: 'x' });
  });

  test('does not flood the log when files are wrong in another way each time', async () => {
    const ca = new TestAuthority();
    const pair = ca.issue();
    const volume = volumeOfTest(ca.cert, pair);
    const warned = vi.spyOn(Logger.prototype, 'warn').mockImplementation(() => {});
    const { server } = await startEcho({ tls: filesOf(volume) });
    for (let i = 0; i < 10; i++) {
      volume.replace(secretOf(ca.cert, { ...pair, cert: i % 2 === 0 ? '' : 'x' }));
      await eventually(() => server.tls()!.rejections === i + 1);
    }
    const lines = warned.mock.calls.flat().filter((text) => String(text).startsWith('TLS: '));
    warned.mockRestore();
    expect(lines.length).toBeGreaterThanOrEqual(5);
    expect(lines.length).toBeLessThan(9);
    expect(server.tls()).toMatchObject({
      state: 'rejected',
      error: expect.stringContaining('contains no certificate'),
    });
  });

  test.each<[TlsVersion, (string | undefined)[]]>([
    ['TLSv1.2', [undefined, undefined, 'TLSv1.2', 'TLSv1.3']],
    ['TLSv1.3', [undefined, undefined, undefined, 'TLSv1.3']],
  ])('refuses what is older than %s, also after a rotation', async (minVersion, accepted) => {
    const ca = new TestAuthority();
    const volume = volumeOfTest(ca.cert, ca.issue());
    const { server, address } = await startEcho({
      tls: { ...filesOf(volume), clientCertificates: 'none', minVersion },
    });
    const versions = () =>
      Promise.all((['TLSv1', 'TLSv1.1', 'TLSv1.2', 'TLSv1.3'] as const).map((each) => protocolOf(address, each)));
    expect(await versions()).toEqual(accepted);
    volume.replace(secretOf(ca.cert, ca.issue()));
    await eventually(() => server.tls()!.rotations === 1);
    expect(await versions()).toEqual(accepted);
  });

  test('requires certificates of clients, asks for them, or ignores them', async () => {
    const [ca, other] = [new TestAuthority(), new TestAuthority('other')];
    const files = filesOf(volumeOfTest(ca.cert, ca.issue()));
    const known = { ca: ca.cert, ...ca.issue(client) };
    const unknown = { ca: ca.cert, ...other.issue(client) };
    const reasons: string[] = [];
    const outcome = async (tls: GrpcServerOptions['tls']) => {
      const { address } = await startEcho({ tls: tls! });
      const results = [];
      for (const own of [known, unknown, { ca: ca.cert }]) {
        const balanced = new BalancedClient({ target: `static:///${address}`, tls: own });
        results.push(
          await balanced.say().then(
            () => 'ok',
            (error: unknown) => {
              const { code, details } = error as { code: Status; details: string };
              reasons.push(details);
              return Status[code];
            },
          ),
        );
      }
      return results;
    };
    expect(await outcome(files)).toEqual(['ok', 'UNAVAILABLE', 'UNAVAILABLE']);
    expect(reasons).toEqual([
      expect.stringContaining('may not accept the certificate of this one; check tls.cert'),
      expect.stringMatching(/set tls\.cert and tls\.key|check tls\.cert/),
    ]);
    expect(await outcome({ ...files, clientCertificates: 'optional' })).toEqual(['ok', 'ok', 'ok']);
    expect(await outcome({ cert: files.cert, key: files.key })).toEqual(['ok', 'ok', 'ok']);
  });

  test('ends calls of clients with another SPIFFE id, unary ones and streams', async () => {
    const ca = new TestAuthority();
    const files = filesOf(volumeOfTest(ca.cert, ca.issue()));
    const { address } = await startEcho({ tls: { ...files, spiffeIds: ['spiffe://example.org/*'] } });
    const bare = (names: string[]) => {
      const { cert, key } = ca.issue({ names });
      return echoClient(address, credentials.createSsl(Buffer.from(ca.cert), Buffer.from(key), Buffer.from(cert)));
    };
    const warned = vi.spyOn(Logger.prototype, 'warn').mockImplementation(() => {});
    onTestFinished(() => warned.mockRestore());
    const [good, bad, nameless] = [bare(client.names), bare(['spiffe://example.com/client']), bare(['client'])];
    for (let i = 0; i < 3; i++) {
      expect(await say(good)).toMatchObject({ text: 'x' });
      expect(await failureOf(say(bad))).toMatchObject({
        code: Status.PERMISSION_DENIED,
        details:
          'the certificate of the client names spiffe://example.com/client, which is not one of the allowed ids: spiffe://example.org/*',
      });
    }
    expect(await failureOf(say(nameless))).toMatchObject({
      details: 'the certificate of the client names no SPIFFE id',
    });
    // Once for each connection.
    const lines = warned.mock.calls.flat().filter((text) => String(text).startsWith('TLS: '));
    expect(lines).toEqual([
      expect.stringMatching(
        /^TLS: calls of 127\.0\.0\.1:\d+ end with PERMISSION_DENIED: its certificate names spiffe:\/\/example\.com\/client, which is not one of the allowed ids: .*; if it may call/,
      ),
      expect.stringContaining('its certificate names no SPIFFE id; if it may call this server, add its id to'),
    ]);
    for (const stream of [bad.repeat({ text: 'x' }), bad.talk()]) {
      const error = await new Promise<unknown>((resolve) => stream.on('error', resolve).on('data', resolve));
      expect(error).toMatchObject({ code: Status.PERMISSION_DENIED });
    }
  });

  test('logs handshakes that fail, with the client and the reason, and not without bound', async () => {
    const [ca, other] = [new TestAuthority(), new TestAuthority('other')];
    const warned = vi.spyOn(Logger.prototype, 'warn').mockImplementation(() => {});
    onTestFinished(() => warned.mockRestore());
    const files = filesOf(volumeOfTest(ca.cert, ca.issue()));
    const { server, address } = await startEcho({ tls: files });
    const [host, port] = address.split(':') as [string, string];
    const lines = (): string[] =>
      warned.mock.calls
        .flat()
        .map(String)
        .filter((text) => text.includes('a handshake with'));
    /** Connects, does something, and resolves when the server has closed the connection. */
    const attempt = (use: (socket: Socket) => void): Promise<void> =>
      new Promise((resolve) => {
        const socket = createConnection({ host, port: Number(port) }, () => use(socket));
        socket.on('error', () => {}).on('close', () => resolve());
        socket.resume();
      });
    const tlsAttempt = (options: object): Promise<void> =>
      attempt((socket) => {
        const secured = connect({ socket, ALPNProtocols: ['h2'], rejectUnauthorized: false, ...options });
        secured.on('error', () => {}).resume();
      });
    // Only looks whether the port is open.
    await attempt((socket) => socket.destroy());
    await tlsAttempt({});
    await tlsAttempt(other.issue(client));
    await tlsAttempt(ca.issue({ ...client, from: inDays(-2), until: inDays(-1) }));
    await attempt((socket) => socket.write('PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n'));
    await eventually(() => server.tls()!.refusedHandshakes === 4);
    expect(server.tls()!.handshakes).toEqual({
      CERTIFICATE_VERIFICATION_FAILED: 1,
      CERTIFICATE_AUTHORITY_INVALID: 1,
      CERTIFICATE_EXPIRED: 1,
      PROTOCOL_VERSION_UNSUPPORTED: 1,
    });
    expect(lines().map((line) => line.replace(/127\.0\.0\.1:\d+/, 'PEER'))).toEqual([
      'TLS: a handshake with PEER failed: it shows no certificate, and tls.clientCertificates is require; set cert and key at the client',
      expect.stringMatching(
        /^TLS: a handshake with PEER failed: its certificate is not accepted: [A-Z_]+; is the CA that issues it in tls\.ca\?$/,
      ),
      'TLS: a handshake with PEER failed: its certificate is not accepted: it has expired',
      expect.stringContaining('it does not speak TLS'),
    ]);
    for (let i = 0; i < 20; i++) await tlsAttempt({});
    await eventually(() => server.tls()!.refusedHandshakes === 24);
    expect(lines().length).toBeLessThan(8);
    expect(lines().join()).not.toContain('unknown');
  });

  test('measures its certificates, and tells Terminus before they expire', async () => {
    const ca = new TestAuthority();
    const volume = volumeOfTest(ca.cert, ca.issue({ from: inDays(-1), until: inDays(0.2) }));
    const [registry, otel] = [new Registry(), new OtelMetrics()];
    const { server, address, close } = await startEcho({
      tls: filesOf(volume),
      observer: new GrpcServerMetrics({ registry }),
    });
    onTestFinished(server.observe(new GrpcServerTelemetry({ traces: false, meterProvider: otel.provider })));
    const values = async (): Promise<Record<string, number>> =>
      Object.fromEntries(
        [...(await registry.metrics()).matchAll(/^grpc_lb_server_tls_(\w+) (\S+)$/gm)].map(
          ([, name, value]): [string, number] => [name!, Number(value)],
        ),
      );
    const health = () =>
      new GrpcServerHealthIndicator(new HealthIndicatorService()).certificates('tls', server).tls as {
        status: string;
        message: string;
      };
    expect(await values()).toMatchObject({
      certificate_expiring: 1,
      certificates_up: 1,
      rotations_total: 0,
      rejections_total: 0,
      handshakes_refused_total: 0,
    });
    expect((await values())['certificate_time_left_seconds']).toBeGreaterThan(0);
    await otel.collect();
    expect(otel.value('grpc.lb.server.tls.certificate.expiring')).toBe(1);
    const trusted = { ca: ca.cert, ...ca.issue(client) };
    await new BalancedClient({ target: `static:///${address}`, tls: trusted }).say();
    await otel.collect();
    expect(otel.values('grpc.server.tls.handshakes', 'grpc.tls.handshake.result')).toEqual({ SUCCESS: 1 });
    expect(await registry.metrics()).toContain(
      'grpc_server_tls_handshakes_total{grpc_tls_handshake_result="SUCCESS"} 1',
    );
    expect(health()).toMatchObject({
      status: 'degraded',
      message: expect.stringMatching(/^its certificate expires at/),
    });
    const pair = ca.issue();
    volume.replace(secretOf(ca.cert, pair));
    await eventually(() => server.tls()!.rotations === 1);
    expect(health()).toMatchObject({ status: 'up', message: 'the certificates are in force' });
    volume.replace(secretOf(ca.cert, { ...pair, key: ca.issue().key }));
    await eventually(() => server.tls()!.state === 'rejected');
    expect(await values()).toMatchObject({
      certificate_expiring: 0,
      certificates_up: 0,
      rejections_total: 1,
    });
    expect(health().message).toContain('certificates cannot be used');
    await close();
    expect(await values()).toEqual({});
  });

  test('takes certificates of a provider, and does not listen without', async () => {
    const ca = new TestAuthority();
    const { cert, key } = ca.issue();
    const { address } = await startEcho({ tls: { provider: () => Promise.resolve({ cert, key }) } });
    const balanced = new BalancedClient({ target: `static:///${address}`, tls: { ca: ca.cert } });
    expect(await balanced.say('x')).toMatchObject({ text: 'x' });
    await expect(startEcho({ tls: { provider: () => Promise.reject(new Error('vault is sealed')) } })).rejects.toThrow(
      'there are no certificates for TLS: tls.provider failed: vault is sealed',
    );
  });

  test('is checked when the module is built', () => {
    const faults = (tls: object): string => {
      try {
        effectiveServerOptions('grpcServer', { tls });
        return 'none';
      } catch (error) {
        return (error as Error).message;
      }
    };
    const ca = new TestAuthority();
    const { cert, key } = ca.issue();
    expect(faults({ cert, key })).toBe('none');
    expect(faults({})).toContain('tls.cert is missing; set cert and key, or provider: a server needs a certificate');
    expect(faults({ cert, key, clientCertificates: 'require' })).toContain(
      'tls.ca is missing; name the CA that issues',
    );
    expect(faults({ cert, key, spiffeIds: ['spiffe://a/b'] })).toContain("set clientCertificates: 'require', and ca");
    expect(faults({ cert, key, clientCertificates: 'yes' })).toContain('use one of none, optional, require');
    expect(faults({ cert, key: ca.issue().key })).toContain('tls.key does not belong to the certificate');
    const twice = echoTransport(0);
    Object.assign(twice.options, { credentials: ServerCredentials.createInsecure() });
    const microservice = grpcServer(twice, { tls: { cert, key } });
    expect(() => microservice.useFactory({ get: () => undefined } as never)).toThrow(
      'tls is set together with credentials',
    );
    expect(() => GrpcServerModule.forRoot({ tls: { cert } })).toThrow('tls.key is missing');
  });
});

/** The version that a client agrees on with a server; undefined if the handshake fails. */
function protocolOf(address: string, maxVersion: SecureVersion): Promise<string | undefined> {
  const [host, port] = address.split(':');
  return new Promise((resolve) => {
    const socket = connect({
      host: host!,
      port: Number(port),
      minVersion: 'TLSv1',
      maxVersion,
      ciphers: 'DEFAULT@SECLEVEL=0',
      ALPNProtocols: ['h2'],
      rejectUnauthorized: false,
    });
    socket.once('error', () => resolve(undefined));
    socket.once('secureConnect', () => {
      resolve(socket.getProtocol() ?? undefined);
      socket.destroy();
    });
  });
}
