import { describe, expect, it } from 'vitest';
import { Client, counts, type Host, hosts, type Stream } from '../../../../../test/support/streams/placed-streams.js';
import { seededRandom } from '../random.js';
import { LEAVE_WITHIN_MS } from './departure.js';

describe('streams that leave an endpoint', () => {
  it('asks every stream to go, spread over the time', () => {
    const all = hosts(3);
    const client = new Client(all);
    client.open(all[0]!, 1000);
    client.groups = [all.slice(1)];
    client.placement.vacate(all[0]!, 'draining');
    expect(client.moves).toEqual([]);
    const after: number[] = [];
    for (let i = 0; i < 4; i++) {
      client.clock.advance(LEAVE_WITHIN_MS / 4);
      after.push(client.moves.length);
    }
    client.clock.advance(20);
    expect(counts(all)).toEqual([0, 500, 500]);
    for (const [i, n] of after.entries()) expect(Math.abs(n - 250 * (i + 1))).toBeLessThan(50);
    expect(new Set(client.moves.map(({ reason }) => reason))).toEqual(new Set(['draining']));
    expect(client.told).toHaveLength(1001);
    expect(client.told[0]).toEqual([all[0], 'draining', 1000]);
  });

  it('lets the only stream of each of many clients go at different times', () => {
    const random = seededRandom(1);
    const times = Array.from({ length: 200 }, () => {
      const all = hosts(2);
      const client = new Client(all);
      Object.assign(client, { random });
      client.open(all[0]!);
      client.groups = [[all[1]!]];
      client.placement.vacate(all[0]!, 'draining');
      client.clock.advance(LEAVE_WITHIN_MS + 20);
      return client.moves[0]!.at;
    });
    for (let quarter = 0; quarter < 4; quarter++) {
      const here = times.filter((at) => Math.floor((at * 4) / LEAVE_WITHIN_MS) === quarter).length;
      expect(here).toBeGreaterThan(30);
      expect(here).toBeLessThan(70);
    }
  });

  it('asks again those that could not move', () => {
    const [a, b] = hosts(2) as [Host, Host];
    const client = new Client([a, b]);
    client.rebalance = undefined;
    const [late, failing] = client.open(a, 3) as [Stream, Stream];
    late.movable = false;
    failing.stuck = true;
    client.groups = [[b]];
    client.placement.vacate(a, 'ejected');
    client.clock.advance(LEAVE_WITHIN_MS + 20);
    expect(counts([a, b])).toEqual([2, 1]);
    late.movable = true;
    failing.stuck = false;
    client.clock.advance(2 * LEAVE_WITHIN_MS + 20);
    expect(counts([a, b])).toEqual([0, 3]);
    client.clock.advance(2 * LEAVE_WITHIN_MS);
    expect(client.clock.pendingTimers).toBe(0);
  });

  it('waits while there is no other endpoint, and ends when the endpoint may be picked again', () => {
    const [a, b] = hosts(2) as [Host, Host];
    const client = new Client([a, b]);
    client.rebalance = undefined;
    client.open(a, 3);
    client.groups = [[]];
    client.placement.vacate(a, 'ejected');
    client.clock.advance(60_000);
    expect(client.moves).toEqual([]);
    client.groups = [[a, b]];
    client.clock.advance(60_000);
    expect(client.moves).toEqual([]);
    expect(client.clock.pendingTimers).toBe(0);
  });

  it('lets only the streams of a connection leave, even to the same endpoint', () => {
    const [a] = hosts(1) as [Host];
    const client = new Client([a]);
    const streams = client.open(a, 5);
    client.placement.leave(streams.slice(0, 3), 'connection_retired');
    client.close(streams[2]!);
    client.clock.advance(3 * LEAVE_WITHIN_MS);
    expect(streams.map(({ asked }) => asked)).toEqual([1, 1, 0, 0, 0]);
    expect(client.told).toEqual([
      [a, a, 'connection_retired'],
      [a, a, 'connection_retired'],
    ]);
    expect(client.clock.pendingTimers).toBe(0);
  });

  it('asks a stream that arrives at an endpoint which had none when it was left', () => {
    const [a, b, c] = hosts(3) as [Host, Host, Host];
    const client = new Client([b, c]);
    client.rebalance = undefined;
    const [stream] = client.open(a) as [Stream];
    stream.takes = 100;
    stream.move('draining', b);
    b.leaves = 'ejected';
    client.groups = [[c]];
    client.placement.vacate(b, 'ejected');
    client.clock.advance(100);
    expect(stream.endpoint).toBe(b);
    client.clock.advance(LEAVE_WITHIN_MS + 200);
    expect(stream.endpoint).toBe(c);
    expect(client.told).toEqual([
      [a, b, 'draining'],
      [b, 'ejected', 1],
      [b, c, 'ejected'],
    ]);
    expect(client.clock.pendingTimers).toBe(0);
  });

  it('lets a stream stay that is opened at an endpoint which may be picked in spite of all', () => {
    const [a] = hosts(1) as [Host];
    const client = new Client([a]);
    client.rebalance = undefined;
    a.leaves = 'ejected';
    client.open(a);
    expect([client.told, client.clock.pendingTimers]).toEqual([[], 0]);
  });

  it('asks those that stayed because of a panic, as soon as it is over', () => {
    const [a, b] = hosts(2) as [Host, Host];
    const client = new Client([a, b]);
    client.rebalance = undefined;
    client.open(a, 3);
    a.leaves = 'ejected';
    client.placement.vacate(a, 'ejected');
    client.clock.advance(3 * LEAVE_WITHIN_MS);
    expect(counts([a, b])).toEqual([3, 0]);
    client.groups = [[b]];
    client.placement.changed();
    client.clock.advance(LEAVE_WITHIN_MS + 20);
    expect(counts([a, b])).toEqual([0, 3]);
    expect(client.clock.pendingTimers).toBe(0);
  });
});
