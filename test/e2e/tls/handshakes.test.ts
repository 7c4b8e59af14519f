import { type AddressInfo, type Socket } from 'node:net';
import { createServer } from 'node:tls';
import { credentials } from '@grpc/grpc-js';
import { describe, expect, test } from 'vitest';
import { observeMetrics } from 'nestjs-grpc-lb/opentelemetry';
import { freePort } from 'nestjs-grpc-lb/testing';
import { makeCertificate } from '../../support/peers/certificates.js';
import type { HandshakeResult } from '../../../libs/grpc-lb/src/index.js';
import { balanced, type Balanced } from '../../support/calls/call.js';
import { startGrpcServer, startTcpServer } from '../../support/doctor/servers.js';
import { closeWithTest } from '../../support/run/close-with-test.js';
import { expectNoLeaks } from '../../support/run/leaks.js';
import { OtelMetrics } from '../../support/telemetry/otel-metrics.js';
import { eventually } from '../../support/time/patience.js';

expectNoLeaks();

/** How the handshakes of a client end whose credentials are those of the application. */
async function results(port: number, ca: Buffer, connectTimeout = 5000): Promise<Record<string, number>> {
  const target = `static:///127.0.0.1:${port}`;
  const otel = new OtelMetrics();
  const { channel } = balanced(target, {
    credentials: credentials.createSsl(ca),
    loadBalancing: { pool: { connectTimeout } },
  });
  closeWithTest(observeMetrics(channel, { meterProvider: otel.provider }));
  channel.connect();
  await settled(channel);
  await otel.collect();
  return otel.values('grpc.client.tls.handshakes', 'grpc.tls.handshake.result');
}

const settled = (channel: Balanced['channel']): Promise<unknown> =>
  eventually(() => ['ready', 'transient_failure'].includes(channel.snapshot().state));

describe('TLS handshakes are counted by their results (gRFC A118)', () => {
  const here = makeCertificate(['127.0.0.1']);
  const grpc =
    (from: number, until: number, name: string): (() => Promise<[number, Buffer]>) =>
    async () => {
      const certificate = makeCertificate([name], { from, until });
      return [await startGrpcServer({ certificate }), certificate.cert];
    };
  const tcp =
    (handle: (socket: Socket) => void): (() => Promise<[number, Buffer]>) =>
    async () => [await startTcpServer(handle), here.cert];

  test.each<[HandshakeResult, string, () => Promise<[number, Buffer]>]>([
    ['SUCCESS', 'a good certificate', grpc(-1, 90, '127.0.0.1')],
    ['CERTIFICATE_EXPIRED', 'an old one', grpc(-10, -1, '127.0.0.1')],
    ['CERTIFICATE_NOT_YET_VALID', 'one of tomorrow', grpc(1, 90, '127.0.0.1')],
    ['CERTIFICATE_HOSTNAME_MISMATCH', 'one for another name', grpc(-1, 90, 'orders.shop')],
    [
      'CERTIFICATE_AUTHORITY_INVALID',
      'one of another CA',
      async () => [await startGrpcServer({ certificate: here }), makeCertificate(['127.0.0.1']).cert],
    ],
    ['PROTOCOL_VERSION_UNSUPPORTED', 'no TLS', async () => [await startGrpcServer(), here.cert]],
    ['PEER_CONNECTION_CLOSED', 'a connection that ends', tcp((socket) => socket.once('data', () => socket.destroy()))],
  ])('%s: %s', async (result, _, start) => {
    expect(await results(...(await start()))).toEqual({ [result]: 1 });
  });

  test('HANDSHAKE_TIMEOUT: no answer within the connect timeout', async () => {
    const [port, ca] = await tcp(() => {})();
    expect(await results(port, ca, 200)).toEqual({ HANDSHAKE_TIMEOUT: 1 });
  });

  test('a port where nobody listens has no handshake, and without TLS there is none', async () => {
    expect(await results(await freePort(), here.cert)).toEqual({});
    const { channel } = balanced(`static:///127.0.0.1:${await startGrpcServer()}`);
    channel.connect();
    await settled(channel);
    expect(channel.snapshot().totals.tlsHandshakes).toEqual({});
  });

  test('a handshake that this side gives up is not counted', async () => {
    let gone: Promise<unknown> | undefined;
    const port = await startTcpServer((socket) => {
      gone = new Promise((resolve) => socket.resume().on('close', resolve));
    });
    const { channel } = balanced(`static:///127.0.0.1:${port}`, { credentials: credentials.createSsl(here.cert) });
    channel.connect();
    await eventually(() => gone !== undefined);
    channel.close();
    await gone;
    expect(channel.snapshot().totals.tlsHandshakes).toEqual({});
  });

  test('the option tls counts as well', async () => {
    const port = await startGrpcServer({ certificate: here });
    const { channel } = balanced(`static:///127.0.0.1:${port}`, { credentials: undefined, tls: { ca: here.cert } });
    channel.connect();
    await settled(channel);
    expect(channel.snapshot().totals.tlsHandshakes).toEqual({ SUCCESS: 1 });
  });
});

test('a handshake with credentials of the application asks for no address by SNI', async () => {
  const { cert, key } = makeCertificate(['127.0.0.1']);
  const server = createServer({ cert, key, ALPNProtocols: ['h2'] });
  const asked = new Promise<unknown>((resolve) => {
    server.once('secureConnection', (socket) => {
      resolve(socket.servername);
      socket.destroy();
    });
  });
  await new Promise<void>((resolve) => void server.listen(0, '127.0.0.1', resolve));
  closeWithTest(() => server.close());
  const { port } = server.address() as AddressInfo;
  const { channel } = balanced(`static:///127.0.0.1:${port}`, { credentials: credentials.createSsl(cert) });
  channel.connect();
  expect(await asked).toBe(false);
});
