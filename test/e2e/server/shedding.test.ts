import * as grpc from '@grpc/grpc-js';
import { loadSync } from '@grpc/proto-loader';
import { protoPath as healthProto } from 'grpc-health-check';
import { RpcException } from '@nestjs/microservices';
import { describe, expect, onTestFinished, test } from 'vitest';
import type { LoadBalancingOptions } from '../../../libs/grpc-lb/src/core/options/load-balancing.js';
import { isShed } from '../../../libs/grpc-lb/src/grpc/call/wire-status.js';
import { ServerRecorder } from '../../../libs/grpc-lb/src/telemetry/metrics/server-recorder.js';
import { type GrpcServerOptions, SHED_KEY } from '../../../libs/grpc-lb/src/server/index.js';
import { call } from '../../support/calls/call.js';
import { BalancedClient } from '../../support/echo/balanced-client.js';
import { expectNoLeaks } from '../../support/run/leaks.js';
import { echoClient, type EchoMicroservice, say, startEcho } from '../../support/server/app.js';
import { eventually } from '../../support/time/patience.js';

expectNoLeaks();

const insecure = grpc.credentials.createInsecure();

/** A server that works on so many calls at a time, and holds them. */
async function holding(
  maxConcurrent: number,
  more: GrpcServerOptions = {},
): Promise<EchoMicroservice & { held: number; release: () => void }> {
  const echo = await startEcho({ ...more, shedding: { maxConcurrent } });
  const waiting: (() => void)[] = [];
  const state = {
    ...echo,
    held: 0,
    release: () => {
      for (const answer of waiting.splice(0)) answer();
    },
  };
  echo.handlers.say = (line) => {
    state.held++;
    return new Promise((resolve) => waiting.push(() => resolve({ ...line, server: echo.address })));
  };
  onTestFinished(state.release);
  return state;
}

const metadataOf = (entries: Record<string, string>): grpc.Metadata => {
  const metadata = new grpc.Metadata();
  for (const [key, value] of Object.entries(entries)) metadata.set(key, value);
  return metadata;
};

