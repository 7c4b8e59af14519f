import { credentials } from '@grpc/grpc-js';
import { loadSync } from '@grpc/proto-loader';
import { describe, expect, it, vi } from 'vitest';
import { ECHO_PROTO } from '../../../../test/support/echo/cluster.js';
import { GrpcLbOptionsError } from '../core/errors.js';
import { GrpcLbClientHandle } from './client-handle.js';
import type { GrpcLbClientOptions } from './client-options.js';

const FINE: GrpcLbClientOptions = { target: '127.0.0.1:1', package: 'echo.v1', protoPath: ECHO_PROTO };

/** Clients connect only on request. */
function create(options: object): GrpcLbClientHandle {
  return new GrpcLbClientHandle('ECHO', { ...FINE, ...options }, () => {});
}

function errorOf(options: object): GrpcLbOptionsError {
  try {
    create(options);
  } catch (error) {
    if (error instanceof GrpcLbOptionsError) return error;
    throw error;
  }
  throw new Error('The options are accepted');
}

const serviceConfig = (config: unknown): object => ({ channelOptions: { 'grpc.service_config': config } });

/** Options with one fault each, and the error line for it. */
const WRONG: [options: object, line: string][] = [
  [{ target: '' }, 'target is ""; use a non-empty string'],
  [{ target: 5 }, 'target is 5; use a non-empty string'],
  [
    { target: ['dns:///a:1', 'b:1'] },
    'target is ["dns:///a:1","b:1"]; use one target; for addresses that share the calls use url, for targets by priority use targets',
  ],
  [
    { target: undefined, targets: ['dns:///orders:1', 'static:///a:1', ' orders:1'] },
    'targets[2] is " orders:1", which is already in the list; list each target once',
  ],
  [
    { target: 'static:///a:1,dns:///b:1' },
    'target "static:///a:1,dns:///b:1": address 2 is "dns:///b:1", which is a whole target; several targets are separated by spaces (in code: targets: [...])',
  ],
  [
    { target: 'dns:///a:1,static:///b:1' },
    'target "dns:///a:1,static:///b:1": address is "a:1,static:///b:1"; several targets are separated by spaces (in code: targets: [...])',
  ],
  [{ target: undefined }, 'target is missing; set where the endpoints are, as in dns:///orders:50051'],
  [{ url: 'orders:50051' }, 'url is set together with target "127.0.0.1:1"; remove one of them'],
  [
    { target: 'statik:///a:1' },
    'target "statik:///a:1": scheme is "statik", which is unknown; did you mean "static"?; use one of',
  ],
  [
    { target: undefined, url: 'static:///a:1;weigth=2' },
    'url "static:///a:1;weigth=2": address 1 "weigth" is not an option; did you mean "weight"?',
  ],
  [
    { package: undefined },
    'package is missing; set the package of the proto file, as in orders.v1, or definition, a service of generated code',
  ],
  [{ package: 5 }, 'package is 5; use a non-empty string'],
  [{ package: ['echo.v1', ''] }, 'package[1] is ""; use a non-empty string'],
  [
    { package: 'echo.v2' },
    'package is "echo.v2", which the proto files do not define; did you mean "echo.v1"?; they define echo.v1',
  ],
  [{ package: 'constructor' }, 'package is "constructor", which the proto files do not define; they define echo.v1'],
  [{ package: 'echo' }, 'package is "echo", which has no service; use one of echo.v1'],
  [
    { protoPath: undefined },
    'protoPath is missing; set one of protoPath (a proto file), packageDefinition, and definition (a service of generated code)',
  ],
  [{ packageDefinition: {} }, 'protoPath is set together with packageDefinition; set either'],
  [
    { protoPath: '/nowhere/x.proto' },
    "protoPath cannot be loaded: ENOENT: no such file or directory, open '/nowhere/x.proto'; check the path",
  ],
  [
    { protoPath: undefined, packageDefinition: {} },
    'package is "echo.v1", which the proto files do not define; they define no package',
  ],
  [
    { protoLoader: 'no-such-loader' },
    'protoLoader cannot be loaded: Cannot find module \'no-such-loader\'; install "no-such-loader", or remove the option',
  ],
  [{ loader: 'json' }, 'loader is "json"; use an object'],
  [
    { credentials: {} },
    'credentials are not ChannelCredentials of the @grpc/grpc-js that this package uses; create them with',
  ],
  [{ channelOptions: 'x' }, 'channelOptions is "x"; use an object'],
  [
    serviceConfig('{oops'),
    'channelOptions["grpc.service_config"] is "{oops"; use JSON, as in JSON.stringify({ methodConfig: [...] })',
  ],
  [
    serviceConfig(JSON.stringify({ loadBalancingConfig: [{ round_robin: {} }] })),
    'channelOptions["grpc.service_config"].loadBalancingConfig has no effect here; set loadBalancing: { policy: ... } instead',
  ],
  [{ policy: 'random' }, 'policy is not an option here; move it to loadBalancing'],
  [{ pool: { size: 2 } }, 'pool is not an option here; move it to loadBalancing'],
  [serviceConfig({ methodConfig: [] }), 'channelOptions["grpc.service_config"] is {"methodConfig":[]}; use JSON'],
  [
    serviceConfig(
      JSON.stringify({ methodConfig: [{ name: [{ service: 'echo.v1.Echo' }], retryPolicy: { maxAttempts: 1 } }] }),
    ),
    'channelOptions are rejected by grpc-js: Invalid method config retry policy: maxAttempts must be an integer at least 2',
  ],
  [
    { target: 'static:///unix:/run/a.sock,b:1', credentials: credentials.createSsl() },
    "channelOptions[\"grpc.ssl_target_name_override\"] is missing: target \"static:///unix:/run/a.sock,b:1\" has no host name for TLS to verify the endpoints' certificates against; name it, as in { 'grpc.ssl_target_name_override': 'orders.internal' }",
  ],
  [{ interceptors: ['x'] }, 'interceptors is ["x"]; use an array of grpc-js interceptors'],
  [
    { keepalive: { keepaliveTimeMs: -1 } },
    'keepalive.keepaliveTimeMs is -1; use a whole number from 0 to 2147483647 (milliseconds)',
  ],
  [{ keepalive: { keepaliveTime: 1 } }, 'keepalive.keepaliveTime is not an option; did you mean "keepaliveTimeMs"?'],
  [
    { maxReceiveMessageLength: 1.5 },
    'maxReceiveMessageLength is 1.5; use a whole number from -1 to 2147483647 (bytes; -1 for no limit)',
  ],
  [
    { loadBalancing: { policy: 'least_reqest' } },
    'loadBalancing.policy is "least_reqest", which is not a known policy; did you mean "least_request"?; use one of least_request,',
  ],
  [
    { loadBalancing: { policy: { name: 'least_request', choiceCount: 1 } } },
    'loadBalancing.policy.choiceCount is 1; use a whole number from 2 to 1000',
  ],
  [
    { loadBalancing: { policy: { name: 'round_robin', choiceCount: 2 } } },
    'loadBalancing.policy.choiceCount is not an option; the options here are name',
  ],
  [{ loadBalancing: { pool: { size: 0 } } }, 'loadBalancing.pool.size is 0; use a whole number from 1 to 100'],
  [
    { loadBalancing: { pool: { size: 5, maxSize: 4 } } },
    'loadBalancing.pool.maxSize is 4, less than size 5; use 5 or more, or remove this option',
  ],
  [{ loadBalancing: { pool: { maxSise: 4 } } }, 'loadBalancing.pool.maxSise is not an option; did you mean "maxSize"?'],
  [{ loadBalancing: { polcy: 'random' } }, 'loadBalancing.polcy is not an option; did you mean "policy"?'],
  [{ protoPaht: 'x' }, 'protoPaht is not an option; did you mean "protoPath"?'],
];

