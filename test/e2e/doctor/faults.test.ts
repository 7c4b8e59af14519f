import http from 'node:http';
import http2 from 'node:http2';
import tls from 'node:tls';
import { describe, expect, test } from 'vitest';
import { DIAGNOSES } from '../../../libs/grpc-lb/src/doctor/codes.js';
import { type DoctorCode, type DoctorOptions, runDoctor } from '../../../libs/grpc-lb/src/doctor/index.js';
import { registerEndpointSource } from '../../../libs/grpc-lb/src/index.js';
import { closedPort, startGrpcServer, startTcpServer } from '../../support/doctor/servers.js';
import { HAS_OPENSSL, makeCertificate, makeDatedCertificate } from '../../support/peers/certificates.js';
import { closeWithTest } from '../../support/run/close-with-test.js';
import { expectNoLeaks } from '../../support/run/leaks.js';

expectNoLeaks();

/** The bound of the issue for one fault; the whole run keeps it, so it is the subject here. */
const LONGEST_MS = 5000;

type Seed = () => Promise<Partial<DoctorOptions>> | Partial<DoctorOptions>;

const onPort = (port: number): string => `static:///127.0.0.1:${port}`;
const at = async (port: Promise<number>, more: Partial<DoctorOptions> = {}): Promise<Partial<DoctorOptions>> => ({
  target: onPort(await port),
  ...more,
});

/** The codes of a run with one fault. The environment and the packages of this machine are no part of it. */
async function codesOf(seed: Seed): Promise<DoctorCode[]> {
  const options = { target: 'localhost:1', env: {}, ...(await seed()) };
  const began = performance.now();
  const { findings, healthy } = await runDoctor(options);
  expect(performance.now() - began).toBeLessThan(LONGEST_MS);
  for (const { code, evidence, remedy } of findings) {
    expect(evidence[0]).toMatch(/\S/);
    expect(remedy).toBe(DIAGNOSES[code].remedy);
  }
  expect(healthy).toBe(findings.every(({ severity }) => severity === 'note'));
  return findings.map(({ code }) => code);
}

/** A plain HTTP/1 server. */
function startHttp1(): Promise<number> {
  const server = http.createServer((_, response) => void response.end('hello'));
  return startTcpServer((socket) => void server.emit('connection', socket));
}

/** A server over TLS that speaks HTTP/2 whatever ALPN says, as Node's own does not, and has no health service. */
function startTlsHttp2(options: tls.TlsOptions): Promise<number> {
  const server = tls.createServer(options, (socket) => {
    socket.on('error', () => {});
    const session = http2.performServerHandshake(socket);
    session.on('error', () => {});
    session.on('stream', refuse);
  });
  return startTcpServer((socket) => void server.emit('connection', socket));
}

function refuse(stream: http2.ServerHttp2Stream): void {
  stream.on('error', () => {});
  stream.respond({ ':status': 200, 'content-type': 'application/grpc', 'grpc-status': 12 }, { endStream: true });
}

/** An HTTP/2 server that answers every stream in the same way. */
async function startHttp2(
  answer: (stream: http2.ServerHttp2Stream, headers: http2.IncomingHttpHeaders) => void,
  settings: http2.Settings = {},
): Promise<number> {
  const server = http2.createServer({ settings });
  server.on('stream', (stream, headers) => {
    stream.on('error', () => {});
    answer(stream, headers);
  });
  closeWithTest(() => server.close());
  return startTcpServer((socket) => void server.emit('connection', socket));
}

registerEndpointSource('empty', () => ({
  start: (listener) => queueMicrotask(() => listener.onEndpoints([])),
  refresh: () => {},
  stop: () => {},
}));

describe('discovery', () => {
  test.for<[DoctorCode, Seed]>([
    ['invalid-target', () => ({ target: 'kubernets:///orders.shop:grpc' })],
    ['name-not-found', () => ({ target: 'dns:///orders.invalid:50051' })],
    ['discovery-failed', () => ({ target: 'file:///nothing.yaml' })],
    ['no-endpoints', () => ({ target: 'empty:///orders' })],
    ['target-not-examined', () => ({ target: 'xds:///orders' })],
  ])('%s', async ([code, seed]) => {
    expect(await codesOf(seed)).toEqual([code]);
  });
});

