import { describe, expect, test } from 'vitest';
import { RequestRelay, type RequestOutlet } from './request-relay.js';

/** A call that takes requests, up to `room`. */
class Outlet implements RequestOutlet<string> {
  readonly got: string[] = [];

  constructor(public room = Infinity) {}

  get ready(): boolean {
    return this.got.length < this.room;
  }

  send(request: string): void {
    this.got.push(request);
  }

  halfClose(): void {
    this.got.push('(end)');
  }
}

/** A relay with one call, and requests in it: one that begins with a capital letter has no key. */
function setUp({ cumulative = false, limit = 100, bytes = Infinity, room = Infinity } = {}) {
  const relay = new RequestRelay<string>(cumulative, { requests: limit, bytes });
  const add = (...requests: string[]): void => {
    for (const request of requests) relay.add(request, request === request.toUpperCase() ? undefined : request, 10);
  };
  const open = (opening: string | undefined, moving = false, outlet = new Outlet()): Outlet => {
    relay.open(outlet, opening, moving);
    relay.pump();
    return outlet;
  };
  return { relay, add, open, first: open('open', false, new Outlet(room)) };
}

describe('a new call after a lost one', () => {
  test('gets what opens it, then what is not acknowledged, then the rest, then the end', () => {
    const { relay, add, open, first } = setUp();
    add('a', 'b', 'c');
    relay.acknowledge('b');
    relay.interrupted();
    add('d');
    const next = open('open at 2');
    add('e');
    relay.complete();
    expect(first.got).toEqual(['open', 'a', 'b', 'c']);
    expect(next.got).toEqual(['open at 2', 'a', 'c', 'd', 'e', '(end)']);
  });

  test('does not get requests without a key again, but those that no call has got', () => {
    const { relay, add, open } = setUp();
    add('A', 'b');
    relay.interrupted();
    add('C');
    expect(open(undefined).got).toEqual(['b', 'C']);
  });

  test('gets the end again', () => {
    const { relay, open } = setUp();
    relay.complete();
    relay.interrupted();
    expect(open('open').got).toEqual(['open', '(end)']);
  });
});

describe('during a move', () => {
  test('the new call gets requests as soon as it has reached a server, and the old one none', () => {
    const { relay, add, open, first } = setUp();
    add('a');
    const next = open('open at 1', true);
    add('b');
    expect([first.got, next.got]).toEqual([['open', 'a', 'b'], []]);
    relay.placed(next);
    add('c');
    expect(next.got).toEqual(['open at 1', 'a', 'b', 'c']);
    relay.moved();
    add('d');
    expect([first.got, next.got]).toEqual([
      ['open', 'a', 'b'],
      ['open at 1', 'a', 'b', 'c', 'd'],
    ]);
  });

  test('the old call gets what only the new one has got, if that fails: also requests without a key, and the end', () => {
    const { relay, add, open, first } = setUp();
    const next = open('open at 1', true);
    relay.placed(next);
    add('a', 'B');
    relay.complete();
    expect(next.got).toEqual(['open at 1', 'a', 'B', '(end)']);
    relay.stayed();
    expect(first.got).toEqual(['open', 'a', 'B', '(end)']);
  });

  test('requests without a key are over when the new call has taken over', () => {
    const { relay, add, open } = setUp();
    const next = open('open at 1', true);
    relay.placed(next);
    add('A', 'B');
    expect(relay.size).toBe(2);
    relay.moved();
    expect(relay.size).toBe(0);
  });
});

describe('acknowledgments', () => {
  test('of a request that no call has taken, or that is unknown, count for nothing', () => {
    const { relay, add } = setUp({ room: 2 });
    add('a', 'b');
    relay.acknowledge('b');
    relay.acknowledge('z');
    expect(relay.size).toBe(2);
    relay.acknowledge('a');
    expect(relay.size).toBe(1);
  });

  test('if they are cumulative, are also for the requests before', () => {
    const { relay, add, open } = setUp({ cumulative: true });
    add('a', 'b', 'c', 'd');
    relay.acknowledge('c');
    relay.interrupted();
    expect(open(undefined).got).toEqual(['d']);
  });

  test('in any order leave no trace', () => {
    const { relay, add, open } = setUp({ limit: 10 });
    add('first');
    for (let i = 0; i < 10_000; i++) {
      add(`a${i}`);
      relay.acknowledge(`a${i}`);
    }
    expect(relay.size).toBe(1);
    relay.interrupted();
    expect(open(undefined).got).toEqual(['first']);
  });
});

test('the request that opens calls may come later', () => {
  const relay = new RequestRelay<string>(false, { requests: 10, bytes: 1000 });
  const outlet = new Outlet();
  relay.open(outlet, undefined, false);
  relay.pump();
  relay.begin('open');
  relay.add('a', 'a', 1);
  expect(outlet.got).toEqual(['open', 'a']);
});

test('a call that is not ready gets its requests later', () => {
  const { relay, add, first } = setUp({ room: 1 });
  add('a', 'b');
  expect(first.got).toEqual(['open']);
  first.room = 2;
  relay.pump();
  expect(first.got).toEqual(['open', 'a']);
});

test('has no room while requests of as many bytes wait as the limit allows, whatever has been sent', () => {
  const { relay, add } = setUp({ bytes: 25 });
  add('a', 'b');
  expect([relay.bytes, relay.hasRoom]).toEqual([20, true]);
  add('c');
  expect([relay.bytes, relay.hasRoom]).toEqual([30, false]);
  relay.acknowledge('b');
  expect([relay.bytes, relay.hasRoom]).toEqual([20, true]);
  relay.acknowledge('b');
  relay.acknowledge('a');
  relay.acknowledge('c');
  expect(relay.bytes).toBe(0);
  // One that no call repeats does not wait once it is sent.
  add('D');
  expect(relay.bytes).toBe(0);
});

test('has no room while as many requests wait as the limit allows', () => {
  const { relay, add } = setUp({ limit: 2 });
  add('a', 'b');
  expect(relay.hasRoom).toBe(false);
  relay.acknowledge('a');
  expect(relay.hasRoom).toBe(true);
});

test('a key that waits already is refused', () => {
  const { relay } = setUp();
  expect(relay.add('a', 1, 1)).toBe(true);
  expect(relay.add('b', 1, 1)).toBe(false);
  relay.acknowledge(1);
  expect(relay.add('c', 1, 1)).toBe(true);
});
