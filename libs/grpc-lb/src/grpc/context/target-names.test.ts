import { expect, test } from 'vitest';
import { TargetNames } from './target-names.js';

const endpoint = (host: string) => ({ address: { host, port: 1 } });

test('an endpoint has the name of the first target that lists it', () => {
  const names = new TargetNames(['here', 'there']);
  names.listed([[endpoint('a')], [endpoint('a'), endpoint('b')]]);
  expect(['a', 'b', 'c'].map((host) => names.of({ host, port: 1 }))).toEqual(['here', 'there', undefined]);
  names.listed([[], [endpoint('a')]]);
  expect(names.of({ host: 'a', port: 1 })).toBe('there');
});

test('one name needs no list', () => {
  expect(new TargetNames(['here', 'here']).of({ path: '/run/orders.sock' })).toBe('here');
});
