import * as grpc from '@grpc/grpc-js';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { FleetBackend } from 'nestjs-grpc-lb/testing';
import { afterEach, beforeEach, describe, expect, onTestFinished, test, vi } from 'vitest';
import { makeCertificate } from '../../support/peers/certificates.js';
import { registerEndpointSource } from '../../../libs/grpc-lb/src/discovery/index.js';
import { edsSourceFactory, type EdsSourceOptions } from '../../../libs/grpc-lb/src/discovery/xds/index.js';
import { AdsServer } from '../../support/xds/ads-server.js';
import { BalancedClient } from '../../support/echo/balanced-client.js';
import { startBackends } from '../../support/echo/backends.js';
import { expectNoLeaks } from '../../support/run/leaks.js';
import { SteadyLoad } from '../../support/echo/steady-load.js';
import { Stopwatch } from '../../support/time/stopwatch.js';
import { assignment, type TestLocality } from '../../support/xds/resources.js';

expectNoLeaks();

const insecure = grpc.credentials.createInsecure();

let ads: AdsServer;
let servers: FleetBackend[];
const clients: BalancedClient[] = [];

beforeEach(async () => {
  ads = await new AdsServer().start();
  servers = await startBackends(4);
});

afterEach(async () => {
  for (const client of clients.splice(0)) client.close();
  await ads.stop();
});

function register(options: EdsSourceOptions = {}): void {
  const factory = edsSourceFactory({ node: { id: 'test-node' }, credentials: insecure, ...options });
  registerEndpointSource('eds', factory, { replace: true });
}

function clientOf(name = 'orders', target = `eds://${ads.address}/${name}`): BalancedClient {
  const client = new BalancedClient({ target });
  clients.push(client);
  return client;
}

const portsOf = (list: readonly FleetBackend[]): { port: number }[] => list.map(({ port }) => ({ port }));

const set = (list: readonly FleetBackend[], name = 'orders'): void =>
  ads.set('eds', name, assignment(name, [{ endpoints: portsOf(list) }]));

/** Exactly these are listed, and all of them are ready. */
function usable(client: BalancedClient, list: readonly FleetBackend[]): boolean {
  const known = client.snapshot.endpoints.filter(({ state }) => state !== 'draining');
  return (
    known.every(({ state }) => state === 'ready') &&
    known
      .map(({ address }) => address)
      .toSorted()
      .join() ===
      list
        .map(({ address }) => address)
        .toSorted()
        .join()
  );
}
const ready = (client: BalancedClient, list: readonly FleetBackend[]): Promise<void> =>
  client.until(() => usable(client, list));

