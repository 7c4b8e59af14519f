import { describe, expect, test } from 'vitest';
import {
  FakeClient,
  type FakeConnection,
  nameOf,
  type Picked,
} from '../../../../../../test/support/balancing/fake-client.js';
import type { PolicyConfig } from '../../options/policy-config.js';
import type { CallInfo } from '../../policy/policy.js';
import type { PlacedStream } from '../../streams/placed-stream.js';
import type { Member } from '../members/member.js';
import type { NoPick } from './picker.js';
import { NO_VISITS } from './visits.js';

const LASTING: CallInfo = { method: '/Orders/Watch', stream: true, lasting: true };

/** A stream that can resume, and moves as soon as it is asked to. */
class Subscription implements PlacedStream<Member<FakeConnection>> {
  readonly movable = true;
  readonly moving = false;
  attempt: Picked;

  constructor(
    private readonly client: FakeClient,
    private readonly call = LASTING,
  ) {
    this.attempt = client.stream(call) as Picked;
    client.balancing.streams.opened(this);
  }

  get endpoint(): Member<FakeConnection> {
    return this.attempt.endpoint;
  }

  get keyed(): boolean {
    return this.attempt.keyed;
  }

  get home(): Member<FakeConnection> | undefined {
    return this.attempt.home;
  }

  move(...[reason, to]: Parameters<PlacedStream<Member<FakeConnection>>['move']>): void {
    const from = this.attempt;
    const visits = { ...NO_VISITS, leaving: this.endpoint, to };
    const picked = this.client.stream(this.call, visits);
    if (typeof picked === 'string') return;
    this.attempt = picked;
    from.finish('refused', 'caller');
    this.client.balancing.streams.moved(this, from.endpoint, reason);
  }
}

