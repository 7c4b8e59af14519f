import { describe, expect, onTestFinished, test } from 'vitest';
import { FakeClock } from '../../../../../../test/support/time/fake-clock.js';
import type { EventBody } from '../../events.js';
import { effectiveLoadBalancing } from '../../options/load-balancing.js';
import type { PolicyConfig } from '../../options/policy-config.js';
import { OwnStall } from '../../own-stall.js';
import type { CallInfo, Policy } from '../../policy/policy.js';
import { seededRandom } from '../../random.js';
import type { PlacedStream } from '../../streams/placed-stream.js';
import { Totals } from '../../totals.js';
import { Balancing } from '../balancing.js';
import { type Carrier, type Link, NO_LINK } from '../members/link.js';
import type { Member } from '../members/member.js';
import { Attempt } from './attempt.js';
import type { Attempts } from './attempts.js';
import { type NoPick, Picker } from './picker.js';
import { NO_VISITS, type Visits } from './visits.js';

/** A connection that the test opens, fills and loses. */
class Connection implements Carrier {
  inFlight = 0;
  lost = false;
  full = false;

  constructor(readonly readyAt: number) {}

  callStarted(): void {}

  callAnswered(): void {}
}

class FakeLink implements Link<Connection> {
  serving = true;
  readonly notServing = null;
  readonly suspicion = undefined;
  readonly failure = null;
  readonly canGrow = false;
  readonly released = NO_LINK.released;
  readonly configure = NO_LINK.configure;
  readonly grow = NO_LINK.grow;
  readonly dialNow = NO_LINK.dialNow;
  readonly recycle = NO_LINK.recycle;
  readonly askReport = NO_LINK.askReport;
  readonly close = NO_LINK.close;
  readonly snapshot = NO_LINK.snapshot;
  failing = false;
  /** Whether a lost connection is replaced. */
  replaces = true;
  connections: Connection[] = [];

  constructor(
    private readonly clock: FakeClock,
    readonly owner: Member<Connection>,
  ) {}

  get usable(): boolean {
    return this.connections.length > 0;
  }

  get empty(): boolean {
    return !this.usable;
  }

  get size(): number {
    return this.connections.length;
  }

  get roomToCome(): number {
    return this.usable || this.failing || !this.replaces ? 0 : 100;
  }

  get hasRoom(): boolean {
    return this.withRoom() !== undefined;
  }

  withRoom(youngerThan = -1): Connection | undefined {
    return this.connections.find(({ full, readyAt }) => !full && readyAt > youngerThan);
  }

  open(): void {
    this.failing = false;
    this.connections.push(new Connection(this.clock.now()));
    this.owner.reachable();
    this.owner.update();
  }

  lose(): void {
    for (const connection of this.connections.splice(0)) connection.lost = true;
    this.owner.update();
  }

  /** Opens a new connection, then loses the old one. */
  replace(): void {
    const [old] = this.connections;
    this.open();
    this.connections.shift();
    old!.lost = true;
  }

  fail(): void {
    this.failing = true;
    this.owner.update();
  }

  drain(): void {
    this.replaces = false;
    this.lose();
  }
}

const STREAM: CallInfo = { method: '', stream: true };

class Picked extends Attempt<Connection> {
  readonly report = undefined;

  constructor(
    attempts: Attempts<Connection>,
    member: Member<Connection>,
    connection: Connection,
    policy: Policy,
    readonly call: CallInfo,
  ) {
    super(attempts, member, connection, policy);
  }
}

/** A client of endpoints named by letters: `a` is of priority 0, `b1` of priority 1. */
class Client {
  readonly clock = new FakeClock();
  readonly links = new Map<string, FakeLink>();
  readonly events: EventBody[] = [];
  readonly totals = new Totals();
  readonly balancing: Balancing<Connection>;
  picker!: Picker<Connection, Picked, CallInfo>;

  constructor(names: string, policy: PolicyConfig = { name: 'least_request' }) {
    const { clock } = this;
    const environment = {
      clock,
      random: seededRandom(1),
      loadBalancing: effectiveLoadBalancing({ policy }),
      zone: undefined,
      ownStall: new OwnStall(clock),
      totals: this.totals,
      emit: (event: EventBody) => void this.events.push(event),
    };
    this.balancing = new Balancing(environment, {
      connect: (member) => {
        const link = new FakeLink(clock, member);
        this.links.set(nameOf(member), link);
        return link;
      },
      changed: (balancing) => {
        const { attempts } = balancing;
        this.picker = new Picker(
          balancing,
          (member, connection, call, picks) => new Picked(attempts, member, connection, picks, call),
        );
      },
      released: () => {},
    });
    onTestFinished(() => this.balancing.close());
    this.list(names);
  }

