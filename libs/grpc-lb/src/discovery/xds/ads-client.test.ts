import { beforeEach, describe, expect, test, vi } from 'vitest';
import { FakeAds, resource } from '../../../../../test/support/xds/fake-ads.js';
import { FakeClock } from '../../../../../test/support/time/fake-clock.js';
import { AdsClient } from './ads-client.js';
import type { AdsWatcher } from './watched-name.js';
import { EDS_TYPE_URL } from './eds-messages.js';
import type { LoadAssignment } from './load-assignment.js';

const NODE = { id: 'me', cluster: 'c', user_agent_name: 'test' };

let clock: FakeClock;
let ads: FakeAds;
let client: AdsClient;

beforeEach(() => {
  clock = new FakeClock();
  ads = new FakeAds();
  // A random number of 0.5 means no jitter.
  client = new AdsClient(
    { uri: 'cp:18000', node: NODE, open: ads.open, resourceTimeout: 15_000, maxReconnectBackoff: 30_000 },
    { clock, random: () => 0.5 },
  );
});

class Watcher implements AdsWatcher {
  readonly told: (number[] | string)[] = [];
  onAssignment({ endpoints }: LoadAssignment): void {
    this.told.push(endpoints.map(({ address }) => ('port' in address ? address.port : 0)));
  }
  onError({ message }: Error): void {
    this.told.push(message);
  }
}

const turn = (): Promise<void> => new Promise((resolve) => queueMicrotask(resolve));

async function watching(...names: string[]): Promise<Watcher[]> {
  const watchers = names.map((name) => {
    const watcher = new Watcher();
    client.watch(name, watcher);
    return watcher;
  });
  await turn();
  return watchers;
}

const one = (port: number) => [{ endpoints: [{ port }] }];

describe('a late watcher', () => {
  test('is told that the control plane does not know the name, like earlier watchers', async () => {
    await watching('a');
    clock.advance(15_000);
    const [late] = await watching('a');
    expect(late!.told).toEqual(['control plane cp:18000 did not answer for "a" within 15000 ms']);
    ads.push('a', one(1));
    const [last] = await watching('a');
    expect(last!.told).toEqual([[1]]);
  });

  test('is told that the endpoints were rejected, after getting the last good ones if any', async () => {
    await watching('a');
    ads.push('a', one(0));
    const [first] = await watching('a');
    expect(first!.told).toEqual([expect.stringContaining('sent invalid endpoints')]);
    ads.push('a', one(1));
    ads.push('a', one(0));
    const [second] = await watching('a');
    expect(second!.told).toEqual([[1], expect.stringContaining('sent invalid endpoints')]);
  });

  test('is told that the control plane is unreachable, even when it watches another name', async () => {
    ads.refuse = 'ECONNREFUSED';
    await watching('a');
    const [same, other] = await watching('a', 'b');
    expect(same!.told).toEqual(['control plane cp:18000 cannot be queried: ECONNREFUSED']);
    expect(other!.told).toEqual(same!.told);
    ads.refuse = undefined;
    clock.advance(1000);
    ads.respond([resource('a', one(1)), resource('b', one(2))]);
    const [a, c] = await watching('a', 'c');
    expect([a!.told, c!.told]).toEqual([[[1]], []]);
  });

  test('is told nothing if it stops at once', async () => {
    await watching('a');
    clock.advance(15_000);
    const watcher = new Watcher();
    client.watch('a', watcher)();
    await turn();
    expect(watcher.told).toEqual([]);
  });
});

