import { describe, expect, onTestFinished, test } from 'vitest';
import { freePort } from 'nestjs-grpc-lb/testing';
import { makeCertificate } from '../../support/peers/certificates.js';
import { type DoctorOptions, type DoctorReport, runDoctor } from '../../../libs/grpc-lb/src/doctor/index.js';
import { serving, startHttp2 } from '../../support/doctor/http2-servers.js';
import { startGrpcServer } from '../../support/doctor/servers.js';
import { expectNoLeaks } from '../../support/run/leaks.js';
import { Haproxy } from './haproxy.js';
import { L7Proxy, type ProgramName, PROGRAMS } from './l7-proxies.js';
import { startNginx } from './nginx-listen.js';

expectNoLeaks();

const examine = (port: number, options: Partial<DoctorOptions> = {}): Promise<DoctorReport> =>
  runDoctor({ target: `static:///127.0.0.1:${port}`, env: {}, ...options });
const codesOf = ({ findings }: DoctorReport): string[] => findings.map(({ code }) => code);
const local = (port: number): string => `127.0.0.1:${port}`;

describe('nothing is wrong with', () => {
  test.each(Object.keys(PROGRAMS) as ProgramName[])('%s in front of a healthy backend', async (name) => {
    const proxy = await new L7Proxy(name, [local(await startGrpcServer())]).start();
    onTestFinished(() => proxy.stop());
    const report = await examine(proxy.port, { methods: ['echo.v1.Echo/Say'] });
    expect(report.findings).toEqual([]);
    expect(report.checks.find(({ name: check }) => check === 'services')).toMatchObject({ status: 'ok' });
  });

  test('nginx with TLS', async () => {
    const certificate = makeCertificate(['127.0.0.1']);
    const port = await startNginx({ http2: true, certificate, backend: local(await startGrpcServer()) });
    expect((await examine(port, { tls: { ca: certificate.cert } })).findings).toEqual([]);
  });
});

describe('nginx', () => {
  test('without http2 speaks another protocol', async () => {
    const port = await startNginx({ http2: false, backend: local(await startGrpcServer()) });
    expect(codesOf(await examine(port))).toEqual(['not-http2']);
  });

  test('with TLS and without http2 offers no h2', async () => {
    const certificate = makeCertificate(['127.0.0.1']);
    const port = await startNginx({ http2: false, certificate, backend: local(await startGrpcServer()) });
    const report = await examine(port, { tls: { ca: certificate.cert } });
    expect(report.findings).toMatchObject([{ code: 'no-alpn-h2', severity: 'error' }]);
  });

  test('with TLS is recognized by a client without', async () => {
    const certificate = makeCertificate(['127.0.0.1']);
    const port = await startNginx({ http2: true, certificate, backend: local(await startGrpcServer()) });
    expect(codesOf(await examine(port))).toEqual(['server-expects-tls']);
  });

  test('without a backend answers with a page', async () => {
    const port = await startNginx({ http2: true, backend: local(await freePort()) });
    expect(codesOf(await examine(port))).toEqual(['not-grpc']);
  });
});

test('haproxy as an L4 load balancer is one address for several backends', async () => {
  const backends = await Promise.all([
    startHttp2(serving(), { maxConcurrentStreams: 1000 }),
    startHttp2(serving(), { maxConcurrentStreams: 2000 }),
  ]);
  const proxy = await new Haproxy(backends.map(local)).start();
  onTestFinished(() => proxy.stop());
  expect(codesOf(await examine(proxy.port))).toEqual(['shared-address']);
});