describe('a server that works on as many calls as it may', () => {
  async function full(maxConcurrent = 1) {
    const server = await holding(maxConcurrent);
    const client = echoClient(server.address, insecure);
    const running: Promise<unknown>[] = [];
    const fill = async (count: number): Promise<void> => {
      const before = server.held;
      for (let i = 0; i < count; i++) running.push(call(client, 'unary', { requests: [''] }));
      await eventually(() => server.held === before + count);
    };
    await fill(maxConcurrent);
    return { server, client, running };
  }

  test('refuses the next one before it is decoded, and tells the client to go elsewhere at once', async () => {
    const { server, client, running } = await full();
    // No handler could read this request.
    const shed = await call(client, 'unary', { requests: [Buffer.from([0xff, 0xff, 0xff])] });
    expect(shed).toMatchObject({
      code: grpc.status.UNAVAILABLE,
      trailers: { [SHED_KEY]: ['concurrency'], 'grpc-retry-pushback-ms': ['0'] },
    });
    const again = await call(client, 'unary', { metadata: metadataOf({ 'grpc-previous-rpc-attempts': '1' }) });
    expect(again.trailers).toMatchObject({ 'grpc-retry-pushback-ms': ['-1'] });
    expect(server.server.shedding()).toEqual({
      limit: 1,
      working: 1,
      shed: { critical_plus: 0, critical: 2, sheddable_plus: 0, sheddable: 0 },
    });
    expect([server.held, server.server.refused().concurrency]).toEqual([1, 2]);
    server.release();
    await Promise.all(running);
    expect(server.server.shedding()!.working).toBe(0);
  });

  test('takes them again when one has ended, also one that its caller cancelled', async () => {
    const { server, client } = await full(2);
    server.release();
    await eventually(() => server.server.shedding()!.working === 0);
    const cancelled = call(client, 'unary', {
      requests: [''],
      onCall: (each) => void eventually(() => server.held === 3).then(() => each.cancel()),
    });
    await cancelled;
    await eventually(() => server.server.shedding()!.working === 0);
    const last = call(client, 'unary', { requests: [''] });
    await eventually(() => server.held === 4);
    server.release();
    expect((await last).code).toBe(grpc.status.OK);
  });

  test('leaves the less important less room', async () => {
    const server = await holding(4);
    const client = echoClient(server.address, insecure);
    const send = (level: string) =>
      call(client, 'unary', { requests: [''], metadata: metadataOf({ 'x-criticality': level }) });
    const running = [send('sheddable'), send('sheddable')];
    await eventually(() => server.held === 2);
    expect((await send('sheddable')).code).toBe(grpc.status.UNAVAILABLE);
    running.push(send('sheddable_plus'));
    await eventually(() => server.held === 3);
    expect((await send('sheddable_plus')).code).toBe(grpc.status.UNAVAILABLE);
    running.push(send('critical'));
    await eventually(() => server.held === 4);
    expect((await send('critical_plus')).code).toBe(grpc.status.UNAVAILABLE);
    server.release();
    await Promise.all(running);
  });

  test('still answers health, and does not count streams', async () => {
    const { server, client } = await full();
    const { Health } = (
      grpc.loadPackageDefinition(loadSync(healthProto)) as unknown as {
        grpc: { health: { v1: { Health: grpc.ServiceClientConstructor } } };
      }
    ).grpc.health.v1;
    const health = new Health(server.address, insecure);
    onTestFinished(() => health.close());
    const check = health['check'] as (request: object, done: (error: unknown, answer: unknown) => void) => void;
    const answer = await new Promise((resolve) => check.call(health, {}, (_, found) => resolve(found)));
    expect(answer).toMatchObject({ status: 1 });
    server.release();
    await eventually(() => server.server.shedding()!.working === 0);
    const stream = client.repeat({ text: 'x' });
    stream.on('error', () => {});
    await eventually(() => server.server.load().inFlight === 1);
    expect(server.server.shedding()!.working).toBe(0);
    stream.cancel();
  });

  test('answers reflection and load reports too', async () => {
    const server = await holding(1, { reflection: true });
    void call(echoClient(server.address, insecure), 'unary', { requests: [''] });
    await eventually(() => server.held === 1);
    const raw = new grpc.Client(server.address, insecure);
    onTestFinished(() => raw.close());
    const bytes = (each: Buffer): Buffer => each;
    const first = (stream: grpc.ClientReadableStream<Buffer>): Promise<Buffer> =>
      new Promise((resolve, reject) => {
        stream.once('data', resolve).on('error', (error: grpc.ServiceError) => {
          if (error.code !== grpc.status.CANCELLED) reject(error);
        });
        onTestFinished(() => stream.cancel());
      });
    const reflection = raw.makeBidiStreamRequest(
      '/grpc.reflection.v1.ServerReflection/ServerReflectionInfo',
      bytes,
      bytes,
    );
    // list_services = 7: "*"
    reflection.write(Buffer.from([0x3a, 0x01, 0x2a]));
    const services = await first(reflection);
    expect(services.toString()).toContain('echo.v1.Echo');
    const path = '/xds.service.orca.v3.OpenRcaService/StreamCoreMetrics';
    // An empty request: the default interval.
    const report = await first(raw.makeServerStreamRequest(path, bytes, bytes, Buffer.alloc(0)));
    expect(report.toString()).toContain('in_flight');
    expect(server.server.refused().concurrency).toBe(0);
  });

  test('reports it: in its metrics, and as neither a call nor an error of its load', async () => {
    const { server, client } = await full();
    const taken: unknown[] = [];
    const recorder = new ServerRecorder((metric, value, labels) => taken.push([metric, value, labels]));
    server.server.observe(recorder);
    const { trailers } = await call(client, 'unary', { requests: [''] });
    const refused = { 'grpc.method': 'echo.v1.Echo/Say', 'grpc.lb.refusal': 'concurrency' };
    expect(taken).toContainEqual(['grpc.lb.server.calls_refused', 1, refused]);
    expect(trailers['endpoint-load-metrics-bin']).toHaveLength(1);
    const load = server.server.load();
    expect([load.inFlight, load.errorsPerSecond, load.callsPerSecond]).toEqual([1, 0, 0]);
  });
});