  list(names: string): void {
    this.balancing.adopt(
      names.split(' ').map((name) => ({ address: { path: name }, priority: Number(name.slice(1) || 0) })),
    );
  }

  /** Opens a stream. */
  stream(call = LASTING, visits?: Visits<Connection>): Picked | NoPick {
    const picked = this.picker.pick(call, call, this.balancing.policies.common, false, visits);
    if (typeof picked !== 'string') picked.begin();
    return picked;
  }

  link(name: string): FakeLink {
    return this.links.get(name)!;
  }
}

const nameOf = ({ key }: Member<Connection>): string => key.slice('unix:'.length);

/** One call and its attempts, each of which takes a millisecond. */
class Call {
  readonly attempts: Picked[] = [];

  constructor(
    private readonly client: Client,
    private readonly hashKey = 'key',
  ) {}

  /** The name of the endpoint that takes the next attempt. */
  next(only?: Visits<Connection>['only']): string {
    const { picker, balancing, clock } = this.client;
    const call = { method: '', stream: false, hashKey: this.hashKey };
    const all = this.attempts;
    const visits = all.length === 0 ? NO_VISITS : { all, tried: all.map(({ endpoint }) => endpoint), only };
    const policy = balancing.policies.common;
    const picked: Picked | NoPick = picker.pick(call, call, policy, false, visits);
    if (typeof picked === 'string') return picked;
    picked.begin();
    this.attempts.push(picked);
    clock.advance(1);
    return nameOf(picked.endpoint);
  }

  /** The last attempt is refused before it runs. */
  refuse(): void {
    this.attempts.at(-1)!.refusedAt = this.client.clock.now();
    this.client.clock.advance(1);
  }

  /** A transparent retry. */
  again(): string {
    return this.next('untried_or_new_connection');
  }

  refused(): string {
    this.refuse();
    return this.again();
  }
}

const POLICIES: PolicyConfig[] = [
  { name: 'least_request' },
  { name: 'round_robin' },
  { name: 'pick_first' },
  { name: 'ring_hash', by: 'user' },
];

describe.each(POLICIES)('under $name, a retry', (policy) => {
  test('goes to an endpoint that the call has not tried, while there is one', () => {
    for (let i = 0; i < 20; i++) {
      const call = new Call(new Client('a b c d', policy), `key ${i}`);
      const names = [call.next(), call.next(), call.next(), call.next()];
      expect(names.toSorted()).toEqual(['a', 'b', 'c', 'd']);
      // All have been tried, so any is as good.
      expect(names).toContain(call.next());
    }
  });

  test('of two failing endpoints among four, the third attempt finds another', () => {
    const failing = new Set(['a', 'b']);
    for (let i = 0; i < 50; i++) {
      const call = new Call(new Client('a b c d', policy), `key ${i}`);
      let name = call.next();
      for (let attempt = 1; attempt < 3 && failing.has(name); attempt++) name = call.next();
      expect(failing).not.toContain(name);
    }
  });
});

describe('a retry', () => {
  test('leaves a priority of which it has tried all endpoints', () => {
    const client = new Client('a b c d1');
    for (const name of ['b', 'c']) {
      client.link(name).lose();
      client.link(name).fail();
    }
    for (let i = 0; i < 20; i++) {
      const call = new Call(client);
      expect([call.next(), call.next()].toSorted()).toEqual(['a', 'd1']);
    }
  });

  test('goes back to an endpoint that it has tried if all others are full', () => {
    const client = new Client('a b');
    client.link('b').connections[0]!.full = true;
    const call = new Call(client);
    expect([call.next(), call.next()]).toEqual(['a', 'a']);
  });
});

describe('a hedge', () => {
  test('goes to endpoints that the call has not tried, and to none if there is no other', () => {
    const call = new Call(new Client('a b c'));
    const names = [call.next(), call.next('untried'), call.next('untried')];
    expect(names.toSorted()).toEqual(['a', 'b', 'c']);
    expect(call.next('untried')).toBe('none');
    expect(call.attempts).toHaveLength(3);
  });

  test('waits while all endpoints that the call has not tried are full', () => {
    const client = new Client('a b');
    client.link('b').connections[0]!.full = true;
    const call = new Call(client);
    expect([call.next(), call.next('untried')]).toEqual(['a', 'wait']);
    client.link('b').connections[0]!.full = false;
    expect(call.next('untried')).toBe('b');
  });
});

