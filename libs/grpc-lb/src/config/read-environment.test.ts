import { describe, expect, test } from 'vitest';
import { POLICY_NAMES } from '../core/options/policy-config.js';
import type { Fault } from '../core/errors.js';
import { readEnvironment, VARIABLES } from './read-environment.js';

/** The overrides of an environment without faults. */
function read(environment: Record<string, unknown>): unknown {
  const faults: Fault[] = [];
  const overrides = readEnvironment(environment, faults);
  expect(faults).toEqual([]);
  return overrides;
}

function faultsOf(environment: Record<string, unknown>): string[] {
  const faults: Fault[] = [];
  readEnvironment(environment, faults);
  return faults.map(({ path, message }) => `${path} ${message}`);
}

const POLICIES = POLICY_NAMES.join(', ');
const ALL = VARIABLES.join(', ');

describe('variables', () => {
  test.each([
    ['TARGET', 'dns:///orders:50051', { target: 'dns:///orders:50051' }],
    ['POLICY', 'round_robin', { loadBalancing: { policy: 'round_robin' } }],
    ['POOL_SIZE', '8', { loadBalancing: { pool: { size: 8 } } }],
    ['POOL_MAX_SIZE', '9', { loadBalancing: { pool: { maxSize: 9 } } }],
    ['POOL_MAX_CONCURRENT_STREAMS', '50', { loadBalancing: { pool: { maxConcurrentStreams: 50 } } }],
    ['POOL_MAX_PENDING', '0', { loadBalancing: { pool: { maxPending: 0 } } }],
    ['POOL_MAX_CONNECTION_AGE', '60000', { loadBalancing: { pool: { maxConnectionAge: 60_000 } } }],
    ['POOL_IDLE_TIMEOUT', '5000', { loadBalancing: { pool: { idleTimeout: 5000 } } }],
    ['POOL_CONNECT_TIMEOUT', '250', { loadBalancing: { pool: { connectTimeout: 250 } } }],
    ['POOL_PING_AFTER', '0', { loadBalancing: { pool: { pingAfter: 0 } } }],
    ['POOL_SUSPECT_AFTER', '300', { loadBalancing: { pool: { suspectAfter: 300 } } }],
    ['POOL_PING_TIMEOUT', '500', { loadBalancing: { pool: { pingTimeout: 500 } } }],
    ['HEALTH_ENABLED', 'false', { loadBalancing: { health: { enabled: false } } }],
    ['HEALTH_SERVICE', 'orders.v1.Orders', { loadBalancing: { health: { service: 'orders.v1.Orders' } } }],
    ['HEALTH_METADATA', '{"x-key":"a"}', { loadBalancing: { health: { metadata: { 'x-key': 'a' } } } }],
    ['HEALTH_PANIC_THRESHOLD', '0', { loadBalancing: { health: { panicThreshold: 0 } } }],
    ['EJECTION_ENABLED', 'true', { loadBalancing: { ejection: { enabled: true } } }],
    ['SLOW_START_ENABLED', 'false', { loadBalancing: { slowStart: { enabled: false } } }],
    ['SUBSET_SIZE', '20', { loadBalancing: { subset: { size: 20 } } }],
    ['SUBSET_ALGORITHM', 'random', { loadBalancing: { subset: { algorithm: 'random' } } }],
    ['SUBSET_CLIENTS', '12', { loadBalancing: { subset: { clients: 12 } } }],
    ['SUBSET_INDEX', '0', { loadBalancing: { subset: { index: 0 } } }],
    ['LOCALITY_ENABLED', 'false', { loadBalancing: { locality: { enabled: false } } }],
    ['LOCALITY_ZONE', 'eu-central-1a', { loadBalancing: { locality: { zone: 'eu-central-1a' } } }],
    ['LOCALITY_ZONE_FILE', '/etc/zone', { loadBalancing: { locality: { zoneFile: '/etc/zone' } } }],
    ['LOCALITY_MIN_CROSS_ZONE_SHARE', '0.05', { loadBalancing: { locality: { minCrossZoneShare: 0.05 } } }],
    ['LOCALITY_SPILL_RATIO', '2', { loadBalancing: { locality: { spillRatio: 2 } } }],
    ['LOCALITY_SPILL_UTILIZATION', '0.1', { loadBalancing: { locality: { spillUtilization: 0.1 } } }],
    ['RETRY_MAX_ATTEMPTS', '1', { loadBalancing: { retry: { maxAttempts: 1 } } }],
    ['RETRY_ATTEMPT_TIMEOUT', '250', { loadBalancing: { retry: { attemptTimeout: 250 } } }],
    ['RETRY_BUDGET_RATIO', '0.1', { loadBalancing: { retry: { budget: { ratio: 0.1 } } } }],
    ['STREAMS_REBALANCE', 'false', { loadBalancing: { streams: { rebalance: false } } }],
    ['STREAMS_REBALANCE', '{"interval":30000}', { loadBalancing: { streams: { rebalance: { interval: 30_000 } } } }],
    ['RETRY_BUDGET_MIN_PER_SECOND', '0', { loadBalancing: { retry: { budget: { minPerSecond: 0 } } } }],
    ['HEDGE_MAX_ATTEMPTS', '3', { loadBalancing: { hedge: { maxAttempts: 3 } } }],
    ['HEDGE_MAX_SHARE', '0.1', { loadBalancing: { hedge: { maxShare: 0.1 } } }],
    ['HEDGE_DELAY', '20', { loadBalancing: { hedge: { delay: 20 } } }],
    ['HEDGE_DELAY', ' p99.9\n', { loadBalancing: { hedge: { delay: 'p99.9' } } }],
    ['DEADLINE_TIMEOUT', '1000', { loadBalancing: { deadline: { timeout: 1000 } } }],
    ['CRITICALITY', 'sheddable', { loadBalancing: { criticality: 'sheddable' } }],
    ['DEADLINE_INHERIT', 'false', { loadBalancing: { deadline: { inherit: false } } }],
    ['TLS_CA', '/tls/ca.crt', { tls: { ca: '/tls/ca.crt' } }],
    ['TLS_CERT', '/tls/tls.crt', { tls: { cert: '/tls/tls.crt' } }],
    ['TLS_KEY', '/tls/tls.key', { tls: { key: '/tls/tls.key' } }],
    ['TLS_SERVER_NAME', 'orders', { tls: { serverName: 'orders' } }],
    ['TLS_SERVER_NAME', 'orders.us  orders.eu', { tls: { serverName: ['orders.us', 'orders.eu'] } }],
    ['TLS_SPIFFE_IDS', 'spiffe://a/b,spiffe://a/c', { tls: { spiffeIds: ['spiffe://a/b', 'spiffe://a/c'] } }],
    ['TLS_MIN_VERSION', 'TLSv1.3', { tls: { minVersion: 'TLSv1.3' } }],
    ['TLS_REFRESH_INTERVAL', '5000', { tls: { refreshInterval: 5000 } }],
    ['TLS_EXPIRY_WARNING', '0', { tls: { expiryWarning: 0 } }],
    ['TLS_REPLACE_WITHIN', '0', { tls: { replaceWithin: 0 } }],
  ])('GRPC_LB_<CLIENT>_%s=%s', (name, text, expected) => {
    expect(VARIABLES).toContain(name);
    expect(read({ [`GRPC_LB_ORDERS_${name}`]: text })).toEqual({ ORDERS: expected });
  });

  test('this list is complete, and none is a suffix of another', () => {
    expect(VARIABLES).toHaveLength(50);
    for (const each of VARIABLES) expect(VARIABLES.filter((other) => `_${other}`.endsWith(`_${each}`))).toEqual([each]);
  });

  test('those of one client are merged in any order, those of different clients stay separate', () => {
    const variables = {
      GRPC_LB_ORDERS_POOL_SIZE: '2',
      GRPC_LB_ORDERS_POLICY: 'random',
      GRPC_LB_STOCK_POLICY: 'pick_first',
      GRPC_LB_ORDERS_TARGET: 'static:///a:1',
      GRPC_LB_ORDERS_POOL_MAX_SIZE: '6',
    };
    const expected = {
      ORDERS: { target: 'static:///a:1', loadBalancing: { policy: 'random', pool: { size: 2, maxSize: 6 } } },
      STOCK: { loadBalancing: { policy: 'pick_first' } },
    };
    expect(read(variables)).toEqual(expected);
    expect(read(Object.fromEntries(Object.entries(variables).toReversed()))).toEqual(expected);
  });

  test('the parts of a budget are merged', () => {
    expect(read({ GRPC_LB_A_RETRY_BUDGET_RATIO: '0.5', GRPC_LB_A_RETRY_BUDGET_MIN_PER_SECOND: '2' })).toEqual({
      A: { loadBalancing: { retry: { budget: { ratio: 0.5, minPerSecond: 2 } } } },
    });
  });

  test('a client’s name may contain underscores, even a variable name', () => {
    expect(
      read({
        GRPC_LB_ORDERS_POOL_CLIENT_POOL_SIZE: '3',
        GRPC_LB_ORDERS_POOL_CLIENT_TARGET: 'a:1',
        GRPC_LB_TARGET_POLICY_POLICY: 'random',
        GRPC_LB_A_POOL_MAX_POOL_SIZE: '4',
        GRPC_LB_A_POOL_MAX_SIZE: '5',
      }),
    ).toEqual({
      ORDERS_POOL_CLIENT: { target: 'a:1', loadBalancing: { pool: { size: 3 } } },
      TARGET_POLICY: { loadBalancing: { policy: 'random' } },
      A_POOL_MAX: { loadBalancing: { pool: { size: 4 } } },
      A: { loadBalancing: { pool: { maxSize: 5 } } },
    });
  });

  test('an empty one counts as absent, known or not', () => {
    expect(
      read({ GRPC_LB_ORDERS_TARGET: '', GRPC_LB_ORDERS_POOL_SIZE: '', GRPC_LB_ODD: '', GRPC_LB_X_POLICY: undefined }),
    ).toEqual({});
  });

  test('unrelated ones are ignored', () => {
    expect(
      read({ PATH: '/bin', GRPC_TRACE: 'all', GRPC_LBX_TARGET: 'x', MY_GRPC_LB_A_TARGET: 'x', grpc_lb_a_target: 'x' }),
    ).toEqual({});
  });
});

