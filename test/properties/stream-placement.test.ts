import * as fc from 'fast-check';
import { expect, test } from 'vitest';
import { seededRandom } from '../../libs/grpc-lb/src/core/random.js';
import type { MoveReason, PlacedStream, StreamHost } from '../../libs/grpc-lb/src/core/streams/placed-stream.js';
import { StreamPlacement } from '../../libs/grpc-lb/src/core/streams/stream-placement.js';
import { FakeClock } from '../support/time/fake-clock.js';
import { check } from './check.js';

const INTERVAL = 10_000;
const HOUR = 3_600_000;

class Host implements StreamHost {
  streams = 0;
  readonly warmth = 1;
  readonly failureFactor = 1;

  constructor(
    readonly weight: number,
    readonly joinedAt: number | undefined,
  ) {}
}

interface Move {
  readonly at: number;
  /** Streams of the client at that time. */
  readonly of: number;
  readonly reason: MoveReason;
}

/** A client whose every move is compared with the rule as it is written in the documents. */
class Client {
  readonly rebalance = { interval: INTERVAL, streamsPerMove: 30, threshold: 0.1 };
  groups: Host[][];
  readonly streams: Stream[] = [];
  readonly moves: Move[] = [];
  readonly placement: StreamPlacement<Host>;

  constructor(
    readonly clock: FakeClock,
    readonly random: () => number,
    hosts: Host[],
  ) {
    this.groups = [hosts];
    this.placement = new StreamPlacement<Host>(this);
  }

  get hosts(): Host[] {
    return this.groups[0]!;
  }

  open(endpoint: Host, movable: boolean): void {
    const stream = new Stream(this, endpoint, movable);
    this.streams.push(stream);
    endpoint.streams++;
    this.placement.opened(stream);
  }

  close(which: number): void {
    const [stream] = this.streams.splice(which % Math.max(1, this.streams.length), 1);
    if (!stream) return;
    stream.endpoint.streams--;
    this.placement.closed(stream);
  }

  /** An endpoint leaves; if it is the last one, its streams have nowhere to go. */
  leave(which: number): void {
    if (this.hosts.length === 0) return;
    const host = this.hosts[which % this.hosts.length]!;
    this.groups = [this.hosts.filter((each) => each !== host)];
    this.placement.vacate(host, 'removed');
    this.placement.changed();
  }

  meanOf(hosts = this.hosts): number {
    const sum = (of: (host: Host) => number): number => hosts.reduce((total, host) => total + of(host), 0);
    return sum(({ streams }) => streams) / sum(({ weight }) => weight);
  }

  /** No worse endpoint, no unneeded move, none too soon. */
  check(stream: Stream, reason: MoveReason, to: Host | undefined): void {
    const from = stream.endpoint;
    expect(stream.movable).toBe(true);
    if (reason !== 'rebalance') {
      expect(this.hosts).not.toContain(from);
      expect(this.hosts.length).toBeGreaterThan(0);
      return;
    }
    expect(this.hosts).toContain(to);
    expect((to!.streams + 1) / to!.weight).toBeLessThanOrEqual(from.streams / from.weight + 1e-9);
    const least = to!.joinedAt === undefined ? 1.1 : 1.05;
    if (this.hosts.includes(from)) expect(from.streams / from.weight).toBeGreaterThan(this.meanOf() * least - 1e-9);
    const last = this.moves.findLast((move) => move.reason === 'rebalance');
    if (last) expect(this.clock.now() - last.at).toBeGreaterThan(INTERVAL / Math.max(1, last.of / 30) - 1e-6);
  }
}

class Stream implements PlacedStream<Host> {
  readonly moving = false;

  constructor(
    private readonly client: Client,
    public endpoint: Host,
    readonly movable: boolean,
  ) {}

  move(reason: MoveReason, to?: Host): void {
    const { client, endpoint: from } = this;
    client.check(this, reason, to);
    client.moves.push({ at: client.clock.now(), of: client.placement.size, reason });
    this.endpoint = to ?? client.hosts.toSorted((a, b) => a.streams / a.weight - b.streams / b.weight)[0]!;
    from.streams--;
    this.endpoint.streams++;
    client.placement.moved(this, from, reason);
  }
}

type Step =
  | { readonly kind: 'open'; readonly host: number; readonly count: number; readonly movable: boolean }
  | { readonly kind: 'close' | 'leave'; readonly which: number }
  | { readonly kind: 'join'; readonly weight: number }
  | { readonly kind: 'advance'; readonly ms: number };

const kind = <K extends string>(name: K): fc.Arbitrary<K> => fc.constant(name);
const step: fc.Arbitrary<Step> = fc.oneof(
  {
    weight: 5,
    arbitrary: fc.record({
      kind: kind('open'),
      host: fc.nat(),
      count: fc.integer({ min: 1, max: 40 }),
      movable: fc.constantFrom(true, true, true, false),
    }),
  },
  { weight: 4, arbitrary: fc.record({ kind: kind('close'), which: fc.nat() }) },
  { weight: 1, arbitrary: fc.record({ kind: kind('leave'), which: fc.nat() }) },
  { weight: 1, arbitrary: fc.record({ kind: kind('join'), weight: fc.integer({ min: 1, max: 3 }) }) },
  { weight: 3, arbitrary: fc.record({ kind: kind('advance'), ms: fc.integer({ min: 1, max: 60_000 }) }) },
);