describe('a call that is refused before it runs', () => {
  test('visits each endpoint once, the last of them once more, and then none', () => {
    const call = new Call(new Client('a b c'));
    const names = [call.next(), call.refused(), call.refused()];
    expect(names.toSorted()).toEqual(['a', 'b', 'c']);
    expect(call.refused()).toBe(names[2]);
    expect(call.refused()).toBe('none');
  });

  test('is sent once more on a connection that lives on', () => {
    const call = new Call(new Client('a'));
    expect([call.next(), call.refused(), call.refused()]).toEqual(['a', 'a', 'none']);
    expect(new Set(call.attempts.map(({ connection }) => connection)).size).toBe(1);
  });

  test('goes to a new connection, and to no other one that is as old as the refusal', () => {
    const client = new Client('a b');
    const call = new Call(client);
    const [first, second] = [call.next(), call.refused()];
    client.clock.advance(10);
    client.link(first).open();
    expect(call.refused()).toBe(first);
    expect(call.attempts[2]!.connection).toBe(client.link(first).connections[1]);
    expect(second).not.toBe(first);
  });

  test('waits for the new connection while the old one is lost', () => {
    const client = new Client('a b');
    const call = new Call(client);
    const [first] = [call.next(), call.next('untried')];
    call.attempts[0]!.refusedAt = client.clock.now();
    call.refuse();
    client.link(first).lose();
    expect(call.again()).toBe('wait');
    client.link(first).open();
    expect(call.again()).toBe(first);
  });

  test('waits no longer for an endpoint that has left, or cannot be reached', () => {
    for (const leave of [
      (client: Client, name: string) => client.list(name === 'a' ? 'b' : 'a'),
      (client: Client, name: string) => client.link(name).fail(),
    ]) {
      const client = new Client('a b');
      const call = new Call(client);
      const [first, second] = [call.next(), call.refused()];
      client.link(first).lose();
      call.refuse();
      expect(call.again()).toBe('wait');
      leave(client, first);
      expect(call.again()).toBe(second);
      expect(call.refused()).toBe('none');
    }
  });

  test('does not wait for a connection that is not replaced', () => {
    const client = new Client('a');
    client.link('a').open();
    const call = new Call(client);
    call.next();
    call.refuse();
    // An extra connection.
    call.attempts[0]!.connection.lost = true;
    client.link('a').connections.shift();
    expect(call.again()).toBe('a');
    expect(call.refused()).toBe('none');
  });

  test('does not wait for a connection that another one has replaced and that refused it as well', () => {
    const client = new Client('a');
    const call = new Call(client);
    call.next();
    call.refuse();
    client.link('a').replace();
    expect(call.again()).toBe('a');
    expect(call.refused()).toBe('none');
  });

  test('goes to five new connections at most', () => {
    const client = new Client('a');
    const call = new Call(client);
    const names = [call.next()];
    for (let i = 0; i < 6; i++) {
      call.refuse();
      client.link('a').replace();
      names.push(call.again());
    }
    expect(names).toEqual(['a', 'a', 'a', 'a', 'a', 'a', 'none']);
  });
});

test('a streaming probe brings the endpoint back before it ends', () => {
  const client = new Client('a b');
  const { clock, balancing } = client;
  for (const name of ['a', 'b']) client.link(name).open();
  const policy = balancing.policies.common;
  const pick = (): Picked => {
    const picked = client.picker.pick(STREAM, STREAM, policy, false) as Picked;
    picked.begin();
    return picked;
  };
  const stateOfA = (): string => balancing.endpoints(0).find(({ address }) => address === 'unix:a')!.state;
  const attempts = Array.from({ length: 40 }, pick);
  clock.advance(1);
  const [ofA, ofB] = ['a', 'b'].map((name) => attempts.filter(({ endpoint }) => nameOf(endpoint) === name));
  for (const attempt of ofB!) attempt.finish('ok', 'peer');
  for (const attempt of ofA!) attempt.finish('failed', 'peer');
  expect(stateOfA()).toBe('ejected');
  clock.advance(60_000);
  const stream = pick();
  expect(nameOf(stream.endpoint)).toBe('a');
  clock.advance(999);
  expect(stateOfA()).toBe('ejected');
  clock.advance(1);
  expect(stateOfA()).toBe('ready');
  stream.finish('failed', 'unknown');
  expect(stateOfA()).toBe('ready');
});