describe('eds:', () => {
  beforeEach(() => register());

  test('the endpoints of the control plane get the calls, with weight, locality and priority', async () => {
    const localities: TestLocality[] = [
      { region: 'eu', zone: 'eu-1', weight: 2, endpoints: [{ port: servers[0]!.port }] },
      {
        region: 'eu',
        zone: 'eu-2',
        weight: 1,
        endpoints: [{ port: servers[1]!.port }, { port: servers[2]!.port, health: 'DRAINING' }],
      },
    ];
    ads.set('eds', 'orders', assignment('orders', localities, { overprovisioning_factor: { value: 200 } }));
    const client = await clientOf().ready(2);
    expect(client.snapshot.source).toMatchObject({ kind: 'eds', state: 'ok', error: null });
    expect(client.snapshot.endpoints).toMatchObject([
      { address: servers[0]!.address, weight: 2, locality: { region: 'eu', zone: 'eu-1' }, priority: 0 },
      { address: servers[1]!.address, weight: 1, locality: { region: 'eu', zone: 'eu-2' }, priority: 0 },
    ]);
    expect([servers[0]!.address, servers[1]!.address]).toContain((await client.say()).server);
  });

  test('a push reaches the picker within 100 ms, and the control plane gets its answer', async () => {
    set(servers.slice(0, 1));
    const client = await clientOf().ready(1);
    const stopwatch = new Stopwatch();
    const took: number[] = [];
    for (let i = 0; i < 9; i++) {
      const next = servers.slice(0, 2 - (i % 2));
      const seen = (): Promise<void> => {
        set(next);
        return ready(client, next);
      };
      took.push(await stopwatch.time(seen));
    }
    expect(Math.max(...took)).toBeLessThan(100);
    expect(await ads.acked()).toMatchObject({ error_detail: null, version_info: '10' });
  });

  test('no call fails while endpoints come, go, are all replaced, and the control plane restarts', async () => {
    set(servers.slice(0, 2));
    const client = await clientOf().ready(2);
    const load = new SteadyLoad(() => client.say(), 500);
    for (const next of [servers.slice(0, 3), servers.slice(0, 1), servers.slice(2, 4)]) {
      set(next);
      await ready(client, next);
      await load.run(50);
    }
    await ads.stop();
    await load.run(100);
    expect(usable(client, servers.slice(2, 4))).toBe(true);
    set(servers);
    await ads.start();
    await ready(client, servers);
    await load.run(50);
    await load.stop();
    expect(load.failures).toEqual([]);
    expect(load.succeeded).toBeGreaterThan(300);
  });

  test('a malformed response is rejected with its reason, and the last good list stays', async () => {
    set(servers.slice(0, 2));
    const client = await clientOf().ready(2);
    ads.set('eds', 'orders', assignment('orders', [{ endpoints: [{ port: 0 }] }]));
    await client.until(() => client.snapshot.source.state === 'stale');
    expect(client.snapshot.source.error).toContain('lb_endpoints[0].endpoint.address is "127.0.0.1:0"');
    const nack = await ads.acked();
    expect(nack).toMatchObject({ version_info: '1', response_nonce: '2', error_detail: { code: 3 } });
    expect(nack.error_detail!.message).toContain('"0" is not a port');
    ads.push('eds', [
      { type_url: 'type.googleapis.com/envoy.config.endpoint.v3.ClusterLoadAssignment', value: Buffer.from([255]) },
    ]);
    expect((await ads.acked()).error_detail!.message).toContain('cannot be decoded');
    expect(usable(client, servers.slice(0, 2))).toBe(true);
    set(servers);
    await ready(client, servers);
    expect(client.snapshot.source).toMatchObject({ state: 'ok', error: null });
  });

  test('all clients of a process share one stream, which ends with the last client', async () => {
    set(servers.slice(0, 1), 'orders');
    set(servers.slice(1, 2), 'stock');
    const [orders, more, stock] = [clientOf('orders'), clientOf('orders'), clientOf('stock')];
    await Promise.all([orders.ready(1), more.ready(1), stock.ready(1)]);
    expect(new Set(ads.requests.map(({ stream }) => stream))).toEqual(new Set([1]));
    expect((await stock.say()).server).toBe(servers[1]!.address);
    orders.close();
    more.close();
    await ads.until(() => ads.requests.at(-1)!.resource_names.join() === 'stock');
    stock.close();
    await ads.until(() => ads.streams === 0);
  });

  test('a control plane that repeats a malformed response, as go-control-plane does, does not get a NACK each time', async () => {
    ads.asCache = true;
    set(servers.slice(0, 1));
    const client = await clientOf().ready(1);
    const nacks = (): number => ads.requests.filter((request) => request.error_detail !== null).length;
    const from = performance.now();
    ads.set('eds', 'orders', assignment('orders', [{ endpoints: [{ port: 0 }] }]));
    await ads.until(() => nacks() > 0);
    // A round trip over loopback takes a few turns: it would be hundreds.
    for (let i = 0; i < 500; i++) await new Promise((resolve) => setImmediate(resolve));
    // One at once, then after 0.8 s at least.
    expect(nacks()).toBeLessThanOrEqual(1 + Math.floor((performance.now() - from) / 800));
    expect((await client.say()).server).toBe(servers[0]!.address);
    set(servers.slice(0, 2));
    await ready(client, servers.slice(0, 2));
    expect(await ads.acked()).toMatchObject({ error_detail: null });
  });

  test('a response of four megabytes of empty messages is rejected, and the last good list stays', async () => {
    set(servers.slice(0, 1));
    const client = await clientOf().ready(1);
    // Each of the two bytes is a locality.
    const bytes = Buffer.alloc(4_194_000, Buffer.from([0x12, 0]));
    const type = 'type.googleapis.com/envoy.config.endpoint.v3.ClusterLoadAssignment';
    ads.push('eds', [{ type_url: type, value: bytes }]);
    expect((await ads.acked()).error_detail?.message).toContain('has 2097000 localities; use 1000 at most');
    expect((await client.say()).server).toBe(servers[0]!.address);
  });

  test('a stream that the control plane ends is reopened without an event', async () => {
    set(servers.slice(0, 1));
    const client = await clientOf().ready(1);
    ads.endStreams();
    await ads.until(() => ads.requests.at(-1)!.stream === 2);
    set(servers.slice(0, 2));
    await ready(client, servers.slice(0, 2));
    expect(client.events.filter(({ type }) => type === 'discovery_failed')).toEqual([]);
  });

  test('a control plane that restarts its version numbers is accepted', async () => {
    set(servers.slice(0, 1));
    const client = await clientOf().ready(1);
    await ads.stop();
    await ads.start();
    set(servers.slice(0, 2));
    await ready(client, servers.slice(0, 2));
    expect(ads.requests.findLast(({ node }) => node !== null)).toMatchObject({ version_info: '', response_nonce: '' });
  });

  test('a name that the control plane does not know is an error after the timeout, and may be added later', async () => {
    register({ resourceTimeout: 100 });
    const client = clientOf('nobody');
    await expect(client.say()).rejects.toThrow(/control plane .* did not answer for "nobody" within 100 ms/);
    expect(client.snapshot.source.state).toBe('failed');
    set(servers.slice(0, 1), 'nobody');
    await client.ready(1);
  });

  test('an unreachable control plane fails calls with the reason until it is up', async () => {
    set(servers.slice(0, 1));
    await ads.stop();
    const client = clientOf();
    await expect(client.say()).rejects.toThrow(/control plane 127.0.0.1:\d+ cannot be queried: .*ECONNREFUSED/);
    const later = client.say('hello', { waitForReady: true });
    await ads.start();
    expect((await later).server).toBe(servers[0]!.address);
  });

  test('an empty list is authoritative: the last endpoints are kept for a while, and then removed', async () => {
    set(servers.slice(0, 1));
    const client = await clientOf().ready(1);
    set([]);
    await client.until(() => client.snapshot.source.state === 'stale');
    expect((await client.say()).server).toBe(servers[0]!.address);
    expect(client.snapshot.source.error).toContain('no longer lists endpoints');
  });

  test('drop overloads cause a warning', async () => {
    const drops = { drop_overloads: [{ category: 'x', drop_percentage: { numerator: 100 } }] };
    ads.set('eds', 'orders', assignment('orders', [{ endpoints: [{ port: servers[0]!.port }] }], drops));
    const client = await clientOf().ready(1);
    await client.say();
    expect(client.events).toContainEqual(
      expect.objectContaining({ type: 'discovery_warning', warning: expect.stringContaining('drop_overloads') }),
    );
  });

  test('Istio and xdstp names are requested unchanged', async () => {
    const names = [
      'outbound|50051||orders.shop.svc.cluster.local',
      'xdstp://shop/envoy.config.endpoint.v3.ClusterLoadAssignment/orders',
    ];
    for (const name of names) {
      set(servers.slice(0, 1), name);
      const client = await clientOf(name).ready(1);
      expect((await client.say()).server).toBe(servers[0]!.address);
    }
  });
});