describe('values', () => {
  test('a policy may be its options as JSON', () => {
    const policy = { name: 'least_request', choiceCount: 3, activeRequestBias: 0.5 };
    expect(read({ GRPC_LB_ORDERS_POLICY: ` ${JSON.stringify(policy)}` })).toEqual({
      ORDERS: { loadBalancing: { policy } },
    });
  });

  test('blanks around a policy or a number are ignored', () => {
    expect(read({ GRPC_LB_ORDERS_POLICY: ' random\n', GRPC_LB_ORDERS_POOL_SIZE: ' 8 ' })).toEqual({
      ORDERS: { loadBalancing: { policy: 'random', pool: { size: 8 } } },
    });
  });

  test('a value that a schema has already converted to a number or a boolean is accepted', () => {
    expect(read({ GRPC_LB_ORDERS_POOL_SIZE: 8, GRPC_LB_ORDERS_HEALTH_ENABLED: false })).toEqual({
      ORDERS: { loadBalancing: { pool: { size: 8 }, health: { enabled: false } } },
    });
  });

  test.each([
    ['true', true],
    ['TRUE', true],
    [' False\n', false],
  ])('a switch is %j', (text, enabled) => {
    expect(read({ GRPC_LB_ORDERS_EJECTION_ENABLED: text })).toEqual({
      ORDERS: { loadBalancing: { ejection: { enabled } } },
    });
  });

  test.each([
    ['POOL_SIZE', 'many', 'is "many"; use a whole number from 1 to 100'],
    ['POOL_SIZE', ' ', 'is " "; use a whole number from 1 to 100'],
    ['POOL_SIZE', '0', 'is 0; use a whole number from 1 to 100'],
    ['POOL_SIZE', '1.5', 'is 1.5; use a whole number from 1 to 100'],
    ['POOL_SIZE', 'Infinity', 'is Infinity; use a whole number from 1 to 100'],
    ['POOL_MAX_CONCURRENT_STREAMS', '10k', 'is "10k"; use a whole number from 1 to 1000000'],
    ['POOL_CONNECT_TIMEOUT', '5s', 'is "5s"; use a whole number from 10 to 600000 (milliseconds)'],
    ['HEALTH_ENABLED', 'yes', 'is "yes"; use true or false'],
    ['EJECTION_ENABLED', '1', 'is "1"; use true or false'],
    ['SLOW_START_ENABLED', 'off', 'is "off"; use true or false'],
    [
      'HEALTH_METADATA',
      'Bearer secret',
      "is not an object; use an object of keys and values, as in { authorization: 'Bearer ...' }",
    ],
    ['HEALTH_PANIC_THRESHOLD', '50%', 'is "50%"; use a whole number from 0 to 100'],
    ['SUBSET_SIZE', '0', 'is 0; use a whole number from 1 to 1000'],
    ['SUBSET_ALGORITHM', 'rendom', 'is "rendom"; use one of random, deterministic_aperture; did you mean "random"?'],
    ['SUBSET_INDEX', 'pod-3', 'is "pod-3"; use a whole number from 0 to 99999'],
    ['LOCALITY_ENABLED', 'yes', 'is "yes"; use true or false'],
    ['LOCALITY_ZONE', ' ', 'is ""; use a non-empty string, as in "eu-central-1a"'],
    ['LOCALITY_SPILL_RATIO', '1', 'is 1; use a number from 1.1 to 10'],
    ['RETRY_MAX_ATTEMPTS', '0', 'is 0; use a whole number from 1 to 5'],
    ['RETRY_MAX_ATTEMPTS', '6', 'is 6; use a whole number from 1 to 5'],
    ['STREAMS_REBALANCE', 'off', 'is "off"; use true, false, or an object with interval, streamsPerMove, threshold'],
    ['STREAMS_REBALANCE', '{"interval":1}', 'interval is 1; use a whole number from 100 to 3600000 (milliseconds)'],
    ['RETRY_BUDGET_RATIO', '20%', 'is "20%"; use a number from 0 to 1'],
    [
      'HEDGE_DELAY',
      '20ms',
      'is "20ms"; use a whole number from 0 to 60000 (milliseconds), or one of p50, p75, p90, p95, p98, p99, p99.9',
    ],
    ['TLS_MIN_VERSION', 'TLSv1', 'is "TLSv1"; use one of TLSv1.2, TLSv1.3; did you mean "TLSv1.2"?'],
    [
      'TLS_SPIFFE_IDS',
      'spiffe://a b',
      '[1] is "b"; use a SPIFFE id, as in spiffe://example.org/ns/shop/sa/orders, or all below a path, as in spiffe://example.org/ns/shop/*',
    ],
    ['DEADLINE_TIMEOUT', '1s', 'is "1s"; use a whole number from 1 to 86400000 (milliseconds)'],
    [
      'POLICY',
      'roundrobin',
      `is "roundrobin", which is not a known policy; did you mean "round_robin"?; use one of ${POLICIES}`,
    ],
    [
      'POLICY',
      '{"name":"random"',
      `is "{\\"name\\":\\"random\\"", which is not a known policy; use one of ${POLICIES}`,
    ],
    ['POLICY', '{"name":"rnd"}', `name is "rnd", which is not a known policy; use one of ${POLICIES}`],
    ['POLICY', '{"name":"least_request","choiceCount":1}', 'choiceCount is 1; use a whole number from 2 to 1000'],
    [
      'POLICY',
      '{"name":"least_request","choices":3}',
      'choices is not an option; the options here are name, choiceCount, activeRequestBias',
    ],
    ['POLICY', '{"name":"random","__proto__":{}}', '__proto__ is not an option; the options here are name'],
  ])('%s=%s', (name, text, message) => {
    expect(faultsOf({ [`GRPC_LB_ORDERS_${name}`]: text })).toEqual([`GRPC_LB_ORDERS_${name} ${message}`]);
  });

  test('an invalid option is left out; the other ones of its client are read', () => {
    const faults: Fault[] = [];
    const overrides = readEnvironment(
      { GRPC_LB_A_POOL_SIZE: '2', GRPC_LB_A_POOL_MAX_PENDING: 'x', GRPC_LB_A_POLICY: 'random' },
      faults,
    );
    expect(faults).toHaveLength(1);
    expect(overrides).toEqual({ A: { loadBalancing: { pool: { size: 2 }, policy: 'random' } } });
  });
});

