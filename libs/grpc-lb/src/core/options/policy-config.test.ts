import { describe, expect, test } from 'vitest';
import { isPolicyName, POLICY_NAMES, policyCheck } from './policy-config.js';
import type { Fault } from '../errors.js';

function faultsOf(value: unknown): string[] {
  const faults: Fault[] = [];
  policyCheck('policy', value, faults);
  return faults.map(({ path, message }) => `${path} ${message}`);
}

const ALL = POLICY_NAMES.join(', ');

describe('a policy', () => {
  test.each(POLICY_NAMES.filter((name) => name !== 'ring_hash'))('%s is given by name or by config', (name) => {
    expect(isPolicyName(name)).toBe(true);
    expect(faultsOf(name)).toEqual([]);
    expect(faultsOf({ name })).toEqual([]);
  });

  test.each([
    ['leastRequest', '; did you mean "least_request"?'],
    ['roundrobin', '; did you mean "round_robin"?'],
    ['nearest_first', ''],
    ['', ''],
    ['toString', ''],
  ])('%j is not a policy', (name, meant) => {
    expect(isPolicyName(name)).toBe(false);
    expect(faultsOf(name)).toEqual([`policy is "${name}", which is not a known policy${meant}; use one of ${ALL}`]);
    expect(faultsOf({ name, choiceCount: 0 })).toEqual([
      `policy.name is "${name}", which is not a known policy${meant}; use one of ${ALL}`,
    ]);
  });

  test.each<[unknown, string]>([
    [{}, 'undefined'],
    [{ choiceCount: 2 }, 'undefined'],
    [{ name: 5 }, '5'],
    [{ name: null }, 'null'],
    [{ name: ['random'] }, '["random"]'],
    [{ name: { toString: 1 } }, '{"toString":1}'],
  ])('%j has no name', (value, name) => {
    expect(faultsOf(value)).toEqual([`policy.name is ${name}, which is not a known policy; use one of ${ALL}`]);
  });

  test.each<[unknown, string]>([
    [5, '5'],
    [null, 'null'],
    [true, 'true'],
    [[], '[]'],
    [['random'], '["random"]'],
    // The decorator of the same name, without parentheses.
    [function random() {}, 'a function'],
  ])('%o is neither a name nor a config', (value, text) => {
    expect(faultsOf(value)).toEqual([`policy is ${text}; use a policy name, or an object with a name: ${ALL}`]);
  });
});

describe('least_request', () => {
  const leastRequest = (options: object): string[] => faultsOf({ name: 'least_request', ...options });

  test.each([2, 10, 1000, undefined])('choiceCount may be %s', (choiceCount) => {
    expect(leastRequest({ choiceCount })).toEqual([]);
  });

  test.each([1, 0, -2, 1001, 2.5, NaN, Infinity, '2', null])('choiceCount may not be %s', (choiceCount) => {
    expect(leastRequest({ choiceCount })).toEqual([
      `policy.choiceCount is ${typeof choiceCount === 'string' ? '"2"' : choiceCount}; use a whole number from 2 to 1000`,
    ]);
  });

  test.each([0, 0.5, 1, 10, undefined])('activeRequestBias may be %s', (activeRequestBias) => {
    expect(leastRequest({ activeRequestBias })).toEqual([]);
  });

  test.each([-0.1, 10.5, NaN, Infinity, null, true])('activeRequestBias may not be %s', (activeRequestBias) => {
    expect(leastRequest({ activeRequestBias })).toEqual([
      `policy.activeRequestBias is ${activeRequestBias}; use a number from 0 to 10`,
    ]);
  });

  test('the name from gRFC A48 is not an option, and a misspelling gets a suggestion', () => {
    expect(leastRequest({ choice_count: 2, bias: 1 })).toEqual([
      'policy.choice_count is not an option; did you mean "choiceCount"?',
      'policy.bias is not an option; the options here are name, choiceCount, activeRequestBias',
    ]);
  });
});

describe('policies by latency', () => {
  test.each([100, 10_000, 600_000, undefined])('decayTime of peak_ewma may be %s', (decayTime) => {
    expect(faultsOf({ name: 'peak_ewma', decayTime })).toEqual([]);
  });

  test.each([99, 600_001, 1000.5, NaN, null])('decayTime of peak_ewma may not be %s', (decayTime) => {
    expect(faultsOf({ name: 'peak_ewma', decayTime })).toEqual([
      `policy.decayTime is ${decayTime}; use a whole number from 100 to 600000 (milliseconds)`,
    ]);
  });

  test.each([0, 0.84, 1, undefined])('hotQuantile of hot_cold may be %s', (hotQuantile) => {
    expect(faultsOf({ name: 'hot_cold', hotQuantile })).toEqual([]);
  });

  test.each([-0.1, 84, NaN, null])('hotQuantile of hot_cold may not be %s', (hotQuantile) => {
    expect(faultsOf({ name: 'hot_cold', hotQuantile })).toEqual([
      `policy.hotQuantile is ${hotQuantile}; use a number from 0 to 1`,
    ]);
  });
});