describe('invalid options', () => {
  it.each(WRONG)('%j: the error names the client, the option, its value and the remedy', (options, line) => {
    const { message, faults, code, subject } = errorOf(options);
    expect(message.split('\n')).toEqual(['client ECHO: an option is invalid', expect.stringContaining(`  - ${line}`)]);
    expect({ code, subject, count: faults.length }).toEqual({
      code: 'GRPC_LB_INVALID_OPTIONS',
      subject: 'client ECHO',
      count: 1,
    });
  });

  it('are all reported at once', () => {
    const { message, faults } = errorOf({
      target: undefined,
      package: 'echo.v3',
      protoPaht: 'x',
      credentials: 'none',
      keepalive: { keepaliveTimeMs: 'soon' },
      loadBalancing: { policy: 'fastest', pool: { size: 0, maxPending: -1 } },
    });
    expect(message).toMatch(/^client ECHO: 8 options are invalid\n/);
    expect(faults.map(({ path }) => path).toSorted()).toEqual([
      'credentials',
      'keepalive.keepaliveTimeMs',
      'loadBalancing.policy',
      'loadBalancing.pool.maxPending',
      'loadBalancing.pool.size',
      'package',
      'protoPaht',
      'target',
    ]);
  });

  it('do not reveal secrets', () => {
    const secret = 's3cret';
    for (const options of [
      { credentials: secret },
      { credentials: { token: secret } },
      { credentials: credentials.createFromMetadataGenerator(() => secret) },
      { credentails: secret },
      { metadata: { authorization: secret } },
    ]) {
      expect(errorOf(options).message).not.toContain(secret);
    }
  });
});

