import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join, relative } from 'node:path';
import { describe, expect, onTestFinished, test, vi } from 'vitest';
import type { GrpcLbClientDecoratorOptions } from '../../../libs/grpc-lb/src/nest/client-options.js';
import { makeCertificate } from '../../support/peers/certificates.js';
import { registeredSchemes } from '../../../libs/grpc-lb/src/discovery/index.js';
import {
  type DoctorClientOptions,
  type DoctorOptions,
  type DoctorReport,
  runDoctor,
} from '../../../libs/grpc-lb/src/doctor/index.js';
import { startBackends } from '../../support/echo/backends.js';
import { ECHO_PROTO, staticTarget } from '../../support/echo/cluster.js';
import { startGrpcServer } from '../../support/doctor/servers.js';
import { KubernetesApi } from '../../support/kubernetes/api.js';
import { kubeConfigFile } from '../../support/kubernetes/client.js';
import { GRPC_PORT, slice } from '../../support/kubernetes/slices.js';
import { RawServer } from '../../support/peers/raw-server.js';
import { closeWithTest } from '../../support/run/close-with-test.js';
import { expectNoLeaks } from '../../support/run/leaks.js';

expectNoLeaks();

const examine = (options: DoctorOptions): Promise<DoctorReport> => runDoctor({ env: {}, ...options });

describe('a healthy target has no findings', () => {
  test('in plaintext', async () => {
    const port = await startGrpcServer();
    const report = await examine({ target: `static:///127.0.0.1:${port}` });
    expect(report).toMatchObject({
      version: 1,
      healthy: true,
      findings: [],
      endpoints: 1,
      examined: [`127.0.0.1:${port}`],
    });
    const notChecked = report.checks.filter(({ status }) => status !== 'ok').map(({ name }) => name);
    expect(notChecked.toSorted()).toEqual(['address-families', 'client-certificates', 'services', 'tls']);
  });

  test('by DNS', async () => {
    const port = await startGrpcServer();
    expect(await examine({ target: `dns:///127.0.0.1:${port}` })).toMatchObject({ healthy: true, findings: [] });
  });

  test('with the services and methods that it must have', async () => {
    const target = `static:///127.0.0.1:${await startGrpcServer()}`;
    const { findings, checks } = await examine({
      target,
      proto: ECHO_PROTO,
      services: ['echo.v1.Mirror'],
      methods: ['echo.v1.Echo/Talk'],
    });
    expect(findings).toEqual([]);
    expect(checks.find(({ name }) => name === 'services')).toMatchObject({
      status: 'ok',
      detail: '2 of 2 are there, with their methods (reflection v1)',
    });
  });

  test('with all options that a client may have', async () => {
    const target = `static:///127.0.0.1:${await startGrpcServer()}`;
    // Only their names matter here. Whoever adds an option must add it, too.
    const client: Readonly<Record<keyof GrpcLbClientDecoratorOptions, unknown>> = {
      name: '',
      service: '',
      package: '',
      protoPath: '',
      protoLoader: '',
      packageDefinition: '',
      definition: '',
      loader: '',
      onLoadPackageDefinition: '',
      target: '',
      targets: '',
      url: '',
      credentials: '',
      interceptors: '',
      resumable: '',
      gracefulShutdown: '',
      maxSendMessageLength: '',
      maxReceiveMessageLength: '',
      maxMetadataSize: '',
      tls: false,
      keepalive: {},
      channelOptions: {},
      loadBalancing: {},
    };
    expect((await examine({ target, client: client as DoctorClientOptions })).findings).toEqual([]);
  });

  test('without reflection, where services were asked for, has a note that says why they are not compared', async () => {
    const target = `static:///127.0.0.1:${await startGrpcServer({ reflection: false })}`;
    const { healthy, findings } = await examine({ target, services: ['echo.v1.Echo'] });
    expect(healthy).toBe(true);
    expect(findings).toMatchObject([
      { code: 'no-reflection', severity: 'note', evidence: [expect.stringContaining('has no reflection service')] },
    ]);
    expect((await examine({ target })).findings).toEqual([]);
  });

  test('proto files are found from the working directory, whatever folders their imports are in', async () => {
    const target = `static:///127.0.0.1:${await startGrpcServer()}`;
    const warned = vi.spyOn(process, 'emitWarning').mockReturnValue(undefined);
    onTestFinished(() => warned.mockRestore());
    const proto = relative(process.cwd(), ECHO_PROTO);
    for (const includeDirs of [undefined, [], [dirname(ECHO_PROTO)]])
      expect((await examine({ target, proto, includeDirs })).findings).toEqual([]);
    expect(warned).not.toHaveBeenCalled();
  });

  test('with TLS, and with certificates on both sides', async () => {
    const certificate = makeCertificate(['127.0.0.1', 'orders.shop']);
    const { cert: ca, key } = certificate;
    const port = await startGrpcServer({ certificate });
    const target = `static:///127.0.0.1:${port}`;
    expect(await examine({ target, tls: { ca } })).toMatchObject({ healthy: true, findings: [] });
    expect(await examine({ target, tls: { ca, serverName: 'orders.shop' } })).toMatchObject({ findings: [] });
    const strict = await startGrpcServer({ certificate, clientCa: ca });
    const report = await examine({ target: `static:///127.0.0.1:${strict}`, tls: { ca, cert: ca, key } });
    expect(report.findings).toEqual([]);
  });

  test('on a Unix socket', async () => {
    const folder = mkdtempSync(join(tmpdir(), 'doctor-'));
    onTestFinished(() => rmSync(folder, { recursive: true }));
    const path = join(folder, 'orders.sock');
    await startGrpcServer({ path });
    const report = await examine({ target: `static:///unix:${path}` });
    expect(report).toMatchObject({ healthy: true, findings: [], examined: [`unix:${path}`] });
  });

  test('with IPv4 and IPv6', async () => {
    const [four, six] = await Promise.all([startGrpcServer(), startGrpcServer({ host: '[::1]' })]);
    const { findings, checks } = await examine({ target: `static:///127.0.0.1:${four},[::1]:${six}` });
    expect(findings).toEqual([]);
    expect(checks.find(({ name }) => name === 'address-families')).toMatchObject({ status: 'ok' });
  });

  test('from the API server of Kubernetes, whose source the doctor does not register', async () => {
    const port = await startGrpcServer();
    const api = await new KubernetesApi().start();
    closeWithTest(() => api.stop());
    api.store.apply(slice({ name: 'orders-1', pods: ['127.0.0.1'], ports: [{ ...GRPC_PORT, port }] }));
    vi.stubEnv('KUBECONFIG', kubeConfigFile({ server: api.url }));
    onTestFinished(() => void vi.unstubAllEnvs());
    const target = 'kubernetes:///orders.shop:grpc';
    expect(await examine({ target })).toMatchObject({ healthy: true, findings: [], endpoints: 1 });
    expect(registeredSchemes()).not.toContain('kubernetes');
    api.forbidden.add('shop');
    const { findings } = await examine({ target });
    expect(findings).toMatchObject([{ code: 'discovery-failed', evidence: [expect.stringContaining('forbidden')] }]);
  });

  test('with many endpoints, of which some are examined', async () => {
    const servers = await startBackends(5, { health: true });
    const report = await examine({ target: staticTarget(servers), maxEndpoints: 3 });
    expect(report).toMatchObject({ findings: [], endpoints: 5 });
    expect(report.examined).toEqual(servers.slice(0, 3).map(({ address }) => address));
    expect(servers.map(({ accepted }) => accepted)).toEqual([1, 1, 1, 0, 0]);
  });
});

