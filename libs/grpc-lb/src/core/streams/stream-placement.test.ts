import { describe, expect, it } from 'vitest';
import { FakeClock } from '../../../../../test/support/time/fake-clock.js';
import { seededRandom } from '../random.js';
import { LEAVE_WITHIN_MS } from './departure.js';
import type { MoveReason, PlacedStream, StreamHost } from './placed-stream.js';
import { relocationWithin } from './relocation.js';
import { NEW_FOR_MS, PATIENCE, type RebalanceRule, StreamPlacement } from './stream-placement.js';

class Host implements StreamHost {
  streams = 0;
  weight = 1;
  warmth = 1;
  failureFactor = 1;
  joinedAt: number | undefined;

  constructor(readonly name: string) {}
}

interface Move {
  readonly at: number;
  readonly from: Host;
  readonly to: Host | undefined;
  readonly reason: MoveReason;
}

/** A client on a virtual clock, whose streams move as soon as they are asked to. */
class Client {
  readonly clock = new FakeClock();
  readonly random = seededRandom(7);
  rebalance: RebalanceRule | undefined = { interval: 10_000, streamsPerMove: 30, threshold: 0.1 };
  groups: Host[][];
  readonly placement = new StreamPlacement<Host>(this);
  readonly moves: Move[] = [];
  readonly told: unknown[] = [];

  constructor(...groups: Host[][]) {
    this.groups = groups;
  }

  leaving(endpoint: Host, reason: MoveReason, streams: number): void {
    this.told.push([endpoint, reason, streams]);
  }

  moved(from: Host, to: Host, reason: MoveReason): void {
    this.told.push([from, to, reason]);
  }

  open(endpoint: Host, n = 1, keyed = false): Stream[] {
    return Array.from({ length: n }, () => {
      const stream = new Stream(this, endpoint);
      stream.keyed = keyed;
      endpoint.streams++;
      this.placement.opened(stream);
      return stream;
    });
  }

  close(...streams: Stream[]): void {
    for (const stream of streams) {
      stream.endpoint.streams--;
      this.placement.closed(stream);
    }
  }

  /** Where a pick takes a stream that leaves without a target. */
  get emptiest(): Host {
    return this.groups[0]!.toSorted((a, b) => a.streams - b.streams)[0]!;
  }
}

class Stream implements PlacedStream<Host> {
  movable = true;
  keyed = false;
  home: Host | undefined;
  asked = 0;
  /** Whether its moves do not come to an end. */
  stuck = false;
  /** Milliseconds that a move takes; 0: none. */
  takes = 0;

  constructor(
    private readonly client: Client,
    public endpoint: Host,
  ) {}

  move(reason: MoveReason, to?: Host): void {
    const { client, endpoint: from } = this;
    this.asked++;
    client.moves.push({ at: client.clock.now(), from, to, reason });
    if (this.stuck) return;
    const target = to ?? client.emptiest;
    // Both are open during a move.
    target.streams++;
    if (this.takes === 0) return this.#arrive(target, reason);
    this.movable = false;
    client.clock.after(this.takes, () => this.#arrive(target, reason));
  }

  #arrive(target: Host, reason: MoveReason): void {
    const { endpoint: from } = this;
    this.movable = true;
    this.endpoint = target;
    from.streams--;
    this.client.placement.moved(this, from, reason);
  }
}

const hosts = (n: number): Host[] => Array.from({ length: n }, (_, i) => new Host(`host ${i}`));
const counts = (all: readonly Host[]): number[] => all.map(({ streams }) => streams);

describe('StreamPlacement', () => {
  it('counts streams by endpoint, through moves, until they close', () => {
    const [a, b] = hosts(2) as [Host, Host];
    const client = new Client([a, b]);
    const [first, second] = client.open(a, 2) as [Stream, Stream];
    expect([client.placement.size, client.placement.count(a), client.placement.count(b)]).toEqual([2, 2, 0]);
    first.move('max_age', b);
    expect([client.placement.count(a), client.placement.count(b)]).toEqual([1, 1]);
    client.close(first, second);
    client.placement.closed(first);
    expect([client.placement.size, client.placement.count(a), client.placement.count(b)]).toEqual([0, 0, 0]);
    expect(client.told).toEqual([[a, b, 'max_age']]);
  });

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

    describe('fills an endpoint that has joined', () => {
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

    it('waits while a move is under way, and lets another stream try if it fails', () => {
      const [a, b] = hosts(2) as [Host, Host];
      const client = new Client([a, b]);
      const [first, second] = client.open(a, 6) as [Stream, Stream];
      first.stuck = true;
      client.clock.advance(2000);
      first.movable = false;
      client.clock.advance(60_000);
      expect(client.moves).toHaveLength(1);
      first.movable = true;
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

  describe('vacating', () => {
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
  });

  it('leaves no timer behind when it is closed', () => {
    const [a, b] = hosts(2) as [Host, Host];
    const client = new Client([b]);
    const streams = client.open(a, 10);
    client.placement.vacate(a, 'removed');
    client.placement.leave(streams, 'connection_retired');
    expect(client.clock.pendingTimers).toBe(3);
    client.placement.close();
    expect(client.clock.pendingTimers).toBe(0);
    // The endpoints leave, and the streams end, when the client has closed.
    client.placement.vacate(a, 'removed');
    client.placement.leave(streams, 'connection_retired');
    client.close(...streams.slice(1));
    client.open(b);
    expect(client.clock.pendingTimers).toBe(0);
  });

  it('has no timer left if the last stream that is asked to go ends instead', () => {
    const [a, b] = hosts(2) as [Host, Host];
    const client = new Client([b]);
    client.rebalance = undefined;
    const [stream] = client.open(a) as [Stream];
    stream.move = () => client.close(stream);
    client.placement.vacate(a, 'removed');
    while (client.placement.size > 0) client.clock.advance(1);
    expect(client.clock.pendingTimers).toBe(0);
  });

  it('looks at ten thousand streams as cheaply as at ten', () => {
    const [a, b] = hosts(2) as [Host, Host];
    const client = new Client([a, b]);
    const streams = client.open(a, 5000);
    client.open(b, 5000);
    expect(client.clock.pendingTimers).toBe(1);
    client.close(...streams.slice(0, 100));
    expect(client.clock.pendingTimers).toBe(1);
  });
});
