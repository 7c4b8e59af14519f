import * as grpc from '@grpc/grpc-js';
import type { FleetBackend } from 'nestjs-grpc-lb/testing';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, onTestFinished, test, vi } from 'vitest';
import type { LbEvent } from '../../../libs/grpc-lb/src/core/events.js';
import { Totals } from '../../../libs/grpc-lb/src/core/totals.js';
import { registerXds } from '../../../libs/grpc-lb/src/discovery/xds/index.js';
import type { BalancedChannelOptions } from '../../../libs/grpc-lb/src/grpc/channel/balanced-channel.js';
import { DelegatedChannel, isDelegated } from '../../../libs/grpc-lb/src/grpc/channel/delegated-channel.js';
import { AdsServer } from '../../support/xds/ads-server.js';
import { answerBy, startBackends } from '../../support/echo/backends.js';
import { Echo, type Line } from '../../support/echo/cluster.js';
import { expectNoLeaks } from '../../support/run/leaks.js';
import { SteadyLoad } from '../../support/echo/steady-load.js';
import {
  assignment,
  cluster,
  customPolicy,
  listener,
  policies,
  routes,
  wrrLocality,
} from '../../support/xds/resources.js';

expectNoLeaks();

let ads: AdsServer;
let servers: FleetBackend[];
let keeper: DelegatedChannel;
const channels: DelegatedChannel[] = [];

beforeAll(async () => {
  ads = await new AdsServer().start();
  // The library reads it once per process.
  vi.stubEnv('GRPC_XDS_BOOTSTRAP_CONFIG', JSON.stringify(ads.bootstrap()));
  registerXds();
  // While a watch is open, all share one stream: the library waits longer before each new stream, and never resets that.
  publish('keeper', []);
  keeper = new Subject('keeper').delegated;
  channels.pop();
  keeper.connect();
});

afterAll(async () => {
  keeper.close();
  await ads.stop();
  vi.unstubAllEnvs();
});

beforeEach(async () => {
  servers = await startBackends(4);
});

afterEach(async () => {
  for (const channel of channels.splice(0)) channel.close();
});

class Subject {
  readonly events: LbEvent[] = [];
  readonly delegated: DelegatedChannel;
  readonly #watchers = new Set<() => void>();