describe('several targets', () => {
  test.each<[string, object]>([
    [
      'kubernetes:///orders.shop:grpc dns:///orders.eu:50051',
      { targets: ['kubernetes:///orders.shop:grpc', 'dns:///orders.eu:50051'] },
    ],
    ['  a:1\t b:2\n  c:3 ', { targets: ['a:1', 'b:2', 'c:3'] }],
    // Spaces in a list belong to it.
    ['static:///a:1, b:2;weight=2 ,c:3', { target: 'static:///a:1, b:2;weight=2 ,c:3' }],
    [
      'static:///a:1,  b:2   static:///c:3 ; weight=2',
      { targets: ['static:///a:1,  b:2', 'static:///c:3 ; weight=2'] },
    ],
    [' a:1 ', { target: ' a:1 ' }],
  ])('are separated by spaces: %j', (text, expected) => {
    expect(read({ GRPC_LB_A_TARGET: text })).toEqual({ A: expected });
  });
});

test('the zone and the node of the process are not variables of a client', () => {
  expect(read({ GRPC_LB_ZONE: 'eu-central-1a', GRPC_LB_NODE: 'node-1', GRPC_LB_A_LOCALITY_ENABLED: 'true' })).toEqual({
    A: { loadBalancing: { locality: { enabled: true } } },
  });
});

