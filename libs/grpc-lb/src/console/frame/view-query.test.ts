import { expect, test } from 'vitest';
import { viewQuery } from './view-query.js';

test('a query from outside is read, and what it does not understand takes its default', () => {
  expect(viewQuery({ client: 'A', sort: 'p99', filter: ' Zone-A ', page: '3' })).toEqual({
    client: 'A',
    sort: 'p99',
    filter: 'zone-a',
    page: 3,
  });
  const standard = { client: '', sort: 'attention', filter: '', page: 0 };
  expect(viewQuery({})).toEqual(standard);
  expect(viewQuery({ client: ['A'], sort: '__proto__', filter: { x: 1 }, page: '-1' })).toEqual(standard);
  expect(viewQuery({ page: '1e99', filter: 'x'.repeat(10_000) })).toMatchObject({
    page: 100_000,
    filter: 'x'.repeat(200),
  });
});
