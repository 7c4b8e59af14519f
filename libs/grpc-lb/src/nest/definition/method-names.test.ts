import { createRequire } from 'node:module';
import * as fc from 'fast-check';
import { expect, test } from 'vitest';
import { camelCase, methodNames } from './method-names.js';

/** What proto-loader names methods with. */
const loader = createRequire(createRequire(import.meta.url).resolve('@grpc/proto-loader'));
const lodash = loader('lodash.camelcase') as (name: string) => string;

test.each(['Find', 'GetByID', 'snake_case', 'HTTPGet', 'GetV2', 'V2Get', 'get2ndOrder', 'A', 'ListABTests', 'x_Y_z1'])(
  '%s is in lower camel case as proto-loader has it',
  (name) => expect(camelCase(name)).toBe(lodash(name)),
);

test('so is every name of words, numbers and underscores', () => {
  const word = fc.stringMatching(/^[A-Z]?[a-z]{1,6}$|^[A-Z]{2,4}$/);
  const name = fc.array(fc.oneof(word, fc.constant('_'), fc.nat({ max: 99 }).map(String)), {
    minLength: 1,
    maxLength: 6,
  });
  fc.assert(
    fc.property(name, (parts) => {
      const text = `m${parts.join('')}`;
      // Ordinals are words of their own in lodash.
      fc.pre(!/\d(st|nd|rd|th)/i.test(text));
      expect(camelCase(text)).toBe(lodash(text));
    }),
  );
});

test('a method has the name of its definition first', () => {
  const path = '/shop.v1.Orders/GetByID';
  expect(methodNames({ path })).toEqual(['getById', 'GetByID']);
  expect(methodNames({ path, originalName: 'getById' })).toEqual(['getById', 'GetByID']);
  expect(methodNames({ path, localName: 'getByID' })).toEqual(['getByID', 'getById', 'GetByID']);
});

test('a name that await or Nest would call begins with a capital letter', () => {
  const service = '/shop.v1.Orders';
  expect(methodNames({ path: `${service}/Then`, originalName: 'then' })).toEqual(['Then']);
  expect(methodNames({ path: `${service}/then`, localName: 'then' })).toEqual(['Then']);
  expect(methodNames({ path: `${service}/OnModuleInit` })).toEqual(['OnModuleInit']);
});
