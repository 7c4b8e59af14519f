import { credentials, type ServiceError } from '@grpc/grpc-js';
import { Module, type Type } from '@nestjs/common';
import { Test } from '@nestjs/testing';
import {
  getGrpcLbClientToken,
  GrpcLbClient,
  type GrpcLbClientOptions,
  GrpcLbModule,
  GrpcLbRegistry,
  GrpcService,
} from 'nestjs-grpc-lb';
import { createBalancedChannel } from 'nestjs-grpc-lb/grpc';
import { createFleet, repeat, statusError, TestAuthority, trackLeaks } from 'nestjs-grpc-lb/testing';
import { firstValueFrom, lastValueFrom, Observable, of, throwError, toArray } from 'rxjs';
import { describe, expect, it, onTestFinished } from 'vitest';
import { Echo, ECHO_PROTO, type Line } from '../../support/echo/cluster.js';
import type { EchoService } from '../../support/nest/app.js';
import { expectNoLeaks } from '../../support/run/leaks.js';
import { appOfFleet, EchoClient, EchoModule, fleetOfTest } from '../../support/testing/fleet-app.js';

expectNoLeaks();

const RETRY = { loadBalancing: { retry: { maxAttempts: 3, retryableStatusCodes: ['UNAVAILABLE'] } } } as const;

async function errorOf(call: Promise<unknown>): Promise<ServiceError> {
  return call.then(
    () => {
      throw new Error('the call has succeeded');
    },
    (error: unknown) => error as ServiceError,
  );
}

describe('a fleet', () => {
  it('shares the calls of a client, and says who got them', async () => {
    const fleet = await fleetOfTest();
    const { echo } = await appOfFleet(fleet);
    const { answers, errors } = await repeat(30, (i) => echo.say({ text: `${i}` }), { concurrent: 3 });
    expect(errors).toEqual([]);
    fleet.expectShares({ within: 0.5 });
    fleet.expectAttempts(1);
    expect(fleet.calls()).toHaveLength(30);
    const [first] = fleet.calls();
    expect(first).toMatchObject({ method: '/echo.v1.Echo/Say', backend: answers[0]!.times });
    expect([...fleet].map(({ share }) => share).reduce((sum, each) => sum + each)).toBeCloseTo(1);
    fleet.clear();
    expect([fleet.calls(), fleet.attempts(), fleet[0].calls]).toEqual([[], [], 0]);
  });

  it('answers all kinds of calls by handlers, and others with nothing', async () => {
    const fleet = await fleetOfTest({
      backends: 1,
      handlers: {
        async *repeat({ text, times = 0 }) {
          for (let i = 0; i < times; i++) yield { text, times: i };
        },
        join: async (lines) => {
          const texts: string[] = [];
          for await (const { text } of lines) texts.push(text!);
          return { text: texts.join(' ') };
        },
        async *talk(lines) {
          for await (const { text } of lines) yield { text: text!.toUpperCase() };
        },
      },
    });
    const { echo } = await appOfFleet(fleet);
    const texts = (lines: Line[]): string[] => lines.map(({ text }) => text);
    expect(texts(await lastValueFrom(echo.repeat({ text: 'a', times: 3 }).pipe(toArray())))).toEqual(['a', 'a', 'a']);
    expect((await firstValueFrom(echo.join([{ text: 'a' }, { text: 'b' }]))).text).toBe('a b');
    expect(texts(await lastValueFrom(echo.talk(of({ text: 'a' }, { text: 'b' })).pipe(toArray())))).toEqual(['A', 'B']);
    expect(await firstValueFrom(echo.say({ text: 'a' }))).toEqual({});
  });

  it('has the same services by a definition, a proto file, and a client', async () => {
    const sources = [
      { definition: Echo.service },
      { definition: [Echo.service] },
      { protoPath: ECHO_PROTO, package: 'echo.v1' },
      { client: EchoClient },
    ];
    for (const source of sources) {
      const fleet = await createFleet({ ...source, handlers: { say: () => ({ text: 'here' }) } });
      onTestFinished(() => fleet.close());
      const { echo, app } = await appOfFleet(fleet);
      expect((await firstValueFrom(echo.say({}))).text).toBe('here');
      await app.close();
    }
  });

  it('serves a bare client, which its observer sees', async () => {
    const fleet = await fleetOfTest({ backends: [{ weight: 2 }, {}] });
    const channel = createBalancedChannel({
      name: 'ECHO',
      target: fleet.target,
      credentials: credentials.createInsecure(),
      observer: fleet.observer,
    });
    const client = new Echo('ignored', credentials.createInsecure(), { channelOverride: channel });
    const { path, requestSerialize, responseDeserialize } = Echo.service['Say']!;
    const say = (): Promise<unknown> =>
      new Promise((resolve, reject) => {
        client.makeUnaryRequest(path, requestSerialize, responseDeserialize, { text: 'a' }, (error, line) =>
          error ? reject(error) : resolve(line),
        );
      });
    await say();
    fleet.expectAttempts(1);
    expect(channel.snapshot().endpoints.map(({ weight }) => weight)).toEqual([2, 1]);
    client.close();
    channel.close();
  });

  it('fails a call as its handler does', async () => {
    const fleet = await fleetOfTest({
      handlers: {
        say: ({ text }) =>
          Promise.reject(
            text === 'typed' ? statusError('NOT_FOUND', 'no line', { 'x-why': 'test' }) : new Error('oops'),
          ),
        repeat: () => {
          throw statusError('DATA_LOSS');
        },
      },
    });
    const { echo } = await appOfFleet(fleet);
    const typed = await errorOf(firstValueFrom(echo.say({ text: 'typed' })));
    expect([typed.code, typed.details, typed.metadata.get('x-why')]).toEqual([5, 'no line', ['test']]);
    expect(await errorOf(firstValueFrom(echo.say({ text: 'other' })))).toMatchObject({ code: 2, details: 'oops' });
    expect(await errorOf(firstValueFrom(echo.repeat({})))).toMatchObject({ code: 15 });
  });
});