describe('other policies', () => {
  test('pick_first accepts shuffleAddressList', () => {
    expect(faultsOf({ name: 'pick_first', shuffleAddressList: true })).toEqual([]);
    expect(faultsOf({ name: 'pick_first', shuffleAddressList: 'yes' })).toEqual([
      'policy.shuffleAddressList is "yes"; use true or false',
    ]);
  });

  test.each(['adaptive', 'round_robin', 'random'])('%s accepts no options', (name) => {
    expect(faultsOf({ name, choiceCount: 2 })).toEqual([
      'policy.choiceCount is not an option; the options here are name',
    ]);
  });

  test('an option of one policy is rejected for another', () => {
    expect(faultsOf({ name: 'pick_first', choiceCount: 2 })).toHaveLength(1);
    expect(faultsOf({ name: 'least_request', shuffleAddressList: true })).toHaveLength(1);
  });
});

describe('weighted_round_robin', () => {
  const weighted = (options: object): string[] => faultsOf({ name: 'weighted_round_robin', ...options });

  test('accepts the options of gRFC A58', () => {
    const periods = { blackoutPeriod: 0, weightExpirationPeriod: 60_000, weightUpdatePeriod: 100 };
    expect(weighted({ ...periods, errorUtilizationPenalty: 0.5 })).toEqual([]);
    expect(weighted({ enableOobLoadReport: true, oobReportingPeriod: 1000 })).toEqual([]);
    expect(weighted({ weights: 'fixed' })).toEqual([]);
    const metrics = ['named_metrics.a.b', 'utilization.disk', 'mem_utilization'];
    expect(weighted({ metricNamesForComputingUtilization: metrics })).toEqual([]);
  });

  test.each([
    [{ weights: 'fixd' }, 'policy.weights is "fixd"; use one of reported, fixed; did you mean "fixed"?'],
    [
      { weightUpdatePeriod: 99 },
      'policy.weightUpdatePeriod is 99; use a whole number from 100 to 60000 (milliseconds)',
    ],
    [
      { metricNamesForComputingUtilization: ['queue'] },
      'policy.metricNamesForComputingUtilization[0] is "queue"; use application_utilization, cpu_utilization, mem_utilization, named_metrics.<name>, utilization.<name>',
    ],
    [{ errorUtilizationPenalty: -1 }, 'policy.errorUtilizationPenalty is -1; use a number from 0 to 1000'],
    [
      { weights: 'fixed', blackoutPeriod: 0 },
      'policy.blackoutPeriod has no effect with weights "fixed"; remove this option, or set weights: "reported"',
    ],
    [
      { oobReportingPeriod: 1000 },
      'policy.oobReportingPeriod has no effect without enableOobLoadReport: true; set enableOobLoadReport: true, or remove this option',
    ],
  ])('%j is rejected', (options, fault) => expect(weighted(options)).toEqual([fault]));
});

describe('ring_hash', () => {
  const ring = (options: object): string[] => faultsOf({ name: 'ring_hash', ...options });
  const remedy = "'x-session-id', { field: 'customer.id' } or a function";

  test.each([
    { by: 'x-session-id' },
    { by: 'X-Session-Id' },
    { by: { field: 'id' } },
    { by: { field: 'customer.account_id' } },
    { by: () => 'x' },
    { by: 'x', boundedLoad: 1.25 },
    { by: 'x', ring: 'steady' },
    { by: 'x', ring: 'grpc', minRingSize: 10, maxRingSize: 8_388_608 },
  ])('%o is valid', (options) => expect(ring(options)).toEqual([]));

  test('needs a hash key, even if only its name is given', () => {
    const missing = `policy.by is missing; name the key that keeps calls together: ${remedy}`;
    expect(ring({})).toEqual([missing]);
    expect(faultsOf('ring_hash')).toEqual([missing]);
    expect(isPolicyName('ring_hash')).toBe(true);
  });

  test.each([
    [{ by: 'session id' }, `policy.by is "session id", which is not a metadata key; write ${remedy}`],
    [{ by: '' }, `policy.by is "", which is not a metadata key; write ${remedy}`],
    [{ by: 'x-id-bin' }, 'policy.by is "x-id-bin", a binary metadata key; use an ASCII key, or a function'],
    [{ by: { field: 'a..b' } }, `policy.by is {"field":"a..b"}; use a metadata key, a field or a function: ${remedy}`],
    [
      { by: { field: 'a', header: 'b' } },
      `policy.by is {"field":"a","header":"b"}; use a metadata key, a field or a function: ${remedy}`,
    ],
    [{ by: null }, `policy.by is null; use a metadata key, a field or a function: ${remedy}`],
    [{ by: 'x', boundedLoad: 1 }, 'policy.boundedLoad is 1; use a number from 1.01 to 10'],
    [
      { by: 'x', minRingSize: 5 },
      "policy.minRingSize has no effect without ring: 'grpc'; set ring: 'grpc', or remove this option",
    ],
    [
      { by: 'x', ring: 'grpc', minRingSize: 5000 },
      'policy.maxRingSize is 4096, less than minRingSize 5000; use minRingSize or more',
    ],
    [
      { by: 'x', ring: 'grpc', maxRingSize: 8_388_609 },
      'policy.maxRingSize is 8388609; use a whole number from 1 to 8388608',
    ],
  ])('%j is rejected', (options, fault) => expect(ring(options)).toEqual([fault]));
});
