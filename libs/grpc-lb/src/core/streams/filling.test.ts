import { describe, expect, it } from 'vitest';
import { Client, type Host, hosts } from '../../../../../test/support/streams/placed-streams.js';
import { seededRandom } from '../random.js';
import { relocationWithin } from './relocation.js';
import { NEW_FOR_MS } from './stream-placement.js';

describe('an endpoint that has joined', () => {
  /** How many streams clients with `each` streams, spread over eight endpoints, move to two new ones. */
  const fill = (clients: number, each: number): { readonly moved: number; readonly timers: number } => {
    const random = seededRandom(5);
    let [moved, timers] = [0, 0];
    for (let i = 0; i < clients; i++) {
      const [old, young] = [hosts(8), hosts(2)];
      const client = new Client(old);
      Object.assign(client, { random });
      for (let n = 0; n < each; n++) client.open(old[(i + n) % 8]!);
      for (const host of young) host.joinedAt = 0;
      client.groups = [[...old, ...young]];
      client.placement.changed();
      client.clock.advance(NEW_FOR_MS / 2);
      moved += client.moves.filter(({ to }) => young.includes(to!)).length;
      // Nothing moves for any other reason.
      expect(client.moves.every(({ to }) => young.includes(to!))).toBe(true);
      timers += client.clock.pendingTimers;
    }
    return { moved, timers };
  };

  it.for([
    [1000, 1],
    [200, 5],
    [100, 10],
    [20, 50],
  ] as const)('by %i clients with %i streams each, up to nine tenths of its share', ([clients, each]) => {
    const { moved } = fill(clients, each);
    // Of 1000 streams on ten endpoints two have 200.
    expect(moved).toBeGreaterThan(150);
    expect(moved).toBeLessThan(210);
  });

  it('once: what ends there is replaced by arrivals', () => {
    const [old, [young]] = [hosts(1), hosts(1)] as [Host[], [Host]];
    const client = new Client(old);
    const streams = client.open(old[0]!, 4);
    young.joinedAt = 0;
    client.groups = [[...old, young]];
    client.placement.changed();
    client.clock.advance(60_000);
    expect(young.streams).toBe(2);
    client.close(...streams.filter(({ endpoint }) => endpoint === young));
    client.clock.advance(60_000);
    expect(young.streams).toBe(0);
  });

  it('no further than it is warm, and not while it fails', () => {
    const [old, young] = hosts(2) as [Host, Host];
    old.streams = 10;
    const find = (streams: number, more: Partial<Host>): boolean | undefined =>
      relocationWithin({
        hosts: [old, Object.assign(young, { streams, ...more })],
        threshold: 0.1,
        streamsOf: ({ streams: all }) => all,
        canLeave: () => true,
        fillOf: (host) => (host === young ? { draw: 0, moves: 0 } : undefined),
        start: 0,
        now: true,
      })?.fills;
    // Its part is 4 of 10 streams, and a quarter of that at a quarter of its warmth.
    expect([find(0, { warmth: 0.25 }), find(1, { warmth: 0.25 })]).toEqual([true, false]);
    expect([find(1, { warmth: 1 }), find(1, { failureFactor: 30 })]).toEqual([true, undefined]);
  });

  it('but not from another one that has joined, and not once it is no longer new', () => {
    const young = hosts(3);
    const client = new Client(young);
    for (const host of young) host.joinedAt = 0;
    for (const host of young.slice(0, 2)) client.open(host, 1);
    client.clock.advance(60_000);
    expect(client.moves).toEqual([]);
    const [old, [late]] = [hosts(2), hosts(1)] as [Host[], [Host]];
    const other = new Client(old);
    other.clock.advance(NEW_FOR_MS + 1);
    late.joinedAt = 0;
    for (const host of old) other.open(host, 1);
    other.groups = [[...old, late]];
    other.placement.changed();
    other.clock.advance(60_000);
    expect(other.moves).toEqual([]);
  });
});
