import { afterEach, beforeEach, describe, expect, it, test } from 'vitest';
import { MemorySource, settled } from '../../../../../test/support/kubernetes/memory.js';
import { slice } from '../../../../../test/support/kubernetes/slices.js';
import { ApiError } from './slice-api.js';

let source: MemorySource;
const put = (...pods: string[]): unknown => source.api.store.apply(slice({ name: 'a', pods }));

beforeEach(() => {
  source = new MemorySource();
});

afterEach(() => {
  source.source.stop();
  expect(source.clock.pendingTimers).toBe(0);
});

async function started(...pods: string[]): Promise<void> {
  put(...pods);
  await source.start();
  await source.advance(5000); // A watch that works.
  source.api.asked.length = 0;
}

const cut = new Error('read ECONNRESET');

describe('changes', () => {
  test('the listener is not called before start has returned, then gets the list, then each change in the turn of its event', async () => {
    put('10.0.0.1');
    source.source.start(source);
    expect(source.api.asked).toEqual([]);
    await settled();
    expect(source.lists).toEqual([['10.0.0.1']]);
    put('10.0.0.1', '10.0.0.2');
    // Nothing was awaited.
    expect(source.last).toEqual(['10.0.0.1', '10.0.0.2']);
    source.api.store.delete('a');
    expect(source.last).toEqual([]);
    expect(source.answers.every((answer) => answer?.authoritative)).toBe(true);
  });

  test('events that arrive together are one list', async () => {
    await started('10.0.0.1');
    const before = source.lists.length;
    const event = (name: string, ip: string): object => {
      const object = slice({ name, pods: [ip] });
      return { type: 'ADDED', object: { ...object, metadata: { ...object.metadata, resourceVersion: '2000' } } };
    };
    source.api.send(event('b', '10.0.0.2'), event('c', '10.0.0.3'));
    expect(source.lists.slice(before)).toEqual([['10.0.0.1', '10.0.0.2', '10.0.0.3']]);
  });

  test('a bookmark only moves the resource version of the next watch', async () => {
    await started('10.0.0.1');
    const before = source.lists.length;
    source.api.store.tick();
    source.api.send({ type: 'BOOKMARK', object: { metadata: { resourceVersion: String(source.api.store.version) } } });
    expect(source.lists).toHaveLength(before);
    source.api.endWatches();
    await settled();
    expect(source.api.asked).toEqual([`watch ${source.api.store.version}`]);
  });

  test('stop is immediate and final', async () => {
    await started('10.0.0.1');
    source.source.stop();
    source.source.stop();
    put('10.0.0.2');
    source.source.refresh();
    await settled();
    expect(source.api.watches.size).toBe(0);
    expect(source.last).toEqual(['10.0.0.1']);
    expect(source.api.asked).toEqual([]);
  });

  test('a source that is stopped in the turn of its start sends no request', async () => {
    source.source.start(source);
    source.source.stop();
    await settled();
    expect(source.api.asked).toEqual([]);
  });
});

describe('watches that end', () => {
  it.each([
    ['in good order', undefined],
    ['by a cut', cut],
  ])('%s: the next one resumes at once, without reporting anything', async (_, error) => {
    await started('10.0.0.1');
    source.api.endWatches(error);
    await settled();
    expect(source.api.asked).toEqual(['watch 1001']);
    expect(source.errors).toEqual([]);
    put('10.0.0.2');
    expect(source.last).toEqual(['10.0.0.2']);
  });

  test('changes between two watches are not missed', async () => {
    await started('10.0.0.1');
    source.api.endWatches(cut);
    put('10.0.0.2');
    await settled();
    expect(source.last).toEqual(['10.0.0.2']);
  });

  test('watches that end as soon as they open are not reopened in a hot loop, and this is reported', async () => {
    await started('10.0.0.1');
    for (let i = 0; i < 200; i++) {
      source.api.endWatches();
      await source.advance(50);
    }
    // In ten seconds: the first two, then after 1, 1.6, 2.56, 4.1 s.
    expect(source.api.asked.length).toBeLessThanOrEqual(7);
    expect(source.errors[0]).toMatch(
      /the API server at https:\/\/10.96.0.1 cannot be queried: watches end as soon as they/,
    );
    expect(source.last).toEqual(['10.0.0.1']);
  });

  test('a list is delivered again after a failure to signal the recovery', async () => {
    await started('10.0.0.1');
    source.api.down = cut;
    source.api.endWatches(cut);
    await settled();
    expect(source.errors).toHaveLength(1);
    const before = source.lists.length;
    source.api.down = undefined;
    await source.advance(1000);
    expect(source.lists.slice(before)).toEqual([['10.0.0.1']]);
  });
});