describe('a handler that fails with no error', () => {
  it.each<[string, unknown, details: string]>([
    ['nothing', undefined, 'undefined'],
    ['null', null, 'null'],
    ['a text', 'oops', '"oops"'],
    ['a number', 7, '7'],
    ['metadata of another library', Object.assign(new Error('oops'), { metadata: new Headers() }), 'oops'],
  ])('as with %s, fails its call only', async (_, thrown, details) => {
    const fleet = await fleetOfTest({
      backends: 1,
      handlers: { say: () => Promise.reject(thrown as Error), repeat: () => throwError(() => thrown) },
    });
    const { echo } = await appOfFleet(fleet);
    for (const call of [echo.say({}), echo.repeat({})])
      expect(await errorOf(firstValueFrom(call))).toMatchObject({ code: 2, details });
  });
});

describe('a backend of a fleet', () => {
  it('that is slow gets fewer calls', async () => {
    const fleet = await fleetOfTest();
    const { echo } = await appOfFleet(fleet);
    // The first calls are slow: their code is not compiled yet.
    await repeat(60, () => echo.say({ text: 'a' }));
    fleet.clear();
    fleet[1].slow(100);
    await repeat(60, () => echo.say({ text: 'a' }), { concurrent: 6 });
    fleet[1].expectShare({ atMost: 0.25 });
    expect(() => fleet[1].expectShare({ atLeast: 0.3 })).toThrow(
      /^backend 1 got .* % of the calls; expected at least 30 %\n {2}backend 0: \d+ of 60 calls/,
    );
    fleet[1].recover();
  });

  it('that gets handlers of its own answers by them, until it recovers', async () => {
    const fleet = await fleetOfTest({ backends: 2, handlers: { say: () => ({ text: 'fleet' }) } });
    const { echo } = await appOfFleet(fleet);
    const texts = async (): Promise<Set<string>> =>
      new Set((await repeat(20, () => echo.say({ text: 'a' }))).answers.map(({ text }) => text));
    fleet[0].handle<EchoClient>({ say: ({ text }) => ({ text: `${text}!` }) });
    expect(await texts()).toEqual(new Set(['a!', 'fleet']));
    fleet[0].recover();
    expect(await texts()).toEqual(new Set(['fleet']));
    expect(() => fleet[0].handle({ sey: () => ({}) })).toThrow(
      'sey is not a method of the service; did you mean "say"',
    );
  });

  it('whose connections are cut is called again, over new ones', async () => {
    const fleet = await fleetOfTest({ backends: [{ host: '::1' }] });
    const { echo } = await appOfFleet(fleet, { channelOptions: { 'grpc.initial_reconnect_backoff_ms': 20 } });
    expect(fleet[0].address).toBe(`[::1]:${fleet[0].port}`);
    fleet[0].hang();
    const lost = errorOf(firstValueFrom(echo.say({ text: 'a' })));
    await expect.poll(() => fleet[0].inFlight).toBe(1);
    await fleet[0].cut();
    expect(await lost).toMatchObject({ code: 14 });
    fleet[0].recover();
    await fleet.ready();
    expect((await repeat(5, () => echo.say({ text: 'a' }))).errors).toEqual([]);
    expect([fleet[0].accepted, fleet[0].running]).toEqual([2, true]);
  });

  it('that is added listens where it is told to, also on the port of another', async () => {
    const fleet = await fleetOfTest({ backends: [{ host: '127.0.0.2' }] });
    const { port } = fleet[0];
    const added = await fleet.add({ host: '127.0.0.3', port });
    expect([added.host, added.port]).toEqual(['127.0.0.3', port]);
    expect(fleet.addresses).toEqual([`127.0.0.2:${port}`, `127.0.0.3:${port}`]);
    const { echo } = await appOfFleet(fleet);
    expect((await repeat(20, () => echo.say({ text: 'a' }))).errors).toEqual([]);
    fleet.expectShares({ within: 0.5 });
    await added.restart();
    expect(added.address).toBe(`127.0.0.3:${port}`);
  });

  it('that fails fails as many calls as it is told to', async () => {
    const fleet = await fleetOfTest({ backends: 1 });
    const { echo } = await appOfFleet(fleet);
    fleet[0].fail('RESOURCE_EXHAUSTED', { times: 2, details: 'no room' });
    const { errors } = await repeat(4, () => echo.say({ text: 'a' }), { concurrent: 1 });
    expect(errors.map((error) => (error as ServiceError).details)).toEqual(['no room', 'no room']);
    fleet[0].fail('INTERNAL');
    expect((await repeat(4, () => echo.say({ text: 'a' }))).errors).toHaveLength(4);
    fleet[0].recover();
    expect((await repeat(4, () => echo.say({ text: 'a' }))).errors).toEqual([]);
  });

  it('that fails is tried elsewhere, and the attempts show it', async () => {
    const fleet = await fleetOfTest({ backends: 2 });
    const { echo } = await appOfFleet(fleet, RETRY);
    fleet[0].fail('UNAVAILABLE');
    const { errors } = await repeat(10, () => echo.say({ text: 'a' }), { concurrent: 2 });
    expect(errors).toEqual([]);
    fleet.expectAttempts({ atMost: 2 });
    expect(() => fleet.expectAttempts(1)).toThrow(
      /calls did not take 1 attempts; the first of them:\n {2}\/echo\.v1\.Echo\/Say: OK\n {2}attempt 1 .*to 127\.0\.0\.1:\d+: UNAVAILABLE\n {2}attempt 2 .*: OK/,
    );
    expect(
      fleet.attempts().some(({ attempts }) => attempts.map(({ status }) => status).join() === 'UNAVAILABLE,OK'),
    ).toBe(true);
  });

  it('that hangs answers when it recovers, and forgets calls that are canceled', async () => {
    const fleet = await fleetOfTest({ backends: 1 });
    const { echo } = await appOfFleet(fleet);
    fleet[0].hang();
    const abort = new AbortController();
    const canceled = errorOf(firstValueFrom(echo.say({ text: 'a' }, { signal: abort.signal })));
    await expect.poll(() => fleet[0].inFlight).toBe(1);
    abort.abort();
    expect(await canceled).toMatchObject({ code: 1 });
    await expect.poll(() => fleet[0].inFlight).toBe(0);
    const answer = firstValueFrom(echo.say({ text: 'b' }));
    await expect.poll(() => fleet[0].inFlight).toBe(1);
    fleet[0].recover();
    expect(await answer).toMatchObject({ text: 'b' });
    expect(fleet[0].inFlight).toBe(0);
  });

  it('that stops refuses connections, and has its port again when it restarts', async () => {
    const fleet = await fleetOfTest();
    const { echo } = await appOfFleet(fleet, { channelOptions: { 'grpc.initial_reconnect_backoff_ms': 20 } });
    const { address } = fleet[1];
    // The system gives ports below this one to nobody meanwhile.
    expect(fleet[1].port).toBeLessThan(32_768);
    fleet[1].hang();
    await fleet[1].stop();
    expect([fleet[1].running, fleet[1].connections, fleet[1].address]).toEqual([false, 0, address]);
    fleet.clear();
    expect((await repeat(10, () => echo.say({ text: 'a' }))).errors).toEqual([]);
    fleet[1].expectShare({ atMost: 0 });
    await fleet[1].restart();
    await fleet.ready();
    expect([fleet[1].running, fleet[1].address]).toEqual([true, address]);
    await repeat(60, () => echo.say({ text: 'a' }));
    expect(fleet[1].calls).toBeGreaterThan(0);
  });

  it('that drains ends the calls that it has, and gets no more', async () => {
    const fleet = await fleetOfTest();
    const { echo } = await appOfFleet(fleet);
    for (const backend of fleet) backend.slow(20);
    const calls = repeat(30, () => echo.say({ text: 'a' }), { concurrent: 9 });
    while (fleet[1].inFlight === 0) await new Promise((resolve) => setImmediate(resolve));
    await fleet[1].drain();
    const before = fleet[1].calls;
    expect((await calls).errors).toEqual([]);
    expect([fleet[1].calls, fleet[1].running]).toEqual([before, false]);
  });

  it('that takes one stream for each connection is not given more', async () => {
    const fleet = await fleetOfTest({ backends: 2 });
    const { echo } = await appOfFleet(fleet, { loadBalancing: { pool: { maxSize: 1 }, health: { enabled: false } } });
    await fleet[0].limitStreams(1);
    await fleet.ready();
    for (const backend of fleet) backend.slow(5);
    expect((await repeat(40, () => echo.say({ text: 'a' }))).errors).toEqual([]);
    expect(fleet[0].mostInFlight).toBe(1);
    expect(fleet[1].mostInFlight).toBeGreaterThan(1);
  });

  it('that is behind a partition is silent until it heals', async () => {
    const fleet = await fleetOfTest({ backends: 1 });
    const { echo } = await appOfFleet(fleet);
    fleet[0].partition();
    await expect(fleet.ready(1, { timeout: 10 })).rejects.toThrow(
      /^not ready within 10 ms\n {2}backend 0 \(.*\): partitioned$/,
    );
    const answer = firstValueFrom(echo.say({ text: 'a' }));
    expect(await errorOf(firstValueFrom(echo.say({ text: 'b' }, { timeout: 30 })))).toMatchObject({ code: 4 });
    expect(fleet.calls()).toEqual([]);
    fleet[0].heal();
    expect(await answer).toMatchObject({ text: 'a' });
  });
});

