import { describe, expect, test } from 'vitest';
import { isPolicyName, POLICY_NAMES, policyCheck } from './policy-config.js';
import type { Fault } from './validation.js';

function faultsOf(value: unknown): string[] {
  const faults: Fault[] = [];
  policyCheck('policy', value, faults);
  return faults.map(({ path, message }) => `${path} ${message}`);
}

const ALL = 'least_request, round_robin, random, pick_first';

describe('a policy', () => {
  test.each(POLICY_NAMES)('%s is its name, or its config', (name) => {
    expect(isPolicyName(name)).toBe(true);
    expect(faultsOf(name)).toEqual([]);
    expect(faultsOf({ name })).toEqual([]);
  });

  test.each([
    ['leastRequest', '; did you mean "least_request"?'],
    ['roundrobin', '; did you mean "round_robin"?'],
    ['weighted_round_robin', ''],
    ['', ''],
    ['toString', ''],
  ])('%j is none', (name, meant) => {
    expect(isPolicyName(name)).toBe(false);
    expect(faultsOf(name)).toEqual([`policy is "${name}", which is no policy${meant}; use one of ${ALL}`]);
    expect(faultsOf({ name, choiceCount: 0 })).toEqual([
      `policy.name is "${name}", which is no policy${meant}; use one of ${ALL}`,
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
    expect(faultsOf(value)).toEqual([`policy.name is ${name}, which is no policy; use one of ${ALL}`]);
  });

  test.each<[unknown, string]>([
    [5, '5'],
    [null, 'null'],
    [true, 'true'],
    [[], '[]'],
    [['random'], '["random"]'],
    // A decorator's namesake without the brackets that call it.
    [function random() {}, 'a function'],
  ])('%o is neither a name nor a config', (value, text) => {
    expect(faultsOf(value)).toEqual([`policy is ${text}; use the name of a policy or an object with it: ${ALL}`]);
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

  test('the name of gRFC A48 is no option, and a slip gets a proposal', () => {
    expect(leastRequest({ choice_count: 2, bias: 1 })).toEqual([
      'policy.choice_count is not an option; did you mean "choiceCount"?',
      'policy.bias is not an option; the options here are name, choiceCount, activeRequestBias',
    ]);
  });
});

describe('other policies', () => {
  test('pick_first takes shuffleAddressList', () => {
    expect(faultsOf({ name: 'pick_first', shuffleAddressList: true })).toEqual([]);
    expect(faultsOf({ name: 'pick_first', shuffleAddressList: 'yes' })).toEqual([
      'policy.shuffleAddressList is "yes"; use true or false',
    ]);
  });

  test.each(['round_robin', 'random'])('%s takes nothing', (name) => {
    expect(faultsOf({ name, choiceCount: 2 })).toEqual([
      'policy.choiceCount is not an option; the options here are name',
    ]);
  });

  test('what one policy takes another does not', () => {
    expect(faultsOf({ name: 'pick_first', choiceCount: 2 })).toHaveLength(1);
    expect(faultsOf({ name: 'least_request', shuffleAddressList: true })).toHaveLength(1);
  });
});