describe('410 Gone', () => {
  it('as an event or as a response triggers a list at once, and removes no endpoints meanwhile', async () => {
    await started('10.0.0.1');
    put('10.0.0.1', '10.0.0.2');
    source.api.store.compact();
    source.api.send({ type: 'ERROR', object: { kind: 'Status', code: 410, reason: 'Expired', message: 'too old' } });
    await settled();
    expect(source.api.asked).toEqual(['list', 'watch 1002']);
    await source.advance(5000);
    // The history is compacted while no watch is open.
    source.api.endWatches(cut);
    source.api.store.apply(slice({ name: 'b', pods: ['10.0.0.3'] }));
    source.api.store.compact();
    await settled();
    expect(source.api.asked.slice(2)).toEqual(['watch 1002', 'list', 'watch 1003']);
    expect(source.last).toEqual(['10.0.0.1', '10.0.0.2', '10.0.0.3']);
    expect(source.errors).toEqual([]);
    expect(source.lists.every((list) => list.length > 0)).toBe(true);
  });

  it('right after a list is a failure, and causes no hot loop', async () => {
    put('10.0.0.1');
    await source.start();
    for (let i = 0; i < 100; i++) {
      source.api.send({ type: 'ERROR', object: { code: 410 } });
      await source.advance(100);
    }
    expect(source.api.asked.filter((asked) => asked === 'list').length).toBeLessThanOrEqual(6);
    expect(source.last).toEqual(['10.0.0.1']);
  });

  it('between two pages restarts the list', async () => {
    put('10.0.0.1');
    source.api.failures.push(new ApiError(410, '410 Expired'));
    await source.start();
    expect(source.api.asked).toEqual(['list', 'list', 'watch 1001']);
    expect(source.errors).toEqual([]);
  });
});

describe('failures', () => {
  test('an unreachable server is retried after 1, 1.6, 2.56 s and then every 30 s, and the list stays', async () => {
    await started('10.0.0.1');
    source.api.down = cut;
    source.api.endWatches(cut);
    await settled();
    const waits: number[] = [];
    for (let i = 0; i < 12; i++) {
      waits.push(Math.round(source.clock.nextIn ?? 0));
      await source.advance(source.clock.nextIn ?? 0);
    }
    expect(waits.slice(0, 4)).toEqual([1000, 1600, 2560, 4096]);
    expect(waits.at(-1)).toBe(30_000);
    expect(new Set(source.errors).size).toBe(1);
    expect(source.last).toEqual(['10.0.0.1']);
    // Only the connection was lost, so no new list is needed.
    source.api.down = undefined;
    await source.advance(30_000);
    expect(source.api.asked.at(-1)).toBe('watch 1001');
  });

  it.each([
    [500, 'list'],
    [504, 'list'],
    [403, 'list'],
    [429, 'watch 1001'],
    [503, 'watch 1001'],
    [401, 'watch 1001'],
  ])('after %i the next request is: %s', async (status, next) => {
    await started('10.0.0.1');
    source.api.failures.push(new ApiError(status, String(status)));
    source.api.endWatches();
    await settled();
    source.api.asked.length = 0;
    await source.advance(3000);
    expect(source.api.asked[0]).toBe(next);
    expect(source.last).toEqual(['10.0.0.1']);
  });

  test('Retry-After is honored, even by a refresh', async () => {
    await started('10.0.0.1');
    source.api.failures.push(new ApiError(429, '429 Too Many Requests', 60_000));
    source.api.endWatches();
    await settled();
    source.api.asked.length = 0;
    source.source.refresh();
    await source.advance(60_000);
    expect(source.api.asked).toEqual([]);
    await source.advance(12_000);
    expect(source.api.asked).toEqual(['watch 1001']);
  });

  it.each([
    ['no object', 7],
    ['an unknown type', { type: 'RENAMED', object: {} }],
    ['no version', { type: 'BOOKMARK', object: { metadata: {} } }],
    ['a deletion without a name', { type: 'DELETED', object: { metadata: { resourceVersion: '1' } } }],
    ['an error that is none', { type: 'ERROR', object: null }],
  ])('an event with %s is reported and triggers a new list', async (_, event) => {
    await started('10.0.0.1');
    source.api.send(event);
    await settled();
    expect(source.errors).toHaveLength(1);
    await source.advance(1000);
    expect(source.api.asked[0]).toBe('list');
    expect(source.last).toEqual(['10.0.0.1']);
  });

  test('a slice that can no longer be read stays as it was, with a warning', async () => {
    await started('10.0.0.1');
    source.api.store.apply({ ...slice({ name: 'a', pods: [] }), addressType: 'IPv9' });
    expect(source.last).toEqual(['10.0.0.1']);
    source.api.store.apply({ ...slice({ name: 'b', pods: [] }), addressType: 'IPv9' });
    expect(source.warnings).toEqual([
      'EndpointSlice a has the addressType "IPv9", which is unknown; it is kept unchanged',
      'EndpointSlice b has the addressType "IPv9", which is unknown; it is ignored',
    ]);
    expect(source.errors).toEqual([]);
  });
});

