import { describe, expect, test } from 'vitest';
import type { Fault } from '../core/errors.js';
import { readQuery } from './query.js';

const SHAPE = { tag: 'many', dc: 'once' } as const;

function read(text: string): { path: string; parameters: object; faults: string[] } {
  const faults: Fault[] = [];
  const { path, parameters } = readQuery(text, SHAPE, faults);
  return { path, parameters, faults: faults.map((fault) => `${fault.path} ${fault.message}`) };
}

describe('readQuery', () => {
  test.each([
    ['orders', 'orders', {}],
    ['orders?', 'orders', {}],
    ['orders?tag=v2&dc=eu', 'orders', { tag: ['v2'], dc: ['eu'] }],
    ['orders?tag=b&&tag=a', 'orders', { tag: ['b', 'a'] }],
    ['a%3Fb%20c?tag=1.2+3&dc=a%26b', 'a?b c', { tag: ['1.2+3'], dc: ['a&b'] }],
    ['orders?tag=a=b?c', 'orders', { tag: ['a=b?c'] }],
  ])('reads %s', (text, path, parameters) => {
    expect(read(text)).toEqual({ path, parameters: { tag: [], dc: [], ...parameters }, faults: [] });
  });

  test.each([
    ['orders?tags=v2', 'query "tags" is not an option; did you mean "tag"?'],
    ['orders?__proto__=v2', 'query "__proto__" is not an option; the options here are tag, dc'],
    ['orders?dc=a&dc=b', 'query dc is repeated; keep one'],
    ['orders?dc', 'query dc is empty; write dc=..., or remove it'],
    ['orders?dc=', 'query dc is empty; write dc=..., or remove it'],
    ['orders?dc=%', 'query dc is "%", with a "%" that starts no escape; write %25 for a percent sign'],
    ['or%ders', 'path is "or%ders", with a "%" that starts no escape; write %25 for a percent sign'],
  ])('reports what is wrong with %s', (text, fault) => {
    expect(read(text).faults).toEqual([fault]);
  });

  test('reports all faults at once', () => {
    expect(read('%?x=1&dc=&dc=a&dc=b').faults).toHaveLength(4);
  });
});