describe('a balanced client', () => {
  async function between(servers: readonly EchoMicroservice[], loadBalancing: LoadBalancingOptions = {}) {
    const attempts: string[] = [];
    const client = await new BalancedClient({
      target: `static:///${servers.map(({ address }) => address).join(',')}`,
      loadBalancing: { policy: 'round_robin', ...loadBalancing },
      methods: [{ service: 'echo.v1.Echo', method: 'Say', responseStream: false }],
      observer: { callStarted: () => ({ attemptStarted: (attempt) => void attempts.push(attempt.address) }) },
    }).ready(servers.length);
    return { client, attempts };
  }

  async function fill(server: Awaited<ReturnType<typeof holding>>): Promise<void> {
    const before = server.held;
    void call(echoClient(server.address, insecure), 'unary', { requests: [''] });
    await eventually(() => server.held === before + 1);
  }

  test.each<[string, LoadBalancingOptions]>([
    ['without a retry policy', {}],
    ['with a retry policy', { retry: {} }],
    ['with one for another status', { retry: { retryableStatusCodes: ['INTERNAL'] } }],
  ])('goes elsewhere, once: %s', async (_, loadBalancing) => {
    const full = await holding(1);
    const free = await startEcho();
    await fill(full);
    const { client, attempts } = await between([full, free], loadBalancing);
    for (let i = 0; i < 6; i++) await client.say();
    const shed = attempts.filter((address) => address === full.address).length;
    expect(shed).toBeGreaterThanOrEqual(3);
    expect(attempts).toHaveLength(6 + shed);
    expect(Object.values(client.states)).toEqual(['ready', 'ready']);
  });

  test.each<[string, LoadBalancingOptions]>([
    ['without a retry policy', {}],
    ['with a retry policy of five attempts', { retry: { maxAttempts: 5 } }],
    ['hedged', { hedge: { methods: { Say: { maxAttempts: 5, delay: 30_000 } } } }],
  ])('ends after the second server has shed it too: %s', async (_, loadBalancing) => {
    const servers = await Promise.all([holding(1), holding(1), holding(1)]);
    await Promise.all(servers.map(fill));
    const { client, attempts } = await between(servers, loadBalancing);
    await expect(client.say()).rejects.toMatchObject({
      code: grpc.status.UNAVAILABLE,
      details: 'The server sheds load: it works on too many calls; it has not processed the call',
    });
    expect(attempts).toHaveLength(2);
    expect(new Set(attempts).size).toBe(2);
  });

  test('says who sheds, and which calls', async () => {
    const full = await holding(1);
    const free = await startEcho();
    await fill(full);
    const { client, attempts } = await between([full, free]);
    const told = (address: string) => client.snapshot.endpoints.find((each) => each.address === address)!;
    expect(told(full.address)).toMatchObject({ shed: {}, shedding: false });
    const levels = ['sheddable', 'sheddable', 'critical_plus', ''];
    for (const level of levels.flatMap((each) => [each, each])) {
      const metadata = level === '' ? new grpc.Metadata() : metadataOf({ 'x-criticality': level });
      await new Promise((resolve) => client.echo.Say({ text: 'x' }, metadata, {}, resolve));
    }
    const shed = client.snapshot.totals.attemptsShed;
    expect(Object.keys(shed)).toEqual(['sheddable', 'critical_plus', 'critical']);
    expect(Object.values(shed).reduce((sum, each) => sum + each)).toBe(
      attempts.filter((address) => address === full.address).length,
    );
    expect(told(full.address)).toMatchObject({ shed, shedding: true, state: 'ready' });
    expect(told(free.address)).toMatchObject({ shed: {}, shedding: false });
    const events = client.events.filter(({ type }) => type === 'shedding');
    expect(events).toMatchObject([{ address: full.address, on: true }]);
    const { endpoints } = client.balanced.explain();
    expect(endpoints.map(({ why }) => why.includes('sheds load'))).toEqual([true, false]);
  });

  test('does not ask the only server again', async () => {
    const full = await holding(1);
    await fill(full);
    const { client, attempts } = await between([full]);
    await expect(client.say()).rejects.toMatchObject({ code: grpc.status.UNAVAILABLE });
    expect(attempts).toHaveLength(1);
  });

  test('makes at most a tenth more attempts than calls when all servers shed, and ejects none', async () => {
    const servers = await Promise.all([holding(1), holding(1)]);
    await Promise.all(servers.map(fill));
    const { client, attempts } = await between(servers, { policy: 'least_request' });
    const CALLS = 1000;
    for (let i = 0; i < CALLS; i++) await client.say().catch(() => {});
    expect(attempts.length).toBeLessThanOrEqual(1.1 * CALLS);
    expect(Object.values(client.states)).toEqual(['ready', 'ready']);
  });
});