const setting = fc.record({
  seed: fc.nat(),
  weights: fc.array(fc.constantFrom(1, 1, 2), { minLength: 1, maxLength: 6 }),
  steps: fc.array(step, { maxLength: 40, size: 'max' }),
});

type Setting = typeof setting extends fc.Arbitrary<infer T> ? T : never;

function play({ seed, weights, steps }: Setting): Client {
  const clock = new FakeClock();
  const client = new Client(
    clock,
    seededRandom(seed),
    weights.map((weight) => new Host(weight, undefined)),
  );
  for (const next of steps) {
    if (next.kind === 'advance') clock.advance(next.ms);
    else if (next.kind === 'close') client.close(next.which);
    else if (next.kind === 'leave') client.leave(next.which);
    else if (next.kind === 'join') {
      client.groups = [[...client.hosts, new Host(next.weight, clock.now())]];
      client.placement.changed();
    } else if (next.kind === 'open' && client.hosts.length > 0) {
      const host = client.hosts[next.host % client.hosts.length]!;
      for (let i = 0; i < next.count; i++) client.open(host, next.movable);
    }
  }
  return client;
}

test('no stream moves to a worse endpoint, without need, without a token, or too soon', () => {
  check(fc.property(setting, (taken) => void play(taken)));
});

test('the count of each endpoint is that of its streams', () => {
  check(
    fc.property(setting, (taken) => {
      const { placement, streams, hosts } = play(taken);
      expect(placement.size).toBe(streams.length);
      for (const host of hosts)
        expect(placement.count(host)).toBe(streams.filter(({ endpoint }) => endpoint === host).length);
    }),
  );
});

test('moves come to an end: within 10 % of the mean or one stream of it, if streams can move', () => {
  check(
    fc.property(setting, (taken) => {
      const client = play(taken);
      if (client.hosts.length === 0) return;
      client.clock.advance(8 * HOUR);
      const before = client.moves.length;
      client.clock.advance(8 * HOUR);
      expect(client.moves.length).toBe(before);
      const mean = client.meanOf();
      const light = client.hosts.filter(({ streams, weight }) => streams + 1 < mean * weight);
      for (const host of client.hosts) {
        const can = client.streams.some(({ endpoint, movable }) => endpoint === host && movable);
        const excess = host.streams - mean * host.weight;
        if (!can || excess <= Math.max(1, 0.1 * mean * host.weight)) continue;
        // Nothing that takes a stream may be lighter afterwards than it.
        for (const other of light)
          expect((other.streams + 1) / other.weight).toBeGreaterThan((host.streams - 1) / host.weight);
      }
      // An endpoint that has left keeps only what cannot move.
      const stranded = client.streams.filter(({ endpoint }) => !client.hosts.includes(endpoint));
      expect(stranded.every(({ movable }) => !movable)).toBe(true);
    }),
    100,
  );
});

test('many clients that know nothing of each other fill new endpoints, and then rest', () => {
  check(
    fc.property(fc.nat(), fc.integer({ min: 1, max: 30 }), (seed, each) => {
      const random = seededRandom(seed);
      const clock = new FakeClock();
      const clients = Array.from({ length: 60 }, (_, i) => {
        const hosts = Array.from({ length: 8 }, () => new Host(1, undefined));
        const client = new Client(clock, random, hosts);
        for (let n = 0; n < each; n++) client.open(hosts[(i + n) % 8]!, true);
        return client;
      });
      for (const client of clients) {
        client.groups = [[...client.hosts, new Host(1, clock.now()), new Host(1, clock.now())]];
        client.placement.changed();
      }
      clock.advance(HOUR);
      const moves = (): number => clients.reduce((sum, client) => sum + client.moves.length, 0);
      const after = moves();
      const share = (60 * each) / 10;
      for (const index of [8, 9]) {
        const streams = clients.reduce((sum, { hosts }) => sum + hosts[index]!.streams, 0);
        // Four standard deviations of as many draws. With 28 streams on ten endpoints, one that holds three does not
        // hold a tenth more than the mean, so that only those with four give one up.
        const chance = 4 * Math.sqrt(60 / 4);
        expect(streams).toBeGreaterThan(0.7 * share - chance);
        expect(streams).toBeLessThan(share + chance);
      }
      expect(after).toBeLessThanOrEqual(2 * share + 8 * Math.sqrt(60 / 4));
      clock.advance(HOUR);
      expect(moves()).toBe(after);
      expect(clock.pendingTimers).toBe(0);
    }),
    20,
  );
});
