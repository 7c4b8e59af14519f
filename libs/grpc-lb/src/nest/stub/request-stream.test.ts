import { EventEmitter, on } from 'node:events';
import { concat, NEVER, of, range, Subject, throwError } from 'rxjs';
import { describe, expect, it } from 'vitest';
import { isRequestStream, writeRequests } from './request-stream.js';

/** A call whose connection takes `room` requests, and more after each `drain`. */
class SlowCall extends EventEmitter {
  readonly written: unknown[] = [];
  ended = false;
  #left: number;

  constructor(private readonly room: number) {
    super();
    this.#left = room;
  }

  write(item: unknown): boolean {
    if (this.ended) throw new Error('write after end');
    this.written.push(item);
    return --this.#left > 0;
  }

  end(): this {
    this.ended = true;
    return this;
  }

  drain(): void {
    this.#left = this.room;
    this.emit('drain');
  }
}

const unexpected = (error: unknown): never => {
  throw new Error('No error is expected', { cause: error });
};

/** Waits until all promises that can settle have done so. */
const settled = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));

/** An async iterator that records calls to it; `next` never resolves after `count` items. */
function iterator(count = Infinity): AsyncIterableIterator<number> & { pulled: number; returned: number } {
  return {
    pulled: 0,
    returned: 0,
    [Symbol.asyncIterator]() {
      return this;
    },
    async next() {
      this.pulled++;
      if (this.pulled > count) await new Promise(() => {});
      return { done: false, value: this.pulled };
    },
    async return() {
      this.returned++;
      return { done: true, value: undefined };
    },
  };
}

describe('an iterable', () => {
  it('is written whole and in order, then the call is ended', async () => {
    for (const items of [[1, 2, 3], new Set([1, 2, 3]), numbers()]) {
      const call = new SlowCall(Infinity);
      writeRequests(items, call, unexpected);
      await settled();
      expect(call).toMatchObject({ written: [1, 2, 3], ended: true });
    }
    async function* numbers(): AsyncGenerator<number> {
      yield 1;
      yield 2;
      yield 3;
    }
  });

  it('is advanced only when there is room', async () => {
    const call = new SlowCall(4);
    const items = iterator();
    writeRequests(items, call, unexpected);
    await settled();
    expect(items.pulled).toBe(4);
    call.drain();
    await settled();
    expect(items.pulled).toBe(8);
  });

  it.each([0, 1, 10])(
    'is closed when the call stops after %i items, even while the next one is awaited',
    async (count) => {
      const call = new SlowCall(Infinity);
      const items = iterator(count);
      const stop = writeRequests(items, call, unexpected);
      await settled();
      expect(call.written).toHaveLength(count);
      stop();
      await settled();
      expect(items.returned).toBe(1);
      expect(call).toMatchObject({ ended: false });
      expect(call.eventNames()).toEqual([]);
    },
  );

  it('is closed when the call stops while it is full', async () => {
    const call = new SlowCall(2);
    const items = iterator();
    const stop = writeRequests(items, call, unexpected);
    await settled();
    stop();
    await settled();
    expect(items).toMatchObject({ pulled: 2, returned: 1 });
    expect(call.eventNames()).toEqual([]);
  });

  it('removes its listeners from the emitter', async () => {
    const emitter = new EventEmitter();
    const stop = writeRequests(on(emitter, 'order'), new SlowCall(2), unexpected);
    await settled();
    expect(emitter.listenerCount('order')).toBe(1);
    stop();
    await settled();
    expect(emitter.listenerCount('order')).toBe(0);
  });

  it('runs the finally of a generator when the call stops', async () => {
    let cleaned = false;
    function* items(): Generator<number> {
      try {
        for (let i = 0; ; i++) yield i;
      } finally {
        cleaned = true;
      }
    }
    const stop = writeRequests(items(), new SlowCall(3), unexpected);
    await settled();
    stop();
    await settled();
    expect(cleaned).toBe(true);
  });

  it('is not closed again when it has ended by itself', async () => {
    const items = Object.assign(iterator(), { next: () => Promise.resolve({ done: true as const, value: undefined }) });
    const stop = writeRequests(items, new SlowCall(3), unexpected);
    await settled();
    stop();
    await settled();
    expect(items.returned).toBe(0);
  });

  it('reports its error, and the call is not ended', async () => {
    const error = new Error('no more orders');
    async function* failing(): AsyncGenerator<number> {
      yield 1;
      throw error;
    }
    const call = new SlowCall(3);
    const told: unknown[] = [];
    writeRequests(failing(), call, (each) => told.push(each));
    await settled();
    expect(told).toEqual([error]);
    expect(call).toMatchObject({ written: [1], ended: false });
  });

  it('that throws on iteration reports its error', async () => {
    const error = new Error('no orders at all');
    const items: Iterable<number> = {
      [Symbol.iterator]: () => {
        throw error;
      },
    };
    const told: unknown[] = [];
    writeRequests(items, new SlowCall(3), (each) => told.push(each));
    await settled();
    expect(told).toEqual([error]);
  });

  it('may stop its own call', async () => {
    let stop = (): void => {};
    let cleaned = false;
    function* items(): Generator<number> {
      try {
        yield 1;
        stop();
        yield 2;
      } finally {
        cleaned = true;
      }
    }
    const call = new SlowCall(3);
    stop = writeRequests(items(), call, unexpected);
    await settled();
    expect(call).toMatchObject({ written: [1], ended: false });
    expect(cleaned).toBe(true);
  });

  it('that fails on close reports no error', async () => {
    const items = Object.assign(iterator(1), { return: () => Promise.reject(new Error('cannot close')) });
    const told: unknown[] = [];
    const stop = writeRequests(items, new SlowCall(3), (error) => told.push(error));
    await settled();
    stop();
    await settled();
    expect(told).toEqual([]);
  });
});

