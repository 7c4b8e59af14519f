import { describe, expect, test } from 'vitest';
import {
  FakeClient,
  type FakeConnection,
  nameOf,
  type Picked,
} from '../../../../../../test/support/balancing/fake-client.js';
import type { PolicyConfig } from '../../options/policy-config.js';
import type { CallInfo } from '../../policy/policy.js';
import type { NoPick } from './picker.js';
import { NO_VISITS, type Visits } from './visits.js';

const STREAM: CallInfo = { method: '', stream: true };

/** One call and its attempts, each of which takes a millisecond. */
class Call {
  readonly attempts: Picked[] = [];

  constructor(
    private readonly client: FakeClient,
    private readonly hashKey = 'key',
  ) {}

  /** The name of the endpoint that takes the next attempt. */
  next(only?: Visits<FakeConnection>['only']): string {
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

const LETTERS = 'abcdefghijk'.split('');

const POLICIES: PolicyConfig[] = [
  { name: 'least_request' },
  { name: 'round_robin' },
  { name: 'pick_first' },
  { name: 'ring_hash', by: 'user' },
];

describe.each(POLICIES)('under $name, a retry', (policy) => {
  test('goes to an endpoint that the call has not tried, while there is one', () => {
    for (let i = 0; i < 20; i++) {
      const call = new Call(new FakeClient('a b c d', policy), `key ${i}`);
      const names = [call.next(), call.next(), call.next(), call.next()];
      expect(names.toSorted()).toEqual(['a', 'b', 'c', 'd']);
      // All have been tried, so any is as good.
      expect(names).toContain(call.next());
    }
  });

  test('of two failing endpoints among four, the third attempt finds another', () => {
    const failing = new Set(['a', 'b']);
    for (let i = 0; i < 50; i++) {
      const call = new Call(new FakeClient('a b c d', policy), `key ${i}`);
      let name = call.next();
      for (let attempt = 1; attempt < 3 && failing.has(name); attempt++) name = call.next();
      expect(failing).not.toContain(name);
    }
  });
});

describe('a retry', () => {
  test('leaves a priority of which it has tried all endpoints', () => {
    const client = new FakeClient('a b c d1');
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
    const client = new FakeClient('a b');
    client.link('b').connections[0]!.full = true;
    const call = new Call(client);
    expect([call.next(), call.next()]).toEqual(['a', 'a']);
  });
});

describe('a hedge', () => {
  test('goes to endpoints that the call has not tried, and to none if there is no other', () => {
    const call = new Call(new FakeClient('a b c'));
    const names = [call.next(), call.next('untried'), call.next('untried')];
    expect(names.toSorted()).toEqual(['a', 'b', 'c']);
    expect(call.next('untried')).toBe('none');
    expect(call.attempts).toHaveLength(3);
  });

  test('waits while all endpoints that the call has not tried are full', () => {
    const client = new FakeClient('a b');
    client.link('b').connections[0]!.full = true;
    const call = new Call(client);
    expect([call.next(), call.next('untried')]).toEqual(['a', 'wait']);
    client.link('b').connections[0]!.full = false;
    expect(call.next('untried')).toBe('b');
  });
});

describe('a call that is refused before it runs', () => {
  test('visits each endpoint once, the last of them once more, and then none', () => {
    const call = new Call(new FakeClient('a b c'));
    const names = [call.next(), call.refused(), call.refused()];
    expect(names.toSorted()).toEqual(['a', 'b', 'c']);
    expect(call.refused()).toBe(names[2]);
    expect(call.refused()).toBe('none');
  });

  test('visits a hundred endpoints at most, however many there are', () => {
    const client = new FakeClient(LETTERS.flatMap((a) => LETTERS.map((b) => a + b)).join(' '));
    const call = new Call(client);
    const names = [call.next()];
    while (names.at(-1) !== 'none') names.push(call.refused());
    expect(new Set(names.slice(0, 100)).size).toBe(100);
    expect(names.slice(100)).toEqual([names[99], 'none']);
  });

  test('is sent once more on a connection that lives on', () => {
    const call = new Call(new FakeClient('a'));
    expect([call.next(), call.refused(), call.refused()]).toEqual(['a', 'a', 'none']);
    expect(new Set(call.attempts.map(({ connection }) => connection)).size).toBe(1);
  });

  test('goes to a new connection, and to no other one that is as old as the refusal', () => {
    const client = new FakeClient('a b');
    const call = new Call(client);
    const [first, second] = [call.next(), call.refused()];
    client.clock.advance(10);
    client.link(first).open();
    expect(call.refused()).toBe(first);
    expect(call.attempts[2]!.connection).toBe(client.link(first).connections[1]);
    expect(second).not.toBe(first);
  });

  test('waits for the new connection while the old one is lost', () => {
    const client = new FakeClient('a b');
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
      (client: FakeClient, name: string) => client.list(name === 'a' ? 'b' : 'a'),
      (client: FakeClient, name: string) => client.link(name).fail(),
    ]) {
      const client = new FakeClient('a b');
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
    const client = new FakeClient('a');
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
    const client = new FakeClient('a');
    const call = new Call(client);
    call.next();
    call.refuse();
    client.link('a').replace();
    expect(call.again()).toBe('a');
    expect(call.refused()).toBe('none');
  });

  test('goes to five new connections at most', () => {
    const client = new FakeClient('a');
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
  const client = new FakeClient('a b');
  const { clock, balancing } = client;
  for (const name of ['a', 'b']) client.link(name).open();
  const policy = balancing.policies.common;
  const pick = (): Picked => {
    const picked = client.picker.pick(STREAM, STREAM, policy, false) as Picked;
    picked.begin();
    return picked;
  };
  const stateOfA = (): string => balancing.endpoints().find(({ address }) => address === 'unix:a')!.state;
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