describe('a server whose event loop is late', () => {
  /** Bursts of calls whose handlers block the event loop, until it has a limit. */
  async function limited() {
    const server = await startEcho({ shedding: { maxEventLoopDelay: 1 } });
    server.handlers.say = (line) => {
      for (const end = performance.now() + 3; performance.now() < end;);
      return line;
    };
    const client = echoClient(server.address, insecure);
    const send = (level: string, request: string | Buffer = '') =>
      call(client, 'unary', { requests: [request], metadata: metadataOf({ 'x-criticality': level }) });
    const burst = (): Promise<unknown> => Promise.all(Array.from({ length: 30 }, () => send('critical')));
    for (let i = 0; i < 50 && server.server.shedding()!.limit === null; i++) await burst();
    expect(server.server.shedding()!.limit).not.toBeNull();
    return { server, client, send };
  }

  test('sheds the less important calls of a turn, whichever came first, before they are decoded', async () => {
    const { server, send } = await limited();
    const before = server.server.shedding()!.shed;
    const unreadable = Buffer.from([0xff, 0xff, 0xff]);
    const sheddable = Array.from({ length: 20 }, () => send('sheddable', unreadable));
    const critical = Array.from({ length: 20 }, () => send('critical'));
    const codes = (await Promise.all(sheddable)).map(({ code }) => code);
    await Promise.all(critical);
    const { shed, working } = server.server.shedding()!;
    expect(shed.sheddable - before.sheddable).toBe(codes.filter((code) => code === grpc.status.UNAVAILABLE).length);
    // Those that were decoded.
    expect(codes.filter((code) => code !== grpc.status.UNAVAILABLE)).toEqual(
      Array.from({ length: 20 - (shed.sheddable - before.sheddable) }, () => grpc.status.INTERNAL),
    );
    expect(shed.sheddable - before.sheddable).toBeGreaterThanOrEqual(19);
    expect(working).toBe(0);
  });

  test('forgets calls that are cancelled while they wait for the end of the turn', async () => {
    const { server, client, send } = await limited();
    const cancelled = Array.from({ length: 20 }, (_, i) =>
      call(client, 'unary', {
        requests: [''],
        metadata: metadataOf({ 'x-criticality': i % 2 === 0 ? 'sheddable' : 'sheddable_plus' }),
        onCall: (each) => void setImmediate(() => each.cancel()),
      }),
    );
    await Promise.all([...cancelled, send('critical'), send('critical')]);
    await eventually(() => server.server.load().inFlight === 0);
    expect(server.server.shedding()!.working).toBe(0);
  });
});

describe('a handler that passes on the error of a call which was shed', () => {
  const passOn = (error: unknown): never => {
    const { code, details, metadata } = error as grpc.ServiceError;
    throw new RpcException({ code, message: details, metadata });
  };

  /** A server whose handler calls a full one; returns how often it runs for one call, and the trailers of its end. */
  async function passedOn(balanced: boolean, loadReports: boolean) {
    const full = await holding(1);
    void call(echoClient(full.address, insecure), 'unary', { requests: [''] });
    await eventually(() => full.held === 1);
    const middles = await Promise.all([startEcho({ loadReports }), startEcho({ loadReports })]);
    const next = echoClient(full.address, insecure);
    const client = balanced && (await new BalancedClient({ target: `static:///${full.address}` }).ready(1));
    let runs = 0;
    for (const { handlers } of middles)
      handlers.say = async (line) => {
        runs++;
        return client ? client.say().then(() => line, passOn) : say(next).catch(passOn);
      };
    const outer = await new BalancedClient({
      target: `static:///${middles.map(({ address }) => address).join(',')}`,
    }).ready(2);
    const error = await outer.say().then(
      () => undefined,
      (reason: unknown) => reason as grpc.ServiceError,
    );
    const onTheWire = await call(echoClient(middles[0]!.address, insecure), 'unary', { requests: [''] });
    full.release();
    return { runs: runs - 1, error, onTheWire };
  }

  test.each([
    [true, true],
    [true, false],
    [false, true],
    [false, false],
  ])('has run, so its call is not made again elsewhere; balanced %s, with load reports %s', async (...how) => {
    const { runs, error, onTheWire } = await passedOn(...how);
    expect(runs).toBe(1);
    expect(error?.code).toBe(grpc.status.UNAVAILABLE);
    expect(onTheWire.code).toBe(grpc.status.UNAVAILABLE);
    expect(onTheWire.trailers).not.toHaveProperty(SHED_KEY);
    expect(onTheWire.trailers).not.toHaveProperty('grpc-retry-pushback-ms');
  });
});

test('both halves mean the same trailer', () => {
  const metadata = metadataOf({ [SHED_KEY]: 'concurrency' });
  expect(isShed({ code: grpc.status.UNAVAILABLE, details: '', metadata })).toBe(true);
  expect(isShed({ code: grpc.status.INTERNAL, details: '', metadata })).toBe(false);
});