describe('connections', () => {
  test.for<[DoctorCode, Seed]>([
    ['port-closed', () => at(closedPort())],
    ['silent-peer', () => at(startTcpServer((socket) => socket.resume()))],
    ['connection-closed', () => at(startTcpServer((socket) => socket.destroy()))],
    ['not-http2', () => at(startHttp1())],
    ['not-http2', () => at(startTcpServer((socket) => socket.write('SSH-2.0-OpenSSH_9.2\r\n')))],
    ['not-grpc', () => at(startHttp2((stream) => stream.respond({ ':status': 404 }, { endStream: true })))],
    ['server-expects-plaintext', () => at(startGrpcServer(), { tls: true })],
  ])('%s', async ([code, seed]) => {
    expect(await codesOf(seed)).toEqual([code]);
  });
});

describe.runIf(HAS_OPENSSL)('TLS', () => {
  const good = HAS_OPENSSL ? makeDatedCertificate(-1, 90, 'IP:127.0.0.1') : undefined!;
  const dated = (from: number, until: number): Seed => {
    return () => {
      const certificate = makeDatedCertificate(from, until, 'IP:127.0.0.1');
      return at(startGrpcServer({ certificate }), { tls: { ca: certificate.cert } });
    };
  };
  test.for<[DoctorCode, Seed]>([
    ['server-expects-tls', () => at(startGrpcServer({ certificate: good }))],
    [
      'certificate-name',
      () => {
        const certificate = makeDatedCertificate(-1, 90, 'DNS:orders.shop');
        return at(startGrpcServer({ certificate }), { tls: { ca: certificate.cert } });
      },
    ],
    ['certificate-expired', dated(-10, -1)],
    ['certificate-not-yet-valid', dated(1, 90)],
    ['certificate-expires-soon', dated(-10, 5)],
    ['certificate-untrusted', () => at(startGrpcServer({ certificate: good }), { tls: true })],
    [
      'client-certificate-required',
      () => at(startGrpcServer({ certificate: good, clientCa: good.cert }), { tls: { ca: good.cert } }),
    ],
  ])('%s', async ([code, seed]) => {
    expect(await codesOf(seed)).toEqual([code]);
  });

  test('no-alpn-h2, where HTTP/2 works nevertheless', async () => {
    const seed: Seed = () => at(startTlsHttp2(good), { tls: { ca: good.cert } });
    expect(await codesOf(seed)).toEqual(['no-alpn-h2', 'no-health-service']);
  });

  test('no-alpn-h2, where the server refuses h2', async () => {
    const seed: Seed = () => at(startTlsHttp2({ ...good, ALPNProtocols: ['http/1.1'] }), { tls: { ca: good.cert } });
    expect(await codesOf(seed)).toEqual(['no-alpn-h2']);
  });

  test('a certificate that has expired and is for another name is both', async () => {
    const certificate = makeDatedCertificate(-10, -1, 'DNS:orders.shop');
    expect(await codesOf(() => at(startGrpcServer({ certificate }), { tls: true }))).toEqual([
      'certificate-expired',
      'certificate-name',
    ]);
  });

  test('makeCertificate, which other tests use, expires soon', async () => {
    const certificate = makeCertificate('IP:127.0.0.1');
    const seed: Seed = () => at(startGrpcServer({ certificate }), { tls: { ca: certificate.cert } });
    expect(await codesOf(seed)).toEqual(['certificate-expires-soon']);
  });
});

describe('health', () => {
  const status = (code: number) => (stream: http2.ServerHttp2Stream) =>
    stream.respond({ ':status': 200, 'content-type': 'application/grpc', 'grpc-status': code }, { endStream: true });
  test.for<[DoctorCode, Seed]>([
    ['no-health-service', () => at(startGrpcServer({ health: null }))],
    ['not-serving', () => at(startGrpcServer({ health: { '': 'NOT_SERVING' } }))],
    [
      'health-service-unknown',
      () => at(startGrpcServer(), { client: { loadBalancing: { health: { service: 'orders.v1.Orders' } } } }),
    ],
    ['health-refused', () => at(startHttp2(status(16)))],
    ['silent-peer', () => at(startHttp2(() => {}))],
  ])('%s', async ([code, seed]) => {
    expect(await codesOf(seed)).toEqual([code]);
  });
});

describe('configuration', () => {
  test.for<[DoctorCode, Seed]>([
    [
      'invalid-options',
      () => at(startGrpcServer(), { client: { loadBalancing: { policy: 'least_requests' as 'least_request' } } }),
    ],
    ['invalid-environment', () => at(startGrpcServer(), { env: { GRPC_LB_ORDERS_POLCY: 'random' } })],
  ])('%s', async ([code, seed]) => {
    expect(await codesOf(seed)).toEqual([code]);
  });
});