it('a backend that discovery calls degraded gets no calls', async () => {
  const fleet = await fleetOfTest({ backends: [{}, { degraded: true }] });
  const { echo } = await appOfFleet(fleet);
  await repeat(20, () => echo.say({ text: 'a' }), { concurrent: 1 });
  fleet[1].expectShare({ atMost: 0 });
});

it('ready() waits until clients have heard of removals, which may come a bit later', async () => {
  const fleet = await fleetOfTest({ backends: 2 });
  const { app } = await appOfFleet(fleet);
  for (let again = 0; again < 10; again++) fleet.restore(1);
  fleet.remove(0);
  await fleet.ready();
  const { endpoints } = app.get(GrpcLbRegistry).snapshot(EchoClient);
  expect(endpoints.map(({ address }) => address)).toEqual([fleet[1].address]);
});

it('the list of a fleet changes while clients use it', async () => {
  const fleet = await fleetOfTest({ backends: 1 });
  const { app, echo } = await appOfFleet(fleet);
  const added = await fleet.add({ locality: { zone: 'a' } });
  await fleet.ready();
  expect(added).toBe(fleet[1]);
  const addresses = (): string[] =>
    app
      .get(GrpcLbRegistry)
      .snapshot(EchoClient)
      .endpoints.map(({ address }) => address);
  expect(addresses()).toEqual(fleet.addresses);
  const removed = firstValueFrom(app.get(GrpcLbRegistry).events$);
  fleet.remove(0);
  await removed;
  await expect.poll(addresses).toEqual([fleet[1].address]);
  expect((await repeat(5, () => echo.say({ text: 'a' }))).errors).toEqual([]);
  fleet[1].expectShare({ atLeast: 1 });
  fleet.restore(0);
  await fleet.ready();
  expect(fleet.addresses).toHaveLength(2);
});