describe('a Service without slices', () => {
  const none =
    'EndpointSlices of "orders" in namespace "shop": there are none; check that the Service exists and has a selector';

  it('is an error if there never were any, and is used as soon as there are', async () => {
    await source.start();
    expect(source.errors).toEqual([none]);
    expect(source.lists).toEqual([]);
    put('10.0.0.1');
    expect(source.last).toEqual(['10.0.0.1']);
  });

  it('is empty, and not an error, if there were some before', async () => {
    await started('10.0.0.1');
    source.api.store.delete('a');
    expect(source.last).toEqual([]);
    expect(source.errors).toEqual([]);
  });

  it.each([403, 404])('is an error after a %i, because the permissions may be gone', async (status) => {
    await started('10.0.0.1');
    source.api.failures.push(new ApiError(status, String(status)));
    source.api.endWatches();
    await settled();
    source.api.store.delete('a');
    await source.advance(3000);
    expect(source.errors.at(-1)).toBe(none);
    expect(source.last).toEqual(['10.0.0.1']);
  });
});

describe('a refresh', () => {
  it('replaces a silent watch, at most once a second, and misses nothing', async () => {
    await started('10.0.0.1');
    for (let i = 0; i < 20; i++) {
      source.source.refresh();
      await source.advance(100);
    }
    expect(source.api.asked).toEqual(['watch 1001', 'watch 1001']);
    expect(source.api.watches.size).toBe(1);
    put('10.0.0.2');
    expect(source.last).toEqual(['10.0.0.2']);
    expect(source.errors).toEqual([]);
  });

  it('keeps a watch that has just sent an event', async () => {
    await started('10.0.0.1');
    put('10.0.0.2');
    source.source.refresh();
    await settled();
    expect(source.api.asked).toEqual([]);
  });

  it('leaves a watch alone that is not accepted yet: its timeout decides, so that the failure is reported', async () => {
    await started('10.0.0.1');
    source.api.mute = true;
    source.api.endWatches();
    await settled();
    for (let i = 0; i < 20; i++) {
      source.source.refresh();
      await source.advance(1000);
    }
    expect(source.api.asked).toEqual(['watch 1001']);
  });

  it('shortens the backoff after a failure to a second', async () => {
    await started('10.0.0.1');
    source.api.down = cut;
    source.api.endWatches(cut);
    await settled();
    await source.advance(1000);
    source.api.asked.length = 0;
    source.api.down = undefined;
    source.source.refresh();
    source.source.refresh();
    await source.advance(999);
    expect(source.api.asked).toEqual([]);
    await source.advance(1);
    expect(source.api.asked).toEqual(['watch 1001']);
  });

  it('does not make a shorter pause longer', async () => {
    // The shortest backoff: 800 ms.
    source = new MemorySource(() => 0);
    await started('10.0.0.1');
    source.api.down = cut;
    source.api.endWatches(cut);
    await settled();
    source.api.asked.length = 0;
    source.api.down = undefined;
    source.source.refresh();
    await source.advance(800);
    expect(source.api.asked).toEqual(['watch 1001']);
  });
});

test('FQDN slices beside others are not used, with a warning', async () => {
  put('10.0.0.1');
  source.api.store.apply(slice({ name: 'b', addressType: 'FQDN', pods: ['db.example.com'] }));
  await source.start();
  expect(source.last).toEqual(['10.0.0.1']);
  expect(source.warnings).toEqual([expect.stringContaining('slices of addressType FQDN are ignored')]);
});
