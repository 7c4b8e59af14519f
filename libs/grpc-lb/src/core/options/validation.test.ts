import { inspect } from 'node:util';
import { describe, expect, test } from 'vitest';
import { faultsOf } from '../../../../../test/support/options/faults.js';
import { GrpcLbOptionsError } from '../errors.js';
import { boolean, didYouMean, fields, integer, listOf, number, oneOf, recordOf, shown } from './validation.js';

describe('shown', () => {
  const circular: Record<string, unknown> = {};
  circular['self'] = circular;

  test.each<[unknown, string]>([
    ['a "b"', '"a \\"b\\""'],
    ['two\nlines', '"two\\nlines"'],
    [8, '8'],
    [NaN, 'NaN'],
    [-Infinity, '-Infinity'],
    [undefined, 'undefined'],
    [null, 'null'],
    [10n, '10n'],
    [Symbol('s'), 'Symbol(s)'],
    [() => 1, 'a function'],
    [{ a: [1] }, '{"a":[1]}'],
    [{ a: 1n }, 'an object'],
    [circular, 'an object'],
    [{ toJSON: () => undefined }, 'an object'],
  ])('%o', (value, text) => {
    expect(shown(value)).toBe(text);
  });

  test('a long value is truncated to 60 characters', () => {
    expect(shown('x'.repeat(100))).toBe(`"${'x'.repeat(56)}...`);
    expect(shown({ evil: '\u202e\u009b\u007f' })).toBe('{"evil":"\\u202e\\u009b\\u007f"}');
    expect(shown('x'.repeat(58))).toBe(`"${'x'.repeat(58)}"`);
  });
});

describe('checks', () => {
  const never = ['8', null, undefined, true, [], {}, 8n, NaN, Infinity, -Infinity];

  test.each([3, 4, 9])('integer: %d is in the range', (value) => {
    expect(faultsOf(integer({ min: 3, max: 9 }), value)).toEqual([]);
  });

  test.for<unknown>([2, 10, 3.5, ...never])('integer: %o is not', (value) => {
    expect(faultsOf(integer({ min: 3, max: 9 }), value)).toEqual([
      `at is ${shown(value)}; use a whole number from 3 to 9`,
    ]);
  });

  test.each([0, 0.5, 10])('number: %d is in the range', (value) => {
    expect(faultsOf(number({ min: 0, max: 10 }), value)).toEqual([]);
  });

  test.for<unknown>([-0.1, 10.1, ...never])('number: %o is not', (value) => {
    expect(faultsOf(number({ min: 0, max: 10 }), value)).toEqual([`at is ${shown(value)}; use a number from 0 to 10`]);
  });

  test('a unit follows the range', () => {
    const range = { min: 1, max: 2, unit: 'milliseconds' };
    expect(faultsOf(integer(range), 3)).toEqual(['at is 3; use a whole number from 1 to 2 (milliseconds)']);
    expect(faultsOf(number(range), 3)).toEqual(['at is 3; use a number from 1 to 2 (milliseconds)']);
  });

  test('boolean accepts only true and false', () => {
    expect([true, false].flatMap((value) => faultsOf(boolean, value))).toEqual([]);
    for (const value of ['true', 1, 0, null, undefined]) {
      expect(faultsOf(boolean, value)).toEqual([`at is ${shown(value)}; use true or false`]);
    }
  });

  test('oneOf accepts its names, and suggests one for a misspelling', () => {
    const check = oneOf(['fast', 'slow']);
    expect(faultsOf(check, 'fast')).toEqual([]);
    expect(faultsOf(check, 'fats')).toEqual(['at is "fats"; use one of fast, slow; did you mean "fast"?']);
    expect(faultsOf(check, 1)).toEqual(['at is 1; use one of fast, slow']);
  });
});

describe('listOf', () => {
  const check = listOf(oneOf(['fast', 'slow']), 'an array of speeds');

  test('accepts an array, even an empty one, and checks each item under its index', () => {
    expect(faultsOf(check, [])).toEqual([]);
    expect(faultsOf(check, ['fast', 'slow', 'fast'])).toEqual([]);
    expect(faultsOf(check, ['fast', 'flow', 1])).toEqual([
      'at[1] is "flow"; use one of fast, slow; did you mean "slow"?',
      'at[2] is 1; use one of fast, slow',
    ]);
  });

  test.for<unknown>(['fast', null, undefined, { 0: 'fast', length: 1 }, new Set(['fast'])])(
    '%o is no list',
    (value) => {
      expect(faultsOf(check, value)).toEqual([`at is ${shown(value)}; use an array of speeds`]);
    },
  );
});