it('a closed fleet leaves no socket and no timer, and neither does a forgotten call', async () => {
  const leaks = trackLeaks();
  const fleet = await createFleet({ client: EchoClient, backends: 3 });
  const { app, echo } = await appOfFleet(fleet);
  fleet[0].slow(60_000);
  fleet[1].hang();
  fleet[2].partition();
  const calls = repeat(6, () => echo.say({ text: 'a' }));
  while (fleet[0].inFlight === 0 || fleet[1].inFlight === 0) await new Promise((resolve) => setImmediate(resolve));
  expect(leaks.open().map(({ kind }) => kind)).toEqual(expect.arrayContaining(['server', 'socket', 'timer']));
  await fleet.close();
  await app.close();
  await calls;
  await leaks.expectNone();
  await expect(fleet.add()).rejects.toThrow('the fleet is closed');
  await fleet.close();
});

it('a fleet that closes ends what is under way: calls that hang, and backends that drain or change their limit', async () => {
  const fleet = await fleetOfTest({ backends: 2 });
  const { echo } = await appOfFleet(fleet);
  for (const backend of fleet) backend.hang();
  const calls = repeat(4, () => echo.say({ text: 'a' }));
  while (fleet[0].inFlight + fleet[1].inFlight < 4) await new Promise((resolve) => setImmediate(resolve));
  const underWay = [fleet[0].drain(), fleet[1].limitStreams(5)];
  await fleet.close();
  await Promise.all(underWay);
  expect((await calls).errors).toHaveLength(4);
  expect([...fleet].map(({ running, inFlight }) => [running, inFlight])).toEqual([
    [false, 0],
    [false, 0],
  ]);
});