describe('the stream to a control plane', () => {
  test('starts with the node and all names, and ACKs each response with its version and nonce', async () => {
    await watching('a', 'b');
    expect(ads.requests).toEqual([
      { node: NODE, type_url: EDS_TYPE_URL, resource_names: ['a', 'b'], version_info: '', response_nonce: '' },
    ]);
    ads.respond([resource('a', one(1)), resource('b', one(2))]);
    expect(ads.last).toEqual({
      type_url: EDS_TYPE_URL,
      resource_names: ['a', 'b'],
      version_info: '1',
      response_nonce: 'n1',
    });
  });

  test('a faulty response gets a NACK with the previous version, its own nonce and the fault', async () => {
    const [watcher] = await watching('a');
    ads.push('a', one(1));
    ads.push('a', one(0));
    expect(ads.last).toMatchObject({ version_info: '1', response_nonce: 'n2' });
    expect(ads.last.error_detail).toEqual({
      code: 3,
      message:
        '"a": endpoints[0].lb_endpoints[0].endpoint.address is "127.0.0.1:0", and "0" is not a port; use a whole number from 1 to 65535',
    });
    expect(watcher!.told).toEqual([[1], expect.stringContaining('cp:18000 sent invalid endpoints: endpoints[0]')]);
    ads.push('a', one(3));
    expect(ads.last).toMatchObject({ version_info: '3', response_nonce: 'n3' });
    expect(ads.last.error_detail).toBeUndefined();
    expect(watcher!.told.at(-1)).toEqual([3]);
  });

  test('the valid resources of a faulty response are used', async () => {
    const [a, b] = await watching('a', 'b');
    ads.respond([resource('a', one(1)), resource('b', one(0))]);
    expect(a!.told).toEqual([[1]]);
    expect(b!.told).toEqual([expect.stringContaining('sent invalid endpoints')]);
    expect(ads.last).toMatchObject({ version_info: '', response_nonce: 'n1' });
  });

  test.each([
    [
      'bytes that are not a message',
      { type_url: EDS_TYPE_URL, value: Buffer.from([0xff, 0xff, 0xff]) },
      'resources[0] cannot be decoded: ',
    ],
    [
      'another type',
      { type_url: 'type.googleapis.com/x.Y', value: Buffer.alloc(0) },
      'resources[0] is of the type "type.googleapis.com/x.Y"',
    ],
  ])('%s: the response gets a NACK, and no watcher is affected', async (_, raw, message) => {
    const [watcher] = await watching('a');
    ads.push('a', one(1));
    ads.respond([raw]);
    expect(ads.last.error_detail?.message).toContain(message);
    expect(watcher!.told).toEqual([[1]]);
  });

  test('a name that occurs twice in a response keeps its last good answer', async () => {
    const [watcher] = await watching('a');
    ads.push('a', one(1));
    ads.respond([resource('a', one(2)), resource('a', one(3))]);
    expect(ads.last.error_detail?.message).toBe('"a": is in the response twice');
    expect(watcher!.told[0]).toEqual([1]);
    expect(watcher!.told.slice(1)).toEqual([expect.stringContaining('is in the response twice')]);
  });

  test('responses of other types, and names that are not watched, are ignored', async () => {
    const [watcher] = await watching('a');
    ads.respond([], { type_url: 'type.googleapis.com/envoy.config.cluster.v3.Cluster' });
    expect(ads.requests).toHaveLength(1);
    ads.push('b', one(1));
    expect(ads.last).toMatchObject({ version_info: '2', resource_names: ['a'] });
    expect(watcher!.told).toEqual([]);
  });

  test('a name without an answer is an error once, whatever else is answered meanwhile, and may be answered later', async () => {
    const [a] = await watching('a', 'b');
    for (let i = 0; i < 20; i++) {
      clock.advance(1000);
      ads.push('b', one(i + 1));
    }
    expect(a!.told).toEqual(['control plane cp:18000 did not answer for "a" within 15000 ms']);
    ads.push('a', one(1));
    expect(a!.told.at(-1)).toEqual([1]);
    expect(clock.pendingTimers).toBe(0);
  });

  test('a hundred names watched in one turn are one request, and changes of the names are sent', async () => {
    const names = Array.from({ length: 100 }, (_, i) => `n${i}`);
    await watching(...names);
    expect(ads.requests.map((request) => request.resource_names.length)).toEqual([100]);
    const unwatch = client.watch('late', new Watcher());
    client.watch('later', new Watcher());
    await turn();
    expect(ads.last.resource_names).toEqual([...names, 'late', 'later']);
    unwatch();
    await turn();
    expect(ads.last.resource_names).toEqual([...names, 'later']);
    expect(ads.requests).toHaveLength(3);
  });

  test('a second watcher of a name gets the last answer, in a turn of its own', async () => {
    await watching('a');
    ads.push('a', one(1));
    const second = new Watcher();
    client.watch('a', second);
    expect(second.told).toEqual([]);
    await turn();
    expect(second.told).toEqual([[1]]);
    expect(ads.requests).toHaveLength(2);
  });

  test('a name that is left and watched again before the next request keeps its answer', async () => {
    await watching('b');
    const leave = client.watch('a', new Watcher());
    await turn();
    ads.push('a', one(1));
    leave();
    const again = new Watcher();
    client.watch('a', again);
    await turn();
    // The control plane sees the same names as before, and does not answer again.
    expect(ads.last.resource_names).toEqual(['b', 'a']);
    clock.advance(60_000);
    expect(again.told).toEqual([[1]]);
  });

  test('the stream and its timers end with the last watcher, and the next watcher opens a new stream', async () => {
    const unwatch = client.watch('a', new Watcher());
    await turn();
    expect([ads.opened, clock.pendingTimers]).toEqual([1, 1]);
    unwatch();
    expect([ads.listener, clock.pendingTimers]).toEqual([undefined, 0]);
    await watching('a');
    expect(ads.opened).toBe(2);
    expect(ads.last.node).toEqual(NODE);
  });

  test('is not opened for a watch that ends in the turn of its start', async () => {
    client.watch('a', new Watcher())();
    await turn();
    expect(ads.opened).toBe(0);
  });

  test('a watcher that stops from its callback gets no further updates', async () => {
    const onAssignment = vi.fn<() => void>(() => unwatch());
    const unwatch = client.watch('a', { onAssignment, onError: () => {} });
    await watching('a');
    ads.push('a', one(1));
    ads.push('a', one(2));
    expect(onAssignment).toHaveBeenCalledTimes(1);
  });
});

