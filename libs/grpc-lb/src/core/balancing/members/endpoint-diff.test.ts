import { describe, expect, test } from 'vitest';
import { addressToString, type Endpoint } from '../../endpoint.js';
import { diffEndpoints } from './endpoint-diff.js';

const endpoint = (host: string, weight?: number): Endpoint => ({
  address: { host, port: 1 },
  ...(weight && { weight }),
});
const current = (...names: string[]): Map<string, { name: string }> =>
  new Map(names.map((name) => [addressToString(endpoint(name).address), { name }]));

describe('diffEndpoints', () => {
  test('adds all endpoints in list order if there were none', () => {
    const next = [endpoint('b'), endpoint('a')];
    expect(diffEndpoints(new Map(), next)).toEqual({ added: next, removed: [] });
  });

  test('removes all endpoints for an empty list, in the current order', () => {
    const held = current('b', 'a');
    expect(diffEndpoints(held, [])).toEqual({ added: [], removed: [...held.values()] });
  });

  test('keeps, adds and removes endpoints', () => {
    const { added, removed } = diffEndpoints(current('a', 'b', 'c'), [endpoint('d'), endpoint('c', 5), endpoint('a')]);
    expect(added).toEqual([endpoint('d')]);
    expect(removed).toEqual([{ name: 'b' }]);
  });

  test('keeps an endpoint whose weight changes', () => {
    const { added, removed } = diffEndpoints(current('a'), [endpoint('a', 9)]);
    expect({ added, removed }).toEqual({ added: [], removed: [] });
  });

  test('adds the first of two endpoints with the same address', () => {
    const next = [endpoint('a', 2), endpoint('b', 3), endpoint('b', 4), endpoint('a', 5)];
    expect(diffEndpoints(current('a'), next)).toEqual({ added: [endpoint('b', 3)], removed: [] });
  });

  test('distinguishes a Unix socket from a host', () => {
    const socket: Endpoint = { address: { path: 'a:1' } };
    expect(diffEndpoints(current('a'), [socket])).toEqual({ added: [socket], removed: [{ name: 'a' }] });
  });
});