describe('an Observable', () => {
  it('is written whole and in order, then the call is ended', () => {
    const call = new SlowCall(Infinity);
    writeRequests(of(1, 2, 3), call, unexpected);
    expect(call).toMatchObject({ written: [1, 2, 3], ended: true });
  });

  it('that is faster than the call is buffered in order, and the call is ended after the last item', () => {
    const call = new SlowCall(4);
    writeRequests(range(0, 10), call, unexpected);
    const steps = [[...call.written]];
    while (!call.ended) {
      call.drain();
      steps.push([...call.written]);
    }
    expect(steps.map(({ length }) => length)).toEqual([4, 8, 10]);
    expect(call.written).toEqual([0, 1, 2, 3, 4, 5, 6, 7, 8, 9]);
  });

  it('whose last item fills the call ends it once there is room', () => {
    const call = new SlowCall(2);
    writeRequests(of(1, 2), call, unexpected);
    expect(call.ended).toBe(false);
    call.drain();
    expect(call).toMatchObject({ written: [1, 2], ended: true });
  });

  it('that emits while items wait keeps the order', () => {
    const call = new SlowCall(1);
    const items = new Subject<number>();
    writeRequests(items, call, unexpected);
    for (const item of [1, 2, 3]) items.next(item);
    call.drain();
    items.next(4);
    expect(call.written).toEqual([1, 2]);
    while (call.written.length < 4) call.drain();
    expect(call.written).toEqual([1, 2, 3, 4]);
  });

  it('that emits and completes while an item is written keeps the order', () => {
    const items = new Subject<number>();
    const call = new SlowCall(3);
    const write = call.write.bind(call);
    // As an interceptor may do that sees the item.
    call.write = (item) => {
      const room = write(item);
      if (item === 4) {
        items.next(6);
        items.complete();
      }
      return room;
    };
    writeRequests(items, call, unexpected);
    for (const item of [1, 2, 3, 4, 5]) items.next(item);
    call.drain();
    call.drain();
    expect(call).toMatchObject({ written: [1, 2, 3, 4, 5, 6], ended: true });
  });

  it('is unsubscribed from when the call stops, and buffered items are dropped', () => {
    const call = new SlowCall(2);
    const items = new Subject<number>();
    const stop = writeRequests(items, call, unexpected);
    for (const item of [1, 2, 3]) items.next(item);
    stop();
    expect(items.observed).toBe(false);
    call.drain();
    expect(call).toMatchObject({ written: [1, 2], ended: false });
    expect(call.eventNames()).toEqual([]);
  });

  it('reports its error, and the call is not ended', () => {
    const call = new SlowCall(3);
    const told: unknown[] = [];
    const error = new Error('no more orders');
    writeRequests(
      concat(
        of(1),
        throwError(() => error),
      ),
      call,
      (each) => told.push(each),
    );
    expect(told).toEqual([error]);
    expect(call).toMatchObject({ written: [1], ended: false });
  });
});

it.each([
  ['an Observable', NEVER, true],
  ['an array', [], true],
  ['a generator', (function* () {})(), true],
  ['an async generator', (async function* () {})(), true],
  ['a text, although it can be iterated over', 'abc', false],
  ['an object', {}, false],
  ['nothing', undefined, false],
  ['null', null, false],
])('%s is or is not a stream of requests', (_, value, expected) => {
  expect(isRequestStream(value)).toBe(expected);
});
