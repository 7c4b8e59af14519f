import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { afterEach, describe, expect, onTestFinished, test, vi } from 'vitest';
import { freePort } from 'nestjs-grpc-lb/testing';
import { makeCertificate } from '../../support/peers/certificates.js';
import { DIAGNOSES } from '../../../libs/grpc-lb/src/doctor/codes.js';
import {
  type DoctorCode,
  type DoctorOptions,
  type DoctorReport,
  runDoctor,
} from '../../../libs/grpc-lb/src/doctor/index.js';
import { registerEndpointSource } from '../../../libs/grpc-lb/src/index.js';
import {
  type Answer,
  serving,
  startBalancer,
  startHttp1,
  startHttp2,
  startPingEater,
  startTlsHttp2,
  status,
} from '../../support/doctor/http2-servers.js';
import { startGrpcServer, startTcpServer } from '../../support/doctor/servers.js';
import { KubernetesApi } from '../../support/kubernetes/api.js';
import { GRPC_PORT, slice } from '../../support/kubernetes/slices.js';
import { kubeConfigFile } from '../../support/kubernetes/client.js';
import { StrictPingServer } from '../../support/peers/strict-ping-server.js';

import { closeWithTest } from '../../support/run/close-with-test.js';
import { systemClock } from '../../../libs/grpc-lb/src/grpc/context/system-clock.js';
import { dnsSourceFactory } from '../../../libs/grpc-lb/src/discovery/index.js';
import { expectNoLeaks } from '../../support/run/leaks.js';
import { Stopwatch } from '../../support/time/stopwatch.js';

expectNoLeaks();

/** The bound of the issue for one fault; the whole run keeps it, so it is the subject here. */
const LONGEST_MS = 5000;

type Seed = () => Promise<Partial<DoctorOptions>> | Partial<DoctorOptions>;

const onPort = (port: number): string => `static:///127.0.0.1:${port}`;
const at = async (port: Promise<number>, more: Partial<DoctorOptions> = {}): Promise<Partial<DoctorOptions>> => ({
  target: onPort(await port),
  ...more,
});

const seeded = new Set<DoctorCode>();

/** The codes of a run with one fault. The environment and the packages of this machine are no part of it. */
async function codesOf(seed: Seed): Promise<DoctorCode[]> {
  const options = { target: 'localhost:1', env: {}, ...(await seed()) };
  let report!: DoctorReport;
  const run = async (): Promise<void> => {
    report = await runDoctor(options);
  };
  expect(await new Stopwatch().time(run)).toBeLessThan(LONGEST_MS);
  const { findings, healthy } = report;
  for (const { code, evidence, remedy } of findings) {
    expect(evidence[0]).toMatch(/\S/);
    expect(remedy).toBe(DIAGNOSES[code].remedy);
  }
  expect(healthy).toBe(findings.every(({ severity }) => severity === 'note'));
  for (const { code } of findings) seeded.add(code);
  return findings.map(({ code }) => code);
}

const page: Answer = (stream) => stream.respond({ ':status': 404 }, { endStream: true });

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
    [
      'discovery-warning',
      async () => {
        const port = await startGrpcServer();
        registerEndpointSource('part', () => ({
          start: (listener) =>
            queueMicrotask(() => {
              listener.onEndpoints([{ address: { host: '127.0.0.1', port } }]);
              listener.onWarning('half of the registry is away');
            }),
          refresh: () => {},
          stop: () => {},
        }));
        return { target: 'part:///orders' };
      },
    ],
    ['target-not-examined', () => ({ target: 'xds:///orders' })],
    ['doubtful-target', async () => ({ target: `0.0.0.0:${await startGrpcServer()}` })],
  ])('%s', async ([code, seed]) => {
    expect(await codesOf(seed)).toEqual([code]);
  });
});

test('a target without a port is named before what happens on the port that it got', async () => {
  const { findings } = await runDoctor({ target: 'localhost', env: {} });
  expect(findings.find(({ code }) => code === 'doubtful-target')?.evidence).toEqual([
    '"localhost" has no port, so it is 443, and there is no TLS; add the port, as in "localhost:50051"',
  ]);
  const secure = await runDoctor({ target: 'localhost', env: {}, tls: true });
  expect(secure.findings.map(({ code }) => code)).not.toContain('doubtful-target');
});

