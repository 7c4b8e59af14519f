import { describe, expect, it } from 'vitest';
import { Client, counts, Host, hosts, type Stream } from '../../../../../test/support/streams/placed-streams.js';
import { PATIENCE } from './stream-placement.js';

describe('rebalancing', () => {
  it('moves one stream within a fifth of the interval, then at most one in each interval, until the streams are even', () => {
    const all = hosts(3);
    const client = new Client(all);
    client.open(all[0]!, 10);
    client.open(all[1]!, 11);
    client.clock.advance(120_000);
    expect(Math.max(...counts(all))).toBe(8);
    expect(Math.min(...counts(all))).toBe(6);
    const times = client.moves.map(({ at }) => at);
    expect(times[0]).toBeLessThan(2000);
    const gaps = times.slice(1).map((at, i) => at - times[i]!);
    for (const gap of gaps) {
      expect(gap).toBeGreaterThanOrEqual(10_000);
      expect(gap).toBeLessThanOrEqual(11_000);
    }
    expect(client.moves.map(({ reason }) => reason)).toEqual(Array(6).fill('rebalance'));
    expect(client.clock.pendingTimers).toBe(0);
  });

  it('leaves one stream more or less than the mean, and a difference within the threshold', () => {
    const [few, many] = [hosts(3), hosts(2)];
    const [ones, hundreds] = [new Client(few), new Client(many)];
    ones.open(few[0]!, 3);
    ones.open(few[1]!, 2);
    ones.open(few[2]!, 1);
    hundreds.open(many[0]!, 110);
    hundreds.open(many[1]!, 90);
    for (const client of [ones, hundreds]) {
      client.clock.advance(600_000);
      expect(client.moves).toEqual([]);
    }
    hundreds.open(many[0]!, 2);
    hundreds.clock.advance(60_000);
    expect(counts(many)).toEqual([111, 91]);
  });

  it('regards weights, slow start and failures', () => {
    const [heavy, light] = hosts(2) as [Host, Host];
    heavy.weight = 3;
    const client = new Client([heavy, light]);
    client.open(heavy, 16);
    client.clock.advance(600_000);
    expect(counts([heavy, light])).toEqual([13, 3]);
    const cold = new Host('cold');
    cold.warmth = 0.05;
    client.groups = [[heavy, light, cold]];
    client.placement.changed();
    client.clock.advance(60_000);
    expect(cold.streams).toBe(0);
    cold.warmth = 1;
    cold.failureFactor = 4;
    client.clock.advance(60_000);
    expect(cold.streams).toBe(0);
    cold.failureFactor = 1;
    client.clock.advance(60_000);
    expect(cold.streams).toBe(3);
  });

  it('leaves a difference of two streams to arrivals for a while', () => {
    const all = hosts(4);
    const client = new Client(all);
    client.open(all[0]!, 2);
    client.open(all[1]!, 1);
    client.open(all[2]!, 2);
    client.clock.advance(PATIENCE * 10_000 - 1);
    expect(client.moves).toEqual([]);
    client.clock.advance(13_000);
    expect(client.moves).toHaveLength(1);
  });

  it.each([true, false])('waits while a move is under way, and lets another stream try if it fails (%s)', (movable) => {
    const [a, b] = hosts(2) as [Host, Host];
    const client = new Client([a, b]);
    const [first, second] = client.open(a, 6) as [Stream, Stream];
    first.stuck = true;
    client.clock.advance(2000);
    Object.assign(first, { movable: false, moving: true });
    client.clock.advance(60_000);
    expect(client.moves).toHaveLength(1);
    // Its last message may have had no token.
    Object.assign(first, { movable, moving: false });
    client.clock.advance(11_000);
    expect([first.asked, second.asked]).toEqual([1, 1]);
  });

  it('moves the more streams the more a client has, several at a time, and none more than it must', () => {
    const [a, b] = hosts(2) as [Host, Host];
    const client = new Client([a, b]);
    for (const stream of client.open(a, 600)) stream.takes = 5000;
    client.clock.advance(30_000);
    const gaps = client.moves.slice(1).map(({ at }, i) => at - client.moves[i]!.at);
    // Twenty in the time of one.
    for (const gap of gaps.slice(0, 10)) {
      expect(gap).toBeGreaterThanOrEqual(500);
      expect(gap).toBeLessThanOrEqual(550);
    }
    client.clock.advance(300_000);
    // Up to a tenth above the mean.
    expect(counts([a, b])).toEqual([330, 270]);
    expect(client.moves).toHaveLength(270);
    expect(client.clock.pendingTimers).toBe(0);
  });

  it('goes on when the stream whose move was under way ends', () => {
    const [a, b] = hosts(2) as [Host, Host];
    const client = new Client([a, b]);
    const [first, ...others] = client.open(a, 6) as [Stream, ...Stream[]];
    first.stuck = true;
    client.clock.advance(2000);
    first.movable = false;
    client.close(first);
    client.clock.advance(12_000);
    expect([first.asked, others[0]!.asked]).toEqual([1, 1]);
  });

  it('keeps to the group, and brings home the streams of endpoints that get no new ones', () => {
    const [first, second] = [hosts(2), hosts(2)];
    const client = new Client(first, second);
    client.open(second[0]!, 6);
    client.clock.advance(60_000);
    expect(counts([...first, ...second])).toEqual([0, 0, 4, 2]);
    client.groups = [first];
    client.placement.changed();
    client.clock.advance(90_000);
    expect(counts([...first, ...second])).toEqual([3, 3, 0, 0]);
  });

  it('follows a shorter interval at once', () => {
    const [a, b] = hosts(2) as [Host, Host];
    const client = new Client([a, b]);
    client.rebalance = { interval: 3_600_000, streamsPerMove: 30, threshold: 0.1 };
    client.open(a, 10);
    client.clock.advance(3_600_000);
    expect(counts([a, b])).toEqual([9, 1]);
    client.rebalance = { ...client.rebalance, interval: 1000 };
    client.placement.changed();
    client.clock.advance(10_000);
    expect(counts([a, b])).toEqual([6, 4]);
  });

  it('is off if the options say so', () => {
    const [a, b] = hosts(2) as [Host, Host];
    const client = new Client([a, b]);
    client.rebalance = undefined;
    client.open(a, 10);
    expect(client.clock.pendingTimers).toBe(0);
    client.clock.advance(60_000);
    expect(client.moves).toEqual([]);
    client.rebalance = { interval: 1000, streamsPerMove: 30, threshold: 0.1 };
    client.placement.changed();
    client.clock.advance(60_000);
    expect(counts([a, b])).toEqual([6, 4]);
  });
});