it('options for a test complete those of the client, aspect by aspect', async () => {
  const fleet = await fleetOfTest({ backends: 1 });
  const options = {
    package: 'echo.v1',
    protoPath: ECHO_PROTO,
    target: 'dns:///echo.invalid:50051',
    loadBalancing: { policy: 'round_robin', pool: { size: 2 } },
    channelOptions: { 'grpc.enable_retries': 0 },
  } as const;
  @GrpcLbClient({ ...options, service: 'Echo' })
  class OfClass extends GrpcService<EchoService>() {}
  const item = { name: 'ITEM', options };
  const more = {
    loadBalancing: { pool: { maxSize: 3 } },
    channelOptions: { 'grpc.initial_reconnect_backoff_ms': 20 },
  };
  const optionsOf = (client: Parameters<typeof fleet.client>[0]): GrpcLbClientOptions => {
    const seen: GrpcLbClientOptions[] = [];
    const registry = {
      add: (declared: { readonly options: GrpcLbClientOptions }) => {
        seen.push(declared.options);
        throw new Error('seen');
      },
    };
    expect(() => fleet.client(client, more).factory(registry as never)).toThrow('seen');
    return seen[0]!;
  };
  for (const client of [OfClass, item])
    expect(optionsOf(client)).toMatchObject({
      target: fleet.target,
      loadBalancing: { policy: 'round_robin', pool: { size: 2, maxSize: 3 } },
      channelOptions: { 'grpc.enable_retries': 0, 'grpc.initial_reconnect_backoff_ms': 20 },
    });
});

it('a fleet that closes leaves no port open of backends that are starting', async () => {
  const leaks = trackLeaks();
  const fleet = await createFleet({ client: EchoClient, backends: 1 });
  const restarting = fleet[0].restart();
  const adding = errorOf(fleet.add());
  await fleet.close();
  await restarting;
  expect((await adding).message).toContain('the fleet is closed');
  expect([...fleet].map(({ running }) => running)).toEqual([false, false]);
  await leaks.expectNone();
  await expect(fleet[0].restart()).rejects.toThrow('the fleet is closed');
});