describe('variables that do not exist', () => {
  test.each([
    ['ORDERS_TARGT', 'TARGET'],
    ['ORDERS_POLICYS', 'POLICY'],
    ['ORDERS_POOL_SZIE', 'POOL_SIZE'],
    ['ORDERS_POOLSIZE', 'POOL_SIZE'],
    ['ORDERS_POOL_MAXSIZE', 'POOL_MAX_SIZE'],
    ['MY_ORDERS_POOL_MAX_SIZ', 'POOL_MAX_SIZE'],
    ['ORDERS_POOL_MAX_CONCURENT_STREAMS', 'POOL_MAX_CONCURRENT_STREAMS'],
    ['ORDERS_target', 'TARGET'],
    ['ORDERS_HEALTH_SERVISE', 'HEALTH_SERVICE'],
    ['ORDERS_SLOWSTART_ENABLED', 'SLOW_START_ENABLED'],
    ['ORDERS_SUBSET_SISE', 'SUBSET_SIZE'],
    ['ORDERS_LOCALITY_ZONEFILE', 'LOCALITY_ZONE_FILE'],
    ['ORDERS_RETRY_MAX_ATEMPTS', 'RETRY_MAX_ATTEMPTS'],
    ['ORDERS_DEADLINE_TIMOUT', 'DEADLINE_TIMEOUT'],
  ])('GRPC_LB_%s: did you mean %s?', (rest, meant) => {
    expect(faultsOf({ [`GRPC_LB_${rest}`]: 'x' })).toEqual([
      `GRPC_LB_${rest} ("${rest}") is not a variable of this package; did you mean "${meant}"?; the names after GRPC_LB_<CLIENT>_ are ${ALL}`,
    ]);
  });

  test('several targets go into TARGET', () => {
    expect(faultsOf({ GRPC_LB_ORDERS_TARGETS: 'a:1 b:1' })).toEqual([
      `GRPC_LB_ORDERS_TARGETS ("ORDERS_TARGETS") is not a variable of this package; did you mean "TARGET"?; it takes several, separated by spaces; the names after GRPC_LB_<CLIENT>_ are ${ALL}`,
    ]);
  });

  test.each(['GRPC_LB_ZNE', 'GRPC_LB_ZONES', 'GRPC_LB_zone'])('%s gets GRPC_LB_ZONE as a suggestion', (variable) => {
    expect(faultsOf({ [variable]: 'a' })[0]).toContain(
      'is not a variable of this package; did you mean "GRPC_LB_ZONE"?;',
    );
  });

  test('one without a similar name gets the list of variables', () => {
    expect(faultsOf({ GRPC_LB_ORDERS_RETRIES: '3' })).toEqual([
      `GRPC_LB_ORDERS_RETRIES ("ORDERS_RETRIES") is not a variable of this package; the names after GRPC_LB_<CLIENT>_ are ${ALL}`,
    ]);
  });

  test.each(['TARGET', '_TARGET', 'POOL_SIZE', '_POOL_SIZE', 'POLICY'])('GRPC_LB_%s lacks a client name', (rest) => {
    const variable = rest.replace(/^_/, '');
    expect(faultsOf({ [`GRPC_LB_${rest}`]: '1' })).toEqual([
      `GRPC_LB_${rest} has no client name; write GRPC_LB_<CLIENT>_${variable}, with the name of the client in upper snake case`,
    ]);
  });

  test('names of built-in object properties are valid client names', () => {
    const overrides = readEnvironment({ GRPC_LB___proto___TARGET: 'a:1', GRPC_LB_constructor_POOL_SIZE: '2' }, []);
    expect(Object.entries(overrides)).toEqual([
      ['__proto__', { target: 'a:1' }],
      ['constructor', { loadBalancing: { pool: { size: 2 } } }],
    ]);
    expect({}).not.toHaveProperty('target');
  });

  test('all faults are reported in the order of the environment', () => {
    const paths = faultsOf({
      GRPC_LB_A_POOL_SIZE: '0',
      GRPC_LB_ODD: '1',
      GRPC_LB_B_TARGET: 'b:1',
      GRPC_LB_A_POLICY: 'x',
    });
    expect(paths.map((text) => text.split(' ')[0])).toEqual(['GRPC_LB_A_POOL_SIZE', 'GRPC_LB_ODD', 'GRPC_LB_A_POLICY']);
  });
});