test('a run leaves no connection open', async () => {
  const server = await new RawServer().start();
  await examine({ target: `static:///${server.address}` });
  expect(server.accepted).toBeGreaterThan(1);
  await expect.poll(() => server.sessions.size).toBe(0);
});

test('the evidence has five lines at most', async () => {
  const servers = await startBackends(7, { health: true });
  for (const server of servers) server.setHealth('NOT_SERVING');
  const { findings } = await examine({ target: staticTarget(servers) });
  expect(findings[0]!.evidence).toHaveLength(5);
  expect(findings[0]!.addresses).toHaveLength(7);
});

test('one fault at several endpoints is one finding, with its addresses', async () => {
  const servers = await startBackends(3, { health: true });
  for (const server of servers) server.setHealth('NOT_SERVING');
  const { findings } = await examine({ target: staticTarget(servers) });
  expect(findings).toHaveLength(1);
  expect(findings[0]).toMatchObject({ code: 'not-serving', severity: 'error', certainty: 'certain' });
  expect(findings[0]!.addresses.toSorted()).toEqual(servers.map(({ address }) => address).toSorted());
  expect(findings[0]!.evidence).toHaveLength(3);
});

test('invalid options of the doctor are one error with all faults', async () => {
  const wrong = { target: '', timeout: 10, methods: ['Find'], quik: true } as unknown as DoctorOptions;
  await expect(runDoctor(wrong)).rejects.toThrow(
    'runDoctor: 4 options are invalid\n' +
      '  - target is ""; use a non-empty string\n' +
      '  - timeout is 10; use a whole number from 500 to 60000 (milliseconds)\n' +
      '  - methods[0] is "Find"; use service and method, as in "orders.v1.Orders/Find"\n' +
      '  - quik is not an option; did you mean "quick"?',
  );
});