it('a fleet that closes ends ready()', async () => {
  const leaks = trackLeaks();
  const fleet = await createFleet({ client: EchoClient, backends: 1 });
  const waiting = errorOf(fleet.ready(1));
  await fleet.close();
  expect((await waiting).message).toContain('the fleet is closed');
  await leaks.expectNone();
  expect((await errorOf(fleet.ready())).message).toContain('the fleet is closed');
});

it('a client that the fleet observes twice has each call once', async () => {
  const fleet = await fleetOfTest({ backends: 1 });
  @Module({
    imports: [
      GrpcLbModule.forRoot({ logging: false, observer: fleet.observer }),
      GrpcLbModule.forFeature([EchoClient]),
    ],
  })
  class ObservedModule {}
  const { echo } = await appOfFleet(fleet, {}, ObservedModule);
  await repeat(3, () => echo.say({ text: 'a' }));
  expect(fleet.attempts()).toHaveLength(3);
});

it('unsubscribes from the Observable of a handler when the caller goes', async () => {
  let open = 0;
  const source = new Observable<Line>(() => {
    open++;
    return () => void open--;
  });
  const fleet = await fleetOfTest({ backends: 1, handlers: { say: () => source, repeat: () => source } });
  const { echo } = await appOfFleet(fleet);
  const calls = [echo.say({}), echo.repeat({})].map((call) => call.subscribe());
  await expect.poll(() => open).toBe(2);
  for (const call of calls) call.unsubscribe();
  await expect.poll(() => open).toBe(0);
});

it('a client that speaks TLS to a fleet is not ready, and the error says why', async () => {
  const fleet = await fleetOfTest({ backends: 1 });
  const start = Test.createTestingModule({ imports: [EchoModule] })
    .overrideProvider(getGrpcLbClientToken(EchoClient))
    .useFactory(fleet.client(EchoClient, { credentials: credentials.createSsl() }));
  const app = await (await start.compile()).init();
  onTestFinished(() => app.close());
  const readiness = async (): Promise<string> => (await errorOf(fleet.ready(1, { timeout: 10 }))).message;
  await expect
    .poll(readiness)
    .toContain('0 connections; a client speaks TLS to it; use fleet.client() without credentials');
});

describe('mistakes', () => {
  it.each([
    ['- client is missing; set exactly one of client, definition, protoPath, packageDefinition', {}],
    ['- client is set together with definition; set exactly one of', { client: EchoClient, definition: Echo.service }],
    ['- client is the class Plain, which has no @GrpcLbClient; decorate it', { client: class Plain {} }],
    ['- definition has no methods; use a service of generated code', { definition: {} }],
    ['- backends is -1; use a whole number from 0 to 1000, or a list of options', { client: EchoClient, backends: -1 }],
    [
      '- handlers.sey is not a method of the service; did you mean "say"?; the service has say, repeat',
      { client: EchoClient, handlers: { sey: () => ({}) } },
    ],
    [
      '- handlers.say is not a function; write (request) => ({ ... })',
      { client: EchoClient, handlers: { say: { text: 'a' } } },
    ],
    ['- handler is not an option; the options here are client,', { client: EchoClient, handler: {} }],
    ['- package is missing', { protoPath: ECHO_PROTO }],
    [
      '- package is "echo.v2", which the proto files do not define; did you mean "echo.v1"?',
      { protoPath: ECHO_PROTO, package: 'echo.v2' },
    ],
    [
      '- backends[1].wieght is not an option; did you mean "weight"?',
      { client: EchoClient, backends: [{}, { wieght: 2 }] },
    ],
    ['- backends[0].locality.zone is 7; use a text', { client: EchoClient, backends: [{ locality: { zone: 7 } }] }],
    ['- backends[0].host is "localhost"; use an IP address', { client: EchoClient, backends: [{ host: 'localhost' }] }],
    ['- backends[0].port is 0; use a whole number from 1 to 65535', { client: EchoClient, backends: [{ port: 0 }] }],
    ['- backends[0] is null; use an object with weight', { client: EchoClient, backends: [null] }],
  ])('of createFleet: %s', async (line, options) => {
    await expect(createFleet(options as never)).rejects.toThrow(line);
  });

  it('of arguments', async () => {
    const fleet = await fleetOfTest({ backends: 1 });
    expect(() => fleet[3].hang()).toThrow('backend 3 does not exist; the fleet has backends 0 to 0');
    expect(() => fleet[0].slow(-1)).toThrow('slow: delay is -1; use milliseconds from 0 to 86400000');
    expect(() => fleet[0].fail('UNAVAILABEL' as never)).toThrow('status is "UNAVAILABEL"; did you mean "UNAVAILABLE"?');
    expect(() => fleet[0].fail('UNAVAILABLE', { times: 0 })).toThrow('times is 0; use a whole number from 1');
    expect(() => fleet[0].fail('UNAVAILABLE', { trailers: { 'x-bin': 'a' } })).toThrow('-bin');
    await expect(fleet.add({ weight: -1 })).rejects.toThrow('- options.weight is -1; use a whole number from 1');
    await expect(fleet[0].limitStreams(0)).rejects.toThrow('limit is 0; use a whole number from 1');
    expect(() => fleet.expectShares()).toThrow(
      'no backend got a call\n  backend 0: 0 of 0 calls (0 %), expected 100 %',
    );
    expect(() => fleet.expectAttempts(1)).toThrow('no call was observed; create the client with fleet.client()');
  });
});