describe('a stream that breaks', () => {
  test('after an answer is reopened after a second ± 50 %, and watchers are not told', async () => {
    const [watcher] = await watching('a');
    ads.push('a', one(1));
    ads.end();
    clock.advance(1000);
    expect(ads.opened).toBe(2);
    expect(ads.last).toEqual({
      node: NODE,
      type_url: EDS_TYPE_URL,
      resource_names: ['a'],
      version_info: '',
      response_nonce: '',
    });
    expect(watcher!.told).toEqual([[1]]);
  });

  test('without an answer is an error, and is retried after 1 s, 1.6 s, 2.6 s, ... up to the longest backoff', async () => {
    ads.refuse = 'no route';
    const [watcher] = await watching('a');
    expect(watcher!.told).toEqual(['control plane cp:18000 cannot be queried: no route']);
    const waits: number[] = [];
    for (let i = 0; i < 10; i++) {
      waits.push(Math.round(clock.nextIn!));
      clock.advance(clock.nextIn!);
    }
    expect(waits).toEqual([1000, 1600, 2560, 4096, 6554, 10486, 16777, 26844, 30000, 30000]);
    ads.refuse = undefined;
    clock.advance(30_000);
    ads.push('a', one(1));
    ads.end();
    ads.refuse = 'again';
    clock.advance(1000);
    expect(clock.nextIn).toBe(1000);
    expect(watcher!.told.at(-1)).toBe('control plane cp:18000 cannot be queried: again');
  });

  test('stops the answer timeout, which restarts with the next stream', async () => {
    const [watcher] = await watching('a');
    clock.advance(14_000);
    ads.end();
    expect(clock.pendingTimers).toBe(1);
    clock.advance(1000);
    clock.advance(14_999);
    expect(watcher!.told).toEqual(['control plane cp:18000 cannot be queried: gone']);
    clock.advance(1);
    expect(watcher!.told.at(-1)).toContain('did not answer for "a"');
  });

  test('is reopened with the names watched by then, and not at all without watchers', async () => {
    const unwatch = client.watch('a', new Watcher());
    await turn();
    ads.end();
    const unwatchB = client.watch('b', new Watcher());
    unwatch();
    clock.advance(1000);
    expect(ads.last.resource_names).toEqual(['b']);
    ads.end();
    unwatchB();
    expect(clock.pendingTimers).toBe(0);
  });

  test('is ignored if it still delivers responses after its end', async () => {
    const [watcher] = await watching('a');
    const old = ads.listener!;
    ads.push('a', one(1));
    ads.end();
    old.onResponse({ version_info: '9', nonce: '9', type_url: EDS_TYPE_URL, resources: [resource('a', one(9))] });
    old.onEnd('again');
    clock.advance(1000);
    expect(ads.opened).toBe(2);
    expect(watcher!.told).toEqual([[1]]);
  });
});