/** A stream that can resume, and moves as soon as it is asked to. */
class Subscription implements PlacedStream<Member<Connection>> {
  readonly movable = true;
  attempt: Picked;

  constructor(
    private readonly client: Client,
    private readonly call = LASTING,
  ) {
    this.attempt = client.stream(call) as Picked;
    client.balancing.streams.opened(this);
  }

  get endpoint(): Member<Connection> {
    return this.attempt.endpoint;
  }

  get keyed(): boolean {
    return this.attempt.keyed;
  }

  get home(): Member<Connection> | undefined {
    return this.attempt.home;
  }

  move(...[reason, to]: Parameters<PlacedStream<Member<Connection>>['move']>): void {
    const from = this.attempt;
    const visits = { ...NO_VISITS, leaving: this.endpoint, to };
    const picked = this.client.stream(this.call, visits);
    if (typeof picked === 'string') return;
    this.attempt = picked;
    from.finish('refused', 'caller');
    this.client.balancing.streams.moved(this, from.endpoint, reason);
  }
}

const LASTING: CallInfo = { method: '/Orders/Watch', stream: true, lasting: true };

describe('streams that last', () => {
  const streamsOf = ({ links }: Client): Record<string, number> =>
    Object.fromEntries([...links].map(([name, link]) => [name, link.owner.streams]));

  const subscribe = (client: Client, count: number): Subscription[] =>
    Array.from({ length: count }, () => new Subscription(client));

  test.for(['least_request', 'adaptive', 'peak_ewma', 'hot_cold'] as const)(
    'are divided evenly by %s, in one tick, and count neither as calls nor against them',
    (name) => {
      const client = new Client('a b c', { name });
      const attempts = Array.from({ length: 30 }, () => client.stream() as Picked);
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
    const client = new Client('a b', { name });
    const [first] = subscribe(client, 9);
    expect(first!.keyed).toBe(false);
    for (const attempt of Array.from({ length: 4 }, () => client.stream() as Picked))
      if (nameOf(attempt.endpoint) === 'a') attempt.finish('ok', 'peer');
    client.clock.advance(120_000);
    const { a, b } = streamsOf(client);
    expect(Math.abs(a! - b!)).toBeLessThan(3);
  });

  test.for(['pick_first', 'ring_hash', 'weighted_round_robin'] as const)('do not move to even out %s', (name) => {
    const client = new Client('a b', { name } as PolicyConfig);
    for (const each of subscribe(client, 9)) expect(each.keyed).toBe(true);
    const before = streamsOf(client);
    client.list('a b c');
    client.clock.advance(120_000);
    expect(streamsOf(client)).toEqual({ ...before, c: 0 });
  });

  const SESSIONS = Array.from({ length: 30 }, (_, i) => ({ ...LASTING, hashKey: `key ${i}` }));

  test.for([{}, { ring: 'grpc' }] as const)('follow their keys when an endpoint joins: %s', (options) => {
    const client = new Client('a b c', { name: 'ring_hash', by: 'x-key', ...options });
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
    const client = new Client('a b c', { name: 'ring_hash', by: 'x-key', boundedLoad: 1.2 });
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
    const client = new Client('a b');
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
    const client = new Client('a b');
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
    const client = new Client('a b');
    const leave = (name: string): string =>
      nameOf((client.stream(LASTING, { ...NO_VISITS, leaving: client.link(name).owner }) as Picked).endpoint);
    expect([leave('a'), leave('a'), leave('a')]).toEqual(['b', 'b', 'b']);
    client.list('a');
    expect(leave('a')).toBe('a');
  });

  test('move to an endpoint that joins, one in ten seconds, once it is warm', () => {
    const client = new Client('a b');
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
    ['draining', (client: Client) => Object.assign(client.link('a'), { serving: false }).owner.update()],
    ['ejected', (client: Client) => client.balancing.eject('unix:a', 60_000, 'by hand')],
    ['removed', (client: Client) => client.list('b c')],
    ['removed', (client: Client) => client.balancing.drain('unix:a')],
  ] as const)('leave an endpoint within two seconds: %s', ([reason, leave]) => {
    const client = new Client('a b c');
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
    const client = new Client('a b c');
    subscribe(client, 9);
    for (const name of ['a', 'b']) Object.assign(client.link(name), { serving: false }).owner.update();
    client.clock.advance(60_000);
    expect(streamsOf(client)).toEqual({ a: 3, b: 3, c: 3 });
  });
});