describe('connections', () => {
  test.for<[DoctorCode, Seed]>([
    ['port-closed', () => at(freePort())],
    ['address-unreachable', () => ({ target: 'static:///255.255.255.255:50051' })],
    ['silent-peer', () => at(startTcpServer((socket) => socket.resume()))],
    ['connection-closed', () => at(startTcpServer((socket) => socket.destroy()))],
    ['not-http2', () => at(startHttp1())],
    ['not-http2', () => at(startTcpServer((socket) => socket.write('SSH-2.0-OpenSSH_9.2\r\n')))],
    ['not-grpc', () => at(startHttp2(page))],
    ['server-expects-plaintext', () => at(startGrpcServer(), { tls: true })],
  ])('%s', async ([code, seed]) => {
    expect(await codesOf(seed)).toEqual([code]);
  });
});

describe('TLS', () => {
  const good = makeCertificate(['127.0.0.1']);
  const dated = (from: number, until: number): Seed => {
    return () => {
      const certificate = makeCertificate(['127.0.0.1'], { from, until });
      return at(startGrpcServer({ certificate }), { tls: { ca: certificate.cert } });
    };
  };
  test.for<[DoctorCode, Seed]>([
    ['server-expects-tls', () => at(startGrpcServer({ certificate: good }))],
    [
      'certificate-name',
      () => {
        const certificate = makeCertificate(['orders.shop']);
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

  describe('of a client', () => {
    const pair = makeCertificate(['127.0.0.1']);
    const other = makeCertificate(['127.0.0.1']);
    const client = (tls: object, more: object = {}): Seed => {
      return () =>
        at(startGrpcServer({ certificate: good, clientCa: pair.cert, ...more }), { client: { tls } } as never);
    };
    const trusts = { ca: good.cert };
    const shows = { cert: pair.cert, key: pair.key };

    test.for<[string, DoctorCode[], Seed]>([
      ['what fits', [], client({ ...trusts, ...shows })],
      ['a pair of a provider', [], client({ ...trusts, provider: () => Promise.resolve(shows) })],
      ['a file that is not there', ['client-certificates-unusable'], client({ ca: '/nothing/ca.pem' })],
      ['a key of another', ['client-certificates-unusable'], client({ ...trusts, ...shows, key: other?.key })],
      [
        'an expired one',
        ['client-certificates-unusable'],
        () => {
          const { cert, key } = makeCertificate(['127.0.0.1'], { from: -10, until: -1 });
          return client({ ...trusts, cert, key })();
        },
      ],
      [
        'a provider that fails',
        ['client-certificates-unusable'],
        client({ provider: () => Promise.reject(new Error('sealed')) }),
      ],
      [
        'one that expires soon',
        ['client-certificate-expires-soon'],
        () => {
          const { cert, key } = makeCertificate(['127.0.0.1'], { from: -10, until: 5 });
          return client({ ...trusts, cert, key }, { clientCa: cert })();
        },
      ],
      ['another CA', ['certificate-untrusted'], client({ ca: other?.cert, ...shows })],
      ['another name', ['certificate-name'], client({ ...trusts, ...shows, serverName: 'orders.shop' })],
      ['another SPIFFE id', ['certificate-name'], client({ ...trusts, ...shows, spiffeIds: ['spiffe://a/b'] })],
      ['an unknown option', ['client-certificates-unusable'], client({ caFile: 'x' })],
      [
        'a key of another, as contents',
        ['client-certificates-unusable'],
        () => at(startGrpcServer({ certificate: good }), { tls: { ...trusts, ...shows, key: other.key } }),
      ],
    ])('%s', async ([, codes, seed]) => {
      expect(await codesOf(seed)).toEqual(codes);
    });
  });

  test('no-alpn-h2, where HTTP/2 works nevertheless', async () => {
    const seed: Seed = () => at(startTlsHttp2(good), { tls: { ca: good.cert } });
    expect(await codesOf(seed)).toEqual(['no-alpn-h2', 'no-health-service']);
  });

  test('a server with a certificate that the client refuses gets no call, and so no metadata', async () => {
    const seen: unknown[] = [];
    const port = await startTlsHttp2(good, (headers) => seen.push(headers['x-key']));
    const client = { loadBalancing: { health: { metadata: { 'x-key': 'secret' } } } };
    await runDoctor({ target: onPort(port), env: {}, tls: true, client });
    expect(seen).toEqual([]);
    await runDoctor({ target: onPort(port), env: {}, tls: { ca: good.cert }, client });
    expect(seen[0]).toBe('secret');
  });

  test('tls-handshake-failed', async () => {
    const old = (): Promise<number> => startTlsHttp2({ ...good, minVersion: 'TLSv1', maxVersion: 'TLSv1.1' });
    expect(await codesOf(() => at(old(), { tls: { ca: good.cert } }))).toEqual(['tls-handshake-failed']);
  });

  test('no-alpn-h2, where the server refuses h2', async () => {
    const seed: Seed = () => at(startTlsHttp2({ ...good, ALPNProtocols: ['http/1.1'] }), { tls: { ca: good.cert } });
    expect(await codesOf(seed)).toEqual(['no-alpn-h2']);
  });

  test('the evidence of a failed handshake is in plain words', async () => {
    const target = onPort(await startGrpcServer());
    const { findings } = await runDoctor({ target, env: {}, tls: true });
    const [address] = findings[0]!.addresses;
    expect(findings[0]!.evidence).toEqual([
      `${address}: wrong version number; it answers an HTTP/2 preface with SETTINGS`,
    ]);
  });

  test('a certificate that has expired and is for another name is both', async () => {
    const certificate = makeCertificate(['orders.shop'], { from: -10, until: -1 });
    expect(await codesOf(() => at(startGrpcServer({ certificate }), { tls: true }))).toEqual([
      'certificate-name',
      'certificate-expired',
    ]);
  });
});

describe('health', () => {
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

describe('one address', () => {
  /** `dns:///orders.shop` has these addresses. */
  const resolveTo = (...addresses: string[]): void => {
    const lookup = async () => addresses.map((address) => ({ address, family: address.includes(':') ? 6 : 4 }));
    registerEndpointSource('dns', dnsSourceFactory({ lookup, kubernetesServiceHost: false }), { replace: true });
    onTestFinished(() => registerEndpointSource('dns', dnsSourceFactory(), { replace: true }));
  };
  const startApi = async (port: number, ...pods: string[]): Promise<void> => {
    const api = await new KubernetesApi().start();
    closeWithTest(() => api.stop());
    api.store.apply(slice({ name: 'orders-1', pods, ports: [{ ...GRPC_PORT, port }] }));
    vi.stubEnv('KUBECONFIG', kubeConfigFile({ server: api.url }));
  };
  afterEach(() => {
    vi.unstubAllEnvs();
  });

  test('cluster-ip, if it is in the range of Services', async () => {
    resolveTo('127.0.0.1');
    vi.stubEnv('KUBECONFIG', '/no/file');
    const port = await startGrpcServer();
    const env = { KUBERNETES_SERVICE_HOST: '127.0.0.9' };
    const options = { target: `dns:///orders.shop.svc.cluster.local:${port}`, env };
    expect(await codesOf(() => options)).toEqual(['cluster-ip']);
    const { findings } = await runDoctor(options);
    expect(findings[0]).toMatchObject({ certainty: 'likely' });
  });

  test('no finding if it is not', async () => {
    resolveTo('127.0.0.1');
    vi.stubEnv('KUBECONFIG', '/no/file');
    const port = await startGrpcServer();
    const env = { KUBERNETES_SERVICE_HOST: '10.96.0.1' };
    expect(await codesOf(() => ({ target: `dns:///orders.shop:${port}`, env }))).toEqual([]);
  });

  test.for<[string, string[], DoctorCode[]]>([
    ['it is in no EndpointSlice', ['10.0.0.7', '10.0.0.8'], ['cluster-ip']],
    ['it is that of the only pod', ['127.0.0.1'], []],
  ])('by the API server: %s', async ([, pods, codes]) => {
    resolveTo('127.0.0.1');
    const port = await startGrpcServer();
    await startApi(port, ...pods);
    const env = { KUBERNETES_SERVICE_HOST: '127.0.0.9' };
    const options = { target: `dns:///orders.shop:${port}`, env };
    expect(await codesOf(() => options)).toEqual(codes);
    const { findings } = await runDoctor(options);
    expect(findings.map(({ certainty }) => certainty)).toEqual(codes.map(() => 'certain'));
  });

  test('shared-address, if connections reach servers that differ', async () => {
    const backends = await Promise.all([
      startHttp2(serving(), { maxConcurrentStreams: 1000 }),
      startHttp2(serving(), { maxConcurrentStreams: 2000 }),
    ]);
    expect(await codesOf(() => at(startBalancer(backends)))).toEqual(['shared-address']);
  });

  test('address-family-unreachable, if only IPv4 is served', async () => {
    const port = await startGrpcServer();
    resolveTo('::1', '127.0.0.1');
    expect(await codesOf(() => ({ target: `dns:///orders.shop:${port}` }))).toEqual(['address-family-unreachable']);
  });
});

test('one closed port beside an open one of the same family is that, and no fault of the family', async () => {
  const [good, six, closed] = await Promise.all([startGrpcServer(), startGrpcServer({ host: '[::1]' }), freePort()]);
  const target = `static:///127.0.0.1:${good},127.0.0.1:${closed},[::1]:${six}`;
  const { findings } = await runDoctor({ target, env: {} });
  expect(findings).toMatchObject([{ code: 'port-closed', addresses: [`127.0.0.1:${closed}`] }]);
});

describe('the server', () => {
  const startStrict = async (): Promise<number> => {
    const server = await new StrictPingServer(systemClock, 0).start();
    closeWithTest(() => server.stop());
    return server.port;
  };
  const often = { channelOptions: { 'grpc.keepalive_time_ms': 20_000 } };

  test('keepalive-clash is likely, if it counts PINGs and the client sends many', async () => {
    const port = await startStrict();
    expect(await codesOf(() => at(Promise.resolve(port)))).toEqual(['no-health-service']);
    const options = { target: onPort(port), env: {}, client: often };
    expect(await codesOf(() => options)).toEqual(['no-health-service', 'keepalive-clash']);
    const { findings } = await runDoctor(options);
    const evidence = [expect.stringContaining('too_many_pings')];
    expect(findings[1]).toMatchObject({ certainty: 'likely', severity: 'warning', evidence });
  });

  test('keepalive-clash is certain, if it refuses those of every client', async () => {
    const hasty = (): Promise<number> =>
      startHttp2(serving(), {}, (session) => {
        session.on('ping', () => session.goaway(11, 0, Buffer.from('too_many_pings')));
      });
    expect(await codesOf(() => at(hasty()))).toEqual(['keepalive-clash']);
  });

  test('a server that tolerates PINGs has no finding', async () => {
    expect(await codesOf(() => at(startGrpcServer(), { client: often }))).toEqual([]);
  });

  const limited = (maxConcurrentStreams: number): Promise<number> => startHttp2(serving(), { maxConcurrentStreams });
  const day = (days: number): string => new Date(Date.now() + days * 86_400_000).toUTCString();
  test.for<[DoctorCode, Seed]>([
    ['ping-unanswered', async () => at(startPingEater(await startGrpcServer()))],
    ['stream-limit-low', () => at(limited(1))],
    [
      'stream-limit-low',
      () => at(limited(100), { client: { loadBalancing: { pool: { maxConcurrentStreams: 200 } } } }),
    ],
    ['stream-limit-low', () => at(limited(100), { concurrency: 397 })],
    ['service-missing', () => at(startGrpcServer(), { services: ['echo.v1.Ecko'] })],
    ['method-missing', () => at(startGrpcServer(), { methods: ['echo.v1.Echo/Sey'] })],
    ['method-missing', () => at(startGrpcServer(), { proto: newerProto() })],
    ['no-reflection', () => at(startGrpcServer({ reflection: false }), { services: ['echo.v1.Echo'] })],
    ['clock-skew', () => at(startHttp2(serving({ date: day(1) })))],
    ['clock-skew', () => at(startHttp2(serving({ date: day(-1) })))],
  ])('%s', async ([code, seed]) => {
    expect(await codesOf(seed)).toEqual([code]);
  });

  test('a limit that the pool fits into has no finding', async () => {
    expect(await codesOf(() => at(limited(100), { concurrency: 396 }))).toEqual([]);
  });

  test('similar names are suggested', async () => {
    const target = onPort(await startGrpcServer());
    const { findings } = await runDoctor({
      target,
      env: {},
      services: ['echo.v1.Ecko'],
      methods: ['echo.v1.Echo/Sey'],
    });
    expect(findings.map(({ evidence }) => evidence[0])).toEqual([
      expect.stringMatching(/ lists no service "echo.v1.Ecko"; did you mean "echo.v1.Echo"\?$/),
      expect.stringMatching(/ lists no method "Sey" in "echo.v1.Echo"; did you mean "Say"\?$/),
    ]);
  });
});

/** A folder of this test's own, with these files. */
function folderWith(files: Readonly<Record<string, string>>): string {
  const folder = mkdtempSync(join(tmpdir(), 'doctor-'));
  onTestFinished(() => rmSync(folder, { recursive: true }));
  for (const [name, text] of Object.entries(files)) {
    mkdirSync(join(folder, dirname(name)), { recursive: true });
    writeFileSync(join(folder, name), text);
  }
  return folder;
}

/** The echo service with a method that no server has yet. */
function newerProto(): string {
  const proto =
    'syntax = "proto3"; package echo.v1; message Line { string text = 1; } ' +
    'service Echo { rpc Say (Line) returns (Line); rpc Whisper (Line) returns (Line); }';
  return join(folderWith({ 'echo.proto': proto }), 'echo.proto');
}

describe('configuration', () => {
  const proxy = { https_proxy: 'http://user:secret@proxy.corp:3128' };
  const throughProxy = { channelOptions: { 'grpc.enable_http_proxy': 1 } };
  const twoCopies = (): string =>
    folderWith({
      'node_modules/@grpc/grpc-js/package.json': '{ "version": "1.14.0" }',
      'node_modules/@google-cloud/pubsub/package.json': '{}',
      'node_modules/@google-cloud/pubsub/node_modules/@grpc/grpc-js/package.json': '{ "version": "1.8.0" }',
    });

  test.for<[DoctorCode, Seed]>([
    [
      'invalid-options',
      () => at(startGrpcServer(), { client: { loadBalancing: { policy: 'least_requests' as 'least_request' } } }),
    ],
    ['invalid-options', () => at(startGrpcServer(), { proto: '/no/such.proto' })],
    ['invalid-options', () => at(startGrpcServer(), { client: { channelOptions: { 'grpc.keepalive_time': 20_000 } } })],
    ['invalid-environment', () => at(startGrpcServer(), { env: { GRPC_LB_ORDERS_POLCY: 'random' } })],
    ['duplicate-grpc-js', () => at(startGrpcServer(), { cwd: twoCopies() })],
    ['proxy-ignored', () => at(startGrpcServer(), { env: proxy })],
    ['proxy-used', () => at(startGrpcServer(), { env: proxy, client: throughProxy })],
  ])('%s', async ([code, seed]) => {
    expect(await codesOf(seed)).toEqual([code]);
  });
});

test('a proxy is named without its password, and exceptions hold', async () => {
  const target = onPort(await startGrpcServer());
  const env = { grpc_proxy: 'http://user:secret@proxy.corp:3128', no_proxy: 'localhost' };
  const client = { channelOptions: { 'grpc.enable_http_proxy': 1 } };
  const { findings } = await runDoctor({ target, env, client });
  expect(findings[0]).toMatchObject({ code: 'proxy-used', certainty: 'likely' });
  expect(findings[0]!.evidence[0]).toMatch(/^grpc_proxy is http:\/\/proxy\.corp:3128, /);
  for (const no_proxy of ['127.0.0.1', 'localhost,127.0.0.0/8', '.0.1'])
    expect(await runDoctor({ target, env: { ...env, no_proxy }, client })).toMatchObject({ findings: [] });
});

test('every code has been seeded above', () => {
  expect(Object.keys(DIAGNOSES).filter((code) => !seeded.has(code as DoctorCode))).toEqual([]);
});