describe('a control plane that misbehaves', () => {
  test('by not reading has one request in flight, and then gets one with the latest state', async () => {
    const [watcher] = await watching('a');
    ads.stalled = true;
    for (let i = 1; i <= 1000; i++) ads.push('a', one(i));
    client.watch('b', new Watcher());
    await turn();
    expect(ads.requests).toHaveLength(2);
    expect(watcher!.told).toHaveLength(1000);
    ads.listener!.onSent();
    expect(ads.requests).toHaveLength(3);
    expect(ads.last).toMatchObject({ response_nonce: 'n1000', version_info: '1000', resource_names: ['a', 'b'] });
    ads.listener!.onSent();
    expect(ads.requests).toHaveLength(3);
  });

  /** Like go-control-plane's cache: a request with another version than its own gets a response at once. */
  const asCache = (version: string, ...localities: ReturnType<typeof one>[]): (() => void) => {
    let told = 0;
    return () => {
      while (told < ads.requests.length) {
        told = ads.requests.length;
        if (ads.last.version_info === version) continue;
        const resources = localities.map((each) => resource('a', each));
        ads.respond(resources, { version_info: version, nonce: `${version}-${told}` });
      }
    };
  };

  test('by resending what was rejected gets each NACK after a growing delay', async () => {
    const [watcher] = await watching('a');
    const bad = asCache('bad', one(0));
    bad();
    // The request, an immediate NACK, and no more.
    expect(ads.requests).toHaveLength(2);
    const waits: number[] = [];
    for (let i = 0; i < 10; i++) {
      waits.push(Math.round(clock.nextIn!));
      clock.advance(clock.nextIn!);
      bad();
      expect(ads.requests).toHaveLength(3 + i);
    }
    expect(waits).toEqual([1000, 1600, 2560, 4096, 6554, 10486, 16777, 26844, 30000, 30000]);
    expect(ads.last).toMatchObject({ version_info: '', error_detail: { code: 3 } });
    expect(new Set(watcher!.told).size).toBe(1);
    // A corrected response is used with the next answer and ACKed at once.
    const good = asCache('good', one(1));
    clock.advance(30_000);
    good();
    expect(watcher!.told.at(-1)).toEqual([1]);
    expect(ads.last).toMatchObject({ version_info: 'good' });
    expect(clock.pendingTimers).toBe(0);
  });

  test('by sending another version that is just as bad gets a NACK at once', async () => {
    await watching('a');
    asCache('bad', one(0))();
    clock.advance(0);
    ads.respond([resource('a', one(0))], { version_info: 'worse', nonce: 'n' });
    expect(ads.last).toMatchObject({ response_nonce: 'n', error_detail: { code: 3 } });
  });

  test('still gets changes of the watched names, and nothing is left after the last watcher', async () => {
    const unwatch = client.watch('a', new Watcher());
    await turn();
    asCache('bad', one(0))();
    const unwatchB = client.watch('b', new Watcher());
    await turn();
    expect(ads.last).toMatchObject({ resource_names: ['a', 'b'], error_detail: { code: 3 } });
    unwatch();
    unwatchB();
    expect([ads.listener, clock.pendingTimers]).toEqual([undefined, 0]);
  });

  test('by sending very large responses is read in parts and paused meanwhile, and an end in between leaves nothing behind', async () => {
    const names = Array.from({ length: 6 }, (_, i) => `n${i}`);
    const watchers = await watching(...names);
    const endpoints = Array.from({ length: 6000 }, (_, i) => ({ port: i + 1, weight: 1 }));
    const push = (): void => ads.respond(names.map((name) => resource(name, [{ endpoints }])));
    push();
    expect([ads.paused, ads.requests.length]).toEqual([true, 1]);
    for (let turns = 0; ads.paused && turns < 10; turns++) clock.advance(0);
    expect([ads.paused, ads.requests.length]).toEqual([false, 2]);
    for (const { told } of watchers) expect(told).toEqual([expect.objectContaining({ length: 6000 })]);
    push();
    ads.end();
    expect(clock.pendingTimers).toBe(1);
  });
});
