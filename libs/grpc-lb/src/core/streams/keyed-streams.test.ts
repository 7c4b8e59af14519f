import { describe, expect, it } from 'vitest';
import { Client, type Host, hosts, type Stream } from '../../../../../test/support/streams/placed-streams.js';

describe('streams with keys', () => {
  it('moves streams with a key to where the key belongs, at the same pace, once they have a token', () => {
    const [a, b] = hosts(2) as [Host, Host];
    const client = new Client([a, b]);
    const [first, second, third] = client.open(a, 3, true) as [Stream, Stream, Stream];
    for (const stream of [first, second, third]) stream.home = a;
    client.clock.advance(60_000);
    expect(client.clock.pendingTimers).toBe(0);
    first.home = second.home = third.home = b;
    second.movable = false;
    client.placement.changed();
    client.clock.advance(40_000);
    expect(client.moves.map(({ to, reason }) => [to, reason])).toEqual([
      [b, 'key'],
      [b, 'key'],
    ]);
    expect(client.moves[1]!.at - client.moves[0]!.at).toBeGreaterThanOrEqual(10_000);
    second.movable = true;
    client.clock.advance(21_000);
    expect(second.endpoint).toBe(b);
    expect(client.clock.pendingTimers).toBe(0);
  });

  it('looks at a thousand streams with keys in one turn', () => {
    const [a, b] = hosts(2) as [Host, Host];
    const client = new Client([a, b]);
    const streams = client.open(a, 2500, true);
    let looks = 0;
    for (const stream of streams) Object.defineProperty(stream, 'home', { get: () => (looks++, a) });
    client.clock.advance(60_000);
    looks = 0;
    client.placement.changed();
    const turns = new Set<number>();
    for (let ms = 0; ms < 10_000; ms += 10) {
      const before = looks;
      client.clock.advance(10);
      if (looks > before) turns.add(looks - before);
    }
    expect([...turns]).toEqual([1000, 500]);
    expect(looks).toBe(2500);
  });

  it('moves neither streams with a key nor those without a token, and looks again for the token', () => {
    const [a, b] = hosts(2) as [Host, Host];
    const client = new Client([a, b]);
    const streams = client.open(a, 4);
    for (const stream of streams) stream.movable = false;
    streams[0]!.keyed = true;
    client.clock.advance(60_000);
    expect(client.moves).toEqual([]);
    streams[0]!.movable = true;
    client.clock.advance(60_000);
    expect(client.moves).toEqual([]);
    streams[3]!.movable = true;
    client.clock.advance(2000);
    expect(streams.map(({ asked }) => asked)).toEqual([0, 0, 0, 1]);
  });
});