describe('the bootstrap of node and control plane', () => {
  function bootstrapFile(content: unknown): string {
    const directory = mkdtempSync(join(tmpdir(), 'bootstrap-'));
    onTestFinished(() => rmSync(directory, { recursive: true }));
    const path = join(directory, 'bootstrap.json');
    writeFileSync(path, typeof content === 'string' ? content : JSON.stringify(content));
    return path;
  }
  const reading = (name: string, value: string): void => {
    vi.stubEnv(name, value);
    onTestFinished(() => void vi.unstubAllEnvs());
  };

  test('comes from a bootstrap file, as for other clients', async () => {
    reading('GRPC_XDS_BOOTSTRAP', bootstrapFile(ads.bootstrap('from-file')));
    registerEndpointSource('eds', edsSourceFactory(), { replace: true });
    set(servers.slice(0, 1));
    await clientOf('orders', 'eds:///orders').ready(1);
    const { value } = { value: ads.requests[0]!.node };
    expect(value).toMatchObject({
      id: 'from-file',
      cluster: 'test-cluster',
      locality: { region: 'r1', zone: 'z1' },
      metadata: { fields: { team: { stringValue: 'shop' } } },
      user_agent_name: 'nestjs-grpc-lb',
    });
  });

  test('comes from the bootstrap content, and options take precedence over it', async () => {
    reading('GRPC_XDS_BOOTSTRAP_CONFIG', JSON.stringify(ads.bootstrap('from-environment')));
    registerEndpointSource('eds', edsSourceFactory({ node: { id: 'from-options' } }), { replace: true });
    set(servers.slice(0, 1));
    await clientOf('orders', 'eds:///orders').ready(1);
    expect(ads.requests[0]!.node!.id).toBe('from-options');
  });

  const faultsOf = (target: string, options: EdsSourceOptions): string => {
    registerEndpointSource('eds', edsSourceFactory(options), { replace: true });
    try {
      clientOf('orders', target);
      return '';
    } catch (error) {
      return (error as Error).message;
    }
  };

  test.each<[string, string, EdsSourceOptions, RegExp[]]>([
    [
      'nothing is known',
      'eds:///orders',
      {},
      [
        /authority is empty, and no bootstrap names a control plane; write eds:\/\/control-plane:18000\/orders/,
        /node is unknown; set GRPC_XDS_BOOTSTRAP/,
        /credentials are not set: no bootstrap has them for this control plane/,
      ],
    ],
    [
      'a file that is not there',
      'eds:///orders',
      { bootstrap: '/no/such' },
      [/bootstrap names the file "\/no\/such", which cannot be read: ENOENT/],
    ],
    [
      'no credentials that are known',
      'eds:///orders',
      {
        bootstrap: {
          node: { id: 'x' },
          xds_servers: [{ server_uri: 'cp:1', channel_creds: [{ type: 'google_default' }] }],
        },
      },
      [/credentials are "google_default" in the bootstrap, but only insecure and tls are supported here/],
    ],
    ['no name', 'eds://cp:1', { node: { id: 'x' }, credentials: insecure }, [/path is empty; write eds:\/\/\/cp:1/]],
  ])('%s is an error with a remedy', (_, target, options, messages) => {
    const text = faultsOf(target, options);
    for (const message of messages) expect(text).toMatch(message);
  });

  test('has options that are all checked, without secrets in the error', () => {
    const options = {
      bootstrap: { xds_servers: [{ channel_creds: [{ config: { key: 'secret' } }] }] },
      node: { id: '' },
      credentials: 'secret',
      resourceTimeout: 1,
      maxReconnectBackoff: 'x',
      nodes: 1,
    } as unknown as EdsSourceOptions;
    const text = faultsOf('eds:///orders', {});
    expect(text).not.toBe('');
    expect(() => edsSourceFactory(options)).toThrow(
      [
        'edsSourceFactory: 7 options are invalid',
        '  - options.bootstrap.xds_servers[0].server_uri is missing; add it',
        '  - options.bootstrap.xds_servers[0].channel_creds[0].type is missing; add it',
        '  - options.node.id is ""; use a non-empty string',
        '  - options.credentials are not ChannelCredentials of the @grpc/grpc-js that this package uses; create them with credentials.createSsl(), and check that "npm ls @grpc/grpc-js" shows one version',
        '  - options.resourceTimeout is 1; use a whole number from 100 to 600000 (milliseconds)',
        '  - options.maxReconnectBackoff is "x"; use a whole number from 1000 to 600000 (milliseconds)',
        '  - options.nodes is not an option; did you mean "node"?',
      ].join('\n'),
    );
  });

  test('from a file that is not JSON is an error without its content', () => {
    const text = faultsOf('eds:///orders', { bootstrap: bootstrapFile('{ "password": "hunter2"') });
    expect(text).toContain('bootstrap is not JSON');
    expect(text).not.toContain('hunter2');
  });

  test('may configure TLS, with certificates that are reread for each connection', async () => {
    const first = makeCertificate(['localhost']);
    const tls = await new AdsServer(
      grpc.ServerCredentials.createSsl(null, [{ private_key: first.key, cert_chain: first.cert }]),
    ).start();
    onTestFinished(() => tls.stop());
    const ca = bootstrapFile('not the certificate yet');
    const creds = [{ type: 'other' }, { type: 'tls', config: { ca_certificate_file: ca } }];
    // By its name: on Node 26 grpc-js cannot ask for an address.
    const server_uri = tls.address.replace('127.0.0.1', 'localhost');
    const bootstrap = { node: { id: 'x' }, xds_servers: [{ server_uri, channel_creds: creds }] };
    registerEndpointSource('eds', edsSourceFactory({ bootstrap }), { replace: true });
    tls.set('eds', 'orders', assignment('orders', [{ endpoints: portsOf(servers.slice(0, 1)) }]));
    const client = clientOf('orders', 'eds:///orders');
    await expect(client.say()).rejects.toThrow(/cannot be queried/);
    writeFileSync(ca, first.cert);
    await client.ready(1);
  });
});