describe('recordOf', () => {
  const check = recordOf(boolean);

  test('accepts any names, including those of built-in object properties', () => {
    expect(faultsOf(check, {})).toEqual([]);
    expect(faultsOf(check, JSON.parse('{ "Find": true, "constructor": false, "__proto__": true }'))).toEqual([]);
    expect(faultsOf(check, { Find: 1 })).toEqual(['at.Find is 1; use true or false']);
  });

  test.for<unknown>([null, undefined, 'x', 1, [true]])('%o is none', (value) => {
    expect(faultsOf(check, value)).toEqual([`at is ${shown(value)}; use an object`]);
  });
});

describe('fields', () => {
  const check = fields({ size: integer({ min: 1, max: 9 }), deep: fields({ on: boolean }) });

  test('are all optional, and undefined counts as absent', () => {
    expect(faultsOf(check, {})).toEqual([]);
    expect(faultsOf(check, { size: undefined, deep: { on: true } })).toEqual([]);
  });

  test('are all checked, and each fault has the path in JavaScript syntax', () => {
    expect(faultsOf(check, { size: 0, deep: { on: 1, off: 2 }, siez: 1 })).toEqual([
      'at.size is 0; use a whole number from 1 to 9',
      'at.deep.on is 1; use true or false',
      'at.deep.off is not an option; did you mean "on"?',
      'at.siez is not an option; did you mean "size"?',
    ]);
  });

  test.for<unknown>([null, undefined, 'x', 1, true, [], [1], () => 1])('%o is no object', (value) => {
    expect(faultsOf(check, value)).toEqual([`at is ${shown(value)}; use an object with size, deep`]);
  });

  test.each(['constructor', 'toString', 'hasOwnProperty', '__proto__'])(
    '%s is an unknown option like any other',
    (key) => {
      const value: unknown = JSON.parse(`{ "${key}": 1 }`);
      expect(faultsOf(check, value)).toEqual([`at.${key} is not an option; the options here are size, deep`]);
    },
  );

  test('have a clear error if there are no options', () => {
    expect(faultsOf(fields({}), { x: 1 })).toEqual(['at.x is not an option; the options here are none']);
  });
});

describe('didYouMean', () => {
  const names = ['least_request', 'round_robin', 'random'];

  test.each([
    ['least_request', 'least_request'],
    ['LEAST_REQUEST', 'least_request'],
    ['leastrequest', 'least_request'],
    ['leastRequests', 'least_request'],
    ['raundrobin', 'round_robin'],
    ['randmo', 'random'],
    ['rand', 'random'],
  ])('%s: %s', (name, meant) => {
    expect(didYouMean(name, names)).toBe(`; did you mean "${meant}"?`);
  });

  test('a part of exactly one name is enough', () => {
    expect(didYouMean('attempts', ['maxAttempts', 'maxBackoff'])).toBe('; did you mean "maxAttempts"?');
    expect(didYouMean('timeout', ['connectTimeout', 'pingTimeout'])).toBe('');
    expect(didYouMean('conc', ['maxConcurrentStreams'])).toBe('');
  });

  test.each(['', 'ran', 'p2c', 'least_requestings', 'weighted_round_robin'])('%j is too far from all names', (name) => {
    expect(didYouMean(name, names)).toBe('');
  });

  test('the nearest name wins, and the first of equally near ones', () => {
    expect(didYouMean('cat', ['cart', 'car', 'cat'])).toBe('; did you mean "cat"?');
    expect(didYouMean('cot', ['cat', 'cut'])).toBe('; did you mean "cat"?');
    expect(didYouMean('cat', [])).toBe('');
  });
});

test('the error for a misplaced field says where it belongs', () => {
  expect(faultsOf(fields({}, { size: 'deep' }), { size: 1 })).toEqual([
    'at.size is not an option here; move it to deep',
  ]);
});

describe('GrpcLbOptionsError', () => {
  const fault = { path: 'pool.size', message: 'is 0; use a whole number from 1 to 100' };

  test('formats one fault in one line and several as a list', () => {
    expect(new GrpcLbOptionsError('client ORDERS', [fault]).message).toBe(
      'client ORDERS: an option is invalid\n  - pool.size is 0; use a whole number from 1 to 100',
    );
    const both = new GrpcLbOptionsError('client ORDERS', [fault, { path: 'policy', message: 'is 1' }]);
    expect(both.message).toBe(
      'client ORDERS: 2 options are invalid\n  - pool.size is 0; use a whole number from 1 to 100\n  - policy is 1',
    );
  });

  test('prints each fault once with util.inspect', () => {
    const printed = inspect(new GrpcLbOptionsError('client ORDERS', [fault]));
    expect(printed.split(fault.message)).toHaveLength(2);
    expect(printed).not.toContain('subject');
  });

  test('has a code and the list of faults', () => {
    const error = new GrpcLbOptionsError('client ORDERS', [fault]);
    expect(error).toBeInstanceOf(Error);
    expect(error).toMatchObject({
      name: 'GrpcLbOptionsError',
      code: 'GRPC_LB_INVALID_OPTIONS',
      subject: 'client ORDERS',
      faults: [fault],
    });
  });
});
