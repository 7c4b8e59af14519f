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
  test('to nothing all are added, in their order', () => {
    const next = [endpoint('b'), endpoint('a')];
    expect(diffEndpoints(new Map(), next)).toEqual({ added: next, kept: [], removed: [] });
  });

  test('an empty list removes all, in the order in which they are held', () => {
    const held = current('b', 'a');
    expect(diffEndpoints(held, [])).toEqual({ added: [], kept: [], removed: [...held.values()] });
  });

  test('what is kept for an endpoint that stays comes back itself, with the new description', () => {
    const held = current('a', 'b', 'c');
    const next = [endpoint('d'), endpoint('c', 5), endpoint('a')];
    const { added, kept, removed } = diffEndpoints(held, next);
    expect(added).toEqual([endpoint('d')]);
    expect(kept).toEqual([
      [{ name: 'c' }, endpoint('c', 5)],
      [{ name: 'a' }, endpoint('a')],
    ]);
    expect(kept[0]![0]).toBe(held.get('c:1'));
    expect(kept[1]![0]).toBe(held.get('a:1'));
    expect(removed).toEqual([{ name: 'b' }]);
  });

  test('another weight is no other endpoint', () => {
    const { added, removed } = diffEndpoints(current('a'), [endpoint('a', 9)]);
    expect({ added, removed }).toEqual({ added: [], removed: [] });
  });

  test('of two endpoints with one address the first counts, new or known', () => {
    const { added, kept } = diffEndpoints(current('a'), [
      endpoint('a', 2),
      endpoint('b', 3),
      endpoint('b', 4),
      endpoint('a', 5),
    ]);
    expect(added).toEqual([endpoint('b', 3)]);
    expect(kept).toEqual([[{ name: 'a' }, endpoint('a', 2)]]);
  });

  test('a Unix socket and a host are told apart', () => {
    const socket: Endpoint = { address: { path: 'a:1' } };
    expect(diffEndpoints(current('a'), [socket])).toEqual({ added: [socket], kept: [], removed: [{ name: 'a' }] });
  });
});