it('the TLS of a fleet is merged over that of forRoot, whose client certificate that of a mutual fleet replaces', async () => {
  const files = { cert: '/not/there/tls.crt', key: '/not/there/tls.key' };
  const rootTls = (tls: object): Type => {
    @Module({ imports: [GrpcLbModule.forRoot({ logging: false, tls }), GrpcLbModule.forFeature([EchoClient])] })
    class AppModule {}
    return AppModule;
  };
  const secure = await fleetOfTest({ tls: true, backends: 1 });
  expect((await errorOf(appOfFleet(secure, {}, rootTls(files)))).message).toContain('/not/there/tls.crt');
  const { echo } = await appOfFleet(secure, {}, rootTls({ ca: '/not/there/ca.crt', serverName: 'orders.shop' }));
  expect(await firstValueFrom(echo.say({ text: 'a' }))).toMatchObject({ text: 'a' });
  const mutual = await fleetOfTest({ tls: 'mutual', backends: 1 });
  const app = await appOfFleet(mutual, {}, rootTls(files));
  expect(await firstValueFrom(app.echo.say({ text: 'b' }))).toMatchObject({ text: 'b' });
});

it('a mutual fleet refuses a client with a certificate of another CA, or one that has expired', async () => {
  const authority = new TestAuthority();
  const fleet = await fleetOfTest({
    backends: 1,
    tls: { ...authority.issue(), ca: authority.cert, clientCa: authority.cert },
  });
  const expired = authority.issue({ until: new Date(Date.now() - 1000) });
  for (const own of [new TestAuthority('other').issue(), expired]) {
    const channel = createBalancedChannel({
      name: 'ORDERS',
      target: fleet.target,
      tls: { provider: () => Promise.resolve({ ca: authority.cert, ...own }), serverName: 'localhost' },
    });
    onTestFinished(() => channel.close());
    channel.connect();
    await expect.poll(() => channel.snapshot().endpoints[0]?.state).toBe('transient_failure');
    channel.close();
  }
  const { echo } = await appOfFleet(fleet, { tls: { ...fleet.tls, ...authority.issue() } });
  expect(await firstValueFrom(echo.say({ text: 'a' }))).toMatchObject({ text: 'a' });
});

it('an override of the environment does not send the calls of a test elsewhere', async () => {
  const fleet = await fleetOfTest();
  const overrides = { ECHO_CLIENT: { target: 'dns:///orders.production:50051' } };
  @Module({ imports: [GrpcLbModule.forRoot({ overrides }), GrpcLbModule.forFeature([EchoClient])] })
  class AppModule {}
  await expect(appOfFleet(fleet, {}, AppModule)).rejects.toThrow(
    'client EchoClient: overrides of forRoot(), perhaps from GRPC_LB_* variables, set the target dns:///orders.production:50051',
  );
});