describe('valid options', () => {
  it.each([
    ['a target without a scheme', { target: 'orders:50051' }],
    ['an url in the place of a target', { target: undefined, url: 'dns:///orders:50051' }],
    [
      'a target without a host, with the name that TLS verifies',
      {
        target: 'static:///unix:/run/a.sock,b:1',
        credentials: credentials.createSsl(),
        channelOptions: { 'grpc.ssl_target_name_override': 'orders.internal' },
      },
    ],
    ['several packages, of which one has services', { package: ['echo.v1', 'echo'] }],
    ['several proto files', { protoPath: [ECHO_PROTO] }],
    ['a package definition', { protoPath: undefined, packageDefinition: loadSync(ECHO_PROTO) }],
    ['no limit of the message length', { maxReceiveMessageLength: -1, maxSendMessageLength: -1 }],
    ['what only a server uses', { gracefulShutdown: true, onLoadPackageDefinition: () => {} }],
    ['options that are undefined', { keepalive: undefined, loadBalancing: undefined, credentials: undefined }],
  ])('are accepted: %s', (_, options) => {
    expect(create(options).snapshot()).toMatchObject({ client: 'ECHO', state: 'idle' });
  });

  it('are loaded once for each client, and stubs and clients are created once', () => {
    const client = create({});
    expect(client.getService('Echo')).toBe(client.getService('Echo'));
    expect(client.getService('Echo')).not.toBe(client.getService('Mirror'));
    expect(client.getClientByServiceName('Echo')).toBe(client.getClientByServiceName('Echo'));
  });
});

it('the first of two packages with a service of the same name is used', () => {
  const echo = loadSync(ECHO_PROTO);
  const service = echo['echo.v1.Mirror']!;
  const packageDefinition = { ...echo, 'other.v1.Echo': service };
  const methods = (packages: string[]): string[] =>
    Object.keys(create({ protoPath: undefined, packageDefinition, package: packages }).getService('Echo'));
  expect(methods(['echo.v1', 'other.v1'])).toContain('say');
  expect(methods(['other.v1', 'echo.v1'])).toEqual(['Look', 'look']);
});

it.each([
  ['Ecko', '; did you mean "Echo"?'],
  ['echo', '; did you mean "Echo"?'],
  ['Orders', ''],
])('a service %s that is not in the packages is an error with a suggestion', (service, suggestion) => {
  const client = create({});
  const message = `client ECHO: an option is invalid\n  - service is "${service}", which package echo.v1 does not have${suggestion}; it has Echo, Mirror`;
  expect(() => client.getService(service)).toThrow(message);
  expect(() => client.getClientByServiceName(service)).toThrow(message);
});

it('closing without a call in flight leaves no timer', () => {
  vi.useFakeTimers();
  try {
    create({}).close();
    expect(vi.getTimerCount()).toBe(0);
  } finally {
    vi.useRealTimers();
  }
});