  constructor(name: string, options: Partial<BalancedChannelOptions> = {}) {
    this.delegated = new DelegatedChannel({
      name: 'ECHO',
      target: `xds:///${name}`,
      credentials: grpc.credentials.createInsecure(),
      onEvent: (event) => {
        this.events.push(event);
        for (const watcher of this.#watchers) watcher();
      },
      ...options,
    } as ConstructorParameters<typeof DelegatedChannel>[0]);
    channels.push(this.delegated);
  }

  say(options: grpc.CallOptions = {}): Promise<Line> {
    const override = { channelOverride: this.delegated.channel };
    const stub = new Echo('override', grpc.credentials.createInsecure(), override) as unknown as {
      Say(line: Partial<Line>, options: grpc.CallOptions, done: grpc.requestCallback<Line>): void;
    };
    return new Promise((resolve, reject) => {
      stub.Say({ text: 'x' }, options, (error, line) => (error ? reject(error) : resolve(line!)));
    });
  }

  /** Which servers answer that many calls, one after the other. */
  async spread(calls: number): Promise<number[]> {
    const before = servers.map((server) => server.calls);
    for (let i = 0; i < calls; i++) await this.say();
    return servers.map((server, i) => server.calls - before[i]!);
  }

  async until(condition: () => boolean): Promise<void> {
    while (!condition()) {
      await new Promise<void>((resolve) => {
        const watcher = (): void => {
          this.#watchers.delete(watcher);
          setImmediate(resolve);
        };
        this.#watchers.add(watcher);
      });
    }
  }

  get states(): (string | undefined)[] {
    return this.delegated.snapshot().endpoints.map(({ state }) => state);
  }
}

/** All four kinds of resources for one name. */
function publish(name: string, list: readonly FleetBackend[], more: object = {}, action: object = {}): void {
  ads.set('eds', name, assignment(name, [{ endpoints: list.map(({ port }) => ({ port })) }]));
  ads.set('cds', name, cluster(name, more));
  ads.set('rds', name, routes(name, name, action));
  ads.set('lds', name, listener(name, name));
}

const update = (name: string, list: readonly FleetBackend[]): void =>
  ads.set('eds', name, assignment(name, [{ endpoints: list.map(({ port }) => ({ port })) }]));

describe('xds: with a policy of the control plane', () => {
  test('the real client of xDS calls all endpoints, and accepts every resource', async () => {
    publish('plain', servers.slice(0, 3));
    const subject = new Subject('plain');
    const counts = await subject.spread(60);
    expect(counts.map((count) => count > 0)).toEqual([true, true, true, false]);
    for (const type of ['lds', 'rds', 'cds', 'eds'] as const) {
      const answers = ads.requests.filter((each) => each.type === type && each.response_nonce !== '');
      expect(answers.length).toBeGreaterThan(0);
      expect(answers.map(({ error_detail }) => error_detail)).toEqual(answers.map(() => null));
    }
  });

  test('the snapshot shows what the channel reports, and nothing else', async () => {
    publish('truth', servers.slice(0, 1));
    const subject = new Subject('truth');
    expect(subject.delegated.snapshot()).toMatchObject({ state: 'idle', source: { kind: 'xds', state: 'pending' } });
    subject.delegated.connect();
    await subject.until(() => subject.delegated.snapshot().state === 'ready');
    expect(subject.delegated.snapshot()).toEqual({
      client: 'ECHO',
      target: 'xds:///truth',
      state: 'ready',
      loadBalancing: null,
      source: expect.objectContaining({ kind: 'xds', state: 'ok', error: null, endpoints: 0 }),
      sources: [expect.objectContaining({ target: 'xds:///truth' })],
      keepaliveTime: 330_000,
      totals: new Totals().snapshot(),
      zone: null,
      priorities: [],
      inFlight: 0,
      pending: 0,
      panic: false,
      endpoints: [],
    });
    expect(subject.delegated.explain()).toMatchObject({ rule: 'the control plane decides, and does not report how' });
    await servers[0]!.stop();
    await subject.until(() => subject.delegated.snapshot().state !== 'ready');
    await servers[0]!.restart();
    await subject.until(() => subject.delegated.snapshot().state === 'ready');
    subject.delegated.close();
    expect(subject.delegated.snapshot().state).toBe('shutdown');
    subject.delegated.connect();
    expect(subject.delegated.snapshot().state).toBe('shutdown');
    await new Promise(setImmediate);
    expect(subject.events.at(-1)).toMatchObject({ type: 'client_state', to: 'shutdown', client: 'ECHO' });
  });

  test('retries and timeouts are those of the route', async () => {
    const action = { retry_policy: { retry_on: 'unavailable', num_retries: { value: 3 } } };
    publish('retries', servers.slice(0, 1), {}, action);
    servers[0]!.fail('UNAVAILABLE', { times: 2 });
    await new Subject('retries').say();
    expect(servers[0]!.calls).toBe(3);

    publish('timeout', servers.slice(1, 2), {}, { max_stream_duration: { max_stream_duration: { nanos: 5e7 } } });
    servers[1]!.hang();
    await expect(new Subject('timeout').say()).rejects.toMatchObject({ code: grpc.status.DEADLINE_EXCEEDED });
  });

  test('options without effect are an error, at the start and later', () => {
    const loadBalancing = { policy: 'round_robin', retry: { maxAttempts: 3 }, pool: undefined } as const;
    const message = [
      'client ECHO: 2 options are invalid',
      '  - loadBalancing.policy has no effect with "xds:///plain", where the control plane decides; remove it',
      '  - loadBalancing.retry has no effect with "xds:///plain", where the control plane decides; remove it',
    ].join('\n');
    expect(() => new Subject('plain', { loadBalancing })).toThrow(message);
    const subject = new Subject('plain');
    expect(() => subject.delegated.configure(loadBalancing)).toThrow(message);
  });

  test('LEAST_REQUEST is rejected by the library, which is why eds: and grpc_lb exist', async () => {
    publish('least', servers.slice(0, 1), { lb_policy: 'LEAST_REQUEST' });
    const subject = new Subject('least');
    await expect(subject.say({ deadline: Date.now() + 60_000 })).rejects.toThrow(
      /unsupported lb_policy: LEAST_REQUEST/,
    );
  });

  test.each([
    ['xds:', {}, /path is empty; name the listener, as in xds:\/\/\/orders/],
    ['xds://orders', {}, /path is empty; write xds:\/\/\/orders/],
    ['xds:///orders', { GRPC_XDS_BOOTSTRAP_CONFIG: '' }, /environment names no control plane; set GRPC_XDS_BOOTSTRAP/],
    ['xds:///orders', { GRPC_XDS_BOOTSTRAP: '/no/such/file' }, /GRPC_XDS_BOOTSTRAP names the file .* cannot be read/],
    [
      'xds:///orders',
      {
        GRPC_XDS_BOOTSTRAP_CONFIG:
          '{"xds_servers":[{"server_uri":"a","channel_creds":[{"type":"tls"}]}],"node":{"id":"x"}}',
      },
      /node.locality is missing .*\n.*channel_creds are "tls"; xds: supports insecure and google_default/,
    ],
  ])('%s with %j is an error with a remedy', (target, environment, message) => {
    const before = { ...process.env };
    for (const [name, value] of Object.entries(environment)) process.env[name] = value;
    onTestFinished(() => void (process.env = before));
    expect(() => new Subject('', { target })).toThrow(message);
  });

  test('only xds: is delegated', () => {
    expect(['xds:///a', 'eds:///a', 'dns:///a', 'xds'].map(isDelegated)).toEqual([true, false, false, false]);
  });
});

describe('xds: with grpc_lb as the policy of the control plane', () => {
  const grpcLb = (config: Parameters<typeof customPolicy>[1] = {}): object => policies(customPolicy('grpc_lb', config));

  test('this package balances: endpoints, connections and options are in the snapshot, and events are emitted', async () => {
    publish(
      'ours',
      servers.slice(0, 3),
      grpcLb({ policy: { name: 'least_request', choiceCount: 2 }, pool: { size: 2 } }),
    );
    const subject = new Subject('ours');
    subject.delegated.connect();
    await subject.until(() => subject.states.join() === 'ready,ready,ready');
    const { loadBalancing, endpoints, source } = subject.delegated.snapshot();
    expect(loadBalancing).toMatchObject({ policy: { name: 'least_request', choiceCount: 2 }, pool: { size: 2 } });
    expect(source).toMatchObject({ state: 'ok', endpoints: 3 });
    expect(endpoints.map(({ address }) => address)).toEqual(servers.slice(0, 3).map(({ address }) => address));
    expect(subject.delegated.explain().rule).toContain('least_request');
    expect(subject.events.filter(({ type }) => type === 'endpoint_added')).toHaveLength(3);
    const states = subject.events.flatMap((event) => (event.type === 'client_state' ? event.to : []));
    expect(states.at(-1)).toBe('ready');
  });

  test('a slow endpoint gets fewer calls than with round robin', async () => {
    publish('slow', servers.slice(0, 3), grpcLb());
    // As slow as forty calls to the others, or until all callers wait for it.
    let callers = 12;
    const answered = (): number => servers[1]!.calls + servers[2]!.calls;
    const held: { due: number; answer: (line: object) => void }[] = [];
    const release = (): void => {
      while (held.length > 0 && (held.length === callers || held[0]!.due <= answered())) held.shift()!.answer({});
    };
    answerBy(
      servers[0]!,
      () =>
        new Promise((answer) => {
          held.push({ due: answered() + 40, answer });
          release();
        }),
    );
    for (const server of servers.slice(1, 3)) {
      answerBy(server, () => {
        release();
        return {};
      });
    }
    const subject = new Subject('slow');
    subject.delegated.connect();
    await subject.until(() => subject.states.join() === 'ready,ready,ready');
    const caller = async (): Promise<void> => {
      await subject.spread(30);
      callers--;
      release();
    };
    await Promise.all(Array.from({ length: callers }, caller));
    const share = servers[0]!.calls / 360;
    // Twelve callers, each with one call: round robin gives it a third, least request what it can bear.
    expect(share).toBeLessThan(0.2);
  });

  test('no call fails while endpoints come, go, are all replaced, and the control plane restarts', async () => {
    publish('changing', servers.slice(0, 2), grpcLb());
    const subject = new Subject('changing');
    subject.delegated.connect();
    const usable = (list: readonly FleetBackend[]): boolean => {
      const known = subject.delegated.snapshot().endpoints.filter(({ state }) => state !== 'draining');
      return (
        known.every(({ state }) => state === 'ready') &&
        known.map(({ address }) => address).join() === list.map(({ address }) => address).join()
      );
    };
    await subject.until(() => usable(servers.slice(0, 2)));
    const load = new SteadyLoad(() => subject.say(), 300);
    for (const next of [servers.slice(0, 3), servers.slice(0, 1), servers.slice(2, 4)]) {
      update('changing', next);
      await subject.until(() => usable(next));
      await load.run(30);
    }
    await ads.stop();
    await load.run(50);
    await ads.start();
    update('changing', servers);
    await subject.until(() => usable(servers));
    await load.run(30);
    await load.stop();
    expect(load.failures).toEqual([]);
  });

  test('localities get their shares, whatever their size, and are in the snapshot', async () => {
    publish('weights', servers, grpcLb({ policy: { name: 'random' } }));
    ads.set(
      'eds',
      'weights',
      assignment('weights', [
        { region: 'eu', zone: 'a', weight: 1, endpoints: servers.slice(0, 3).map(({ port }) => ({ port })) },
        { region: 'eu', zone: 'b', subZone: 'x', weight: 1, endpoints: [{ port: servers[3]!.port }] },
      ]),
    );
    const subject = new Subject('weights');
    subject.delegated.connect();
    await subject.until(() => subject.states.length === 4 && subject.states.every((state) => state === 'ready'));
    expect(subject.delegated.snapshot().endpoints.map(({ weight, locality }) => [weight, locality])).toEqual([
      [1, { region: 'eu', zone: 'a' }],
      [1, { region: 'eu', zone: 'a' }],
      [1, { region: 'eu', zone: 'a' }],
      [3, { region: 'eu', zone: 'b', subZone: 'x' }],
    ]);
  });

  test('one balancer for each locality, if the control plane wraps it so; the snapshot has them all', async () => {
    publish('zones', servers, policies(wrrLocality(customPolicy('grpc_lb'))));
    const localities = servers.map(({ port }, i) => ({
      zone: `z${i % 2}`,
      weight: 1 + 2 * (i % 2),
      endpoints: [{ port }],
    }));
    ads.set(
      'eds',
      'zones',
      assignment('zones', [
        { ...localities[0]!, endpoints: [...localities[0]!.endpoints, ...localities[2]!.endpoints] },
        { ...localities[1]!, endpoints: [...localities[1]!.endpoints, ...localities[3]!.endpoints] },
      ]),
    );
    const subject = new Subject('zones');
    subject.delegated.connect();
    await subject.until(() => subject.states.length === 4 && subject.states.every((state) => state === 'ready'));
    const counts = await subject.spread(400);
    // One to three: 300 of 400 with a standard deviation of 9.
    expect(counts[1]! + counts[3]!).toBeGreaterThan(250);
    expect(counts[1]! + counts[3]!).toBeLessThan(350);
    expect(subject.delegated.explain().endpoints).toHaveLength(4);
  });

  test('a faulty config of the control plane fails calls with the fault', async () => {
    publish('faulty', servers.slice(0, 1), grpcLb({ policy: 'lest_request' }));
    await expect(new Subject('faulty').say({ deadline: Date.now() + 60_000 })).rejects.toThrow(
      /grpc_lb.policy.*did you mean "least_request"/,
    );
  });

  test('a policy that the client does not know is skipped for the next one', async () => {
    publish('next', servers.slice(0, 2), policies(customPolicy('unknown_policy'), customPolicy('grpc_lb')));
    const subject = new Subject('next');
    await subject.say();
    expect(subject.delegated.snapshot().loadBalancing).not.toBeNull();
  });
});