describe('streams that last', () => {
  const streamsOf = ({ links }: FakeClient): Record<string, number> =>
    Object.fromEntries([...links].map(([name, link]) => [name, link.owner.streams]));

  const subscribe = (client: FakeClient, count: number): Subscription[] =>
    Array.from({ length: count }, () => new Subscription(client));

  test.for(['least_request', 'adaptive', 'peak_ewma', 'hot_cold'] as const)(
    'are divided evenly by %s, in one tick, and count neither as calls nor against them',
    (name) => {
      const client = new FakeClient('a b c', { name });
      const attempts = Array.from({ length: 30 }, () => client.stream(LASTING) as Picked);
      expect(streamsOf(client)).toEqual({ a: 10, b: 10, c: 10 });
      for (const attempt of attempts) if (nameOf(attempt.endpoint) === 'a') attempt.finish('ok', 'peer');
      expect(streamsOf(client)).toEqual({ a: 0, b: 10, c: 10 });
      // Calls do not all go to the one without streams.
      const names = Array.from({ length: 30 }, () => {
        const call = { method: '/Orders/Find', stream: false };
        return nameOf((client.picker.pick(call, call, client.balancing.policies.common, false) as Picked).endpoint);
      });
      for (const each of ['a', 'b', 'c']) expect(names.filter((one) => one === each)).toHaveLength(10);
      expect(client.balancing.inFlight).toBe(50);
    },
  );

  test.for(['round_robin', 'random'] as const)('are placed by %s as calls are, and may move', (name) => {
    const client = new FakeClient('a b', { name });
    const [first] = subscribe(client, 9);
    expect(first!.keyed).toBe(false);
    for (const attempt of Array.from({ length: 4 }, () => client.stream(LASTING) as Picked))
      if (nameOf(attempt.endpoint) === 'a') attempt.finish('ok', 'peer');
    client.clock.advance(120_000);
    const { a, b } = streamsOf(client);
    expect(Math.abs(a! - b!)).toBeLessThan(3);
  });

  test.for(['pick_first', 'ring_hash', 'weighted_round_robin'] as const)('do not move to even out %s', (name) => {
    const client = new FakeClient('a b', { name } as PolicyConfig);
    for (const each of subscribe(client, 9)) expect(each.keyed).toBe(true);
    const before = streamsOf(client);
    client.list('a b c');
    client.clock.advance(120_000);
    expect(streamsOf(client)).toEqual({ ...before, c: 0 });
  });

  const SESSIONS = Array.from({ length: 30 }, (_, i) => ({ ...LASTING, hashKey: `key ${i}` }));

  test.for([{}, { ring: 'grpc' }] as const)('follow their keys when an endpoint joins: %s', (options) => {
    const client = new FakeClient('a b c', { name: 'ring_hash', by: 'x-key', ...options });
    const streams = SESSIONS.map((call) => new Subscription(client, call));
    client.clock.advance(120_000);
    const before = streams.map(({ endpoint }) => endpoint);
    client.list('a b c d');
    client.clock.advance(900_000);
    for (const { endpoint, home } of streams) expect(home).toBe(endpoint);
    const moved = streams.filter(({ endpoint }, i) => endpoint !== before[i]);
    const joined = moved.filter(({ endpoint }) => nameOf(endpoint) === 'd').length;
    expect(joined).toBeGreaterThan(3);
    // On the ring of gRPC some keys move between the others.
    expect(moved.length - joined).toBe('ring' in options ? 3 : 0);
    expect(client.totals.snapshot().streamMoves).toEqual({ key: moved.length });
    expect(client.events.find(({ type }) => type === 'stream_rebalanced')).toMatchObject({ reason: 'key' });
  });

  test('with a bounded load follow their keys where there is room, until none is better placed', () => {
    const client = new FakeClient('a b c', { name: 'ring_hash', by: 'x-key', boundedLoad: 1.2 });
    for (const call of SESSIONS) new Subscription(client, call);
    const moves = (): number => client.totals.snapshot().streamMoves.key ?? 0;
    client.clock.advance(900_000);
    const before = moves();
    client.list('a b c d');
    client.clock.advance(900_000);
    const after = moves();
    expect(streamsOf(client)['d']).toBeGreaterThan(3);
    expect(after - before).toBeLessThan(30);
    client.clock.advance(900_000);
    expect(moves()).toBe(after);
    expect(Math.max(...Object.values(streamsOf(client)))).toBeLessThanOrEqual(10);
  });

  test('that come to last while they are open stop counting as calls', () => {
    const client = new FakeClient('a b');
    const call = { method: '/Orders/Watch', stream: true };
    const open = (): Picked => client.stream(call) as Picked;
    for (let i = 0; i < 4; i++) open();
    expect([...client.links.values()].map(({ owner }) => [owner.inFlight, owner.streams])).toEqual([
      [2, 0],
      [2, 0],
    ]);
    client.clock.advance(11_000);
    const last = open();
    open();
    expect([...client.links.values()].map(({ owner }) => [owner.inFlight, owner.streams, owner.running])).toEqual([
      [0, 3, 3],
      [0, 3, 3],
    ]);
    last.finish('ok', 'peer');
    expect(last.endpoint.streams).toBe(2);
  });

  test('that move to an endpoint go there, or nowhere', () => {
    const client = new FakeClient('a b');
    const b = client.link('b').owner;
    const to = (): Picked | NoPick => client.stream(LASTING, { ...NO_VISITS, to: b });
    // It has been there, and the server has shed it.
    expect(client.stream(LASTING, { ...NO_VISITS, tried: [b], only: 'untried', to: b })).toBe('none');
    expect([1, 2, 3].map(() => nameOf((to() as Picked).endpoint))).toEqual(['b', 'b', 'b']);
    client.link('b').connections[0]!.full = true;
    expect(to()).toBe('none');
    client.link('b').connections[0]!.full = false;
    client.link('b').serving = false;
    b.update();
    expect(to()).toBe('none');
  });

  test('that leave an endpoint go to another one if there is one', () => {
    const client = new FakeClient('a b');
    const leave = (name: string): string =>
      nameOf((client.stream(LASTING, { ...NO_VISITS, leaving: client.link(name).owner }) as Picked).endpoint);
    expect([leave('a'), leave('a'), leave('a')]).toEqual(['b', 'b', 'b']);
    client.list('a');
    expect(leave('a')).toBe('a');
  });

  test('move to an endpoint that joins, one in ten seconds, once it is warm', () => {
    const client = new FakeClient('a b');
    subscribe(client, 12);
    client.clock.advance(5000);
    client.list('a b c');
    expect(streamsOf(client)).toEqual({ a: 6, b: 6, c: 0 });
    client.clock.advance(2000);
    expect(streamsOf(client)['c']).toBe(0);
    client.clock.advance(60_000);
    expect(streamsOf(client)).toEqual({ a: 4, b: 4, c: 4 });
    const moves = client.events.filter(({ type }) => type === 'stream_rebalanced');
    expect(moves).toHaveLength(4);
    expect(moves[0]).toMatchObject({ address: expect.stringMatching(/^unix:[ab]$/) as string, to: 'unix:c' });
    expect(client.totals.snapshot().streamMoves).toEqual({ rebalance: 4 });
  });

  test.for([
    ['draining', (client: FakeClient) => Object.assign(client.link('a'), { serving: false }).owner.update()],
    ['ejected', (client: FakeClient) => client.balancing.eject('unix:a', 60_000, 'by hand')],
    ['removed', (client: FakeClient) => client.list('b c')],
    ['removed', (client: FakeClient) => client.balancing.drain('unix:a')],
  ] as const)('leave an endpoint within two seconds: %s', ([reason, leave]) => {
    const client = new FakeClient('a b c');
    subscribe(client, 30);
    leave(client);
    expect(streamsOf(client)['a']).toBe(10);
    client.clock.advance(2020);
    expect(streamsOf(client)).toMatchObject({ b: 15, c: 15 });
    expect(client.links.get('a')!.owner.streams).toBe(0);
    expect(client.events).toContainEqual({ type: 'streams_leaving', address: 'unix:a', reason, streams: 10 });
    expect(client.totals.snapshot().streamMoves).toEqual({ [reason]: 10 });
  });

  test('stay where they are while all endpoints are used in panic', () => {
    const client = new FakeClient('a b c');
    subscribe(client, 9);
    for (const name of ['a', 'b']) Object.assign(client.link(name), { serving: false }).owner.update();
    client.clock.advance(60_000);
    expect(streamsOf(client)).toEqual({ a: 3, b: 3, c: 3 });
  });
});
