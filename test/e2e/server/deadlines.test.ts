import { AsyncResource } from 'node:async_hooks';
import * as grpc from '@grpc/grpc-js';
import { type GrpcLbClientOptions, GrpcLbModule, type GrpcLbModuleOptions, getGrpcLbClientToken } from 'nestjs-grpc-lb';
import { firstValueFrom } from 'rxjs';
import { describe, expect, test, vi } from 'vitest';
import type { ClientGrpc } from '@nestjs/microservices';
import { deferred, type Line } from '../../support/echo/cluster.js';
import { echoOptions, type EchoStub, startApp } from '../../support/nest/app.js';
import { expectNoLeaks } from '../../support/run/leaks.js';
import {
  echoClient,
  type EchoMicroservice,
  failureOf,
  type Handlers,
  say,
  startEcho,
} from '../../support/server/app.js';
import { eventually } from '../../support/time/patience.js';
import { holdTime } from '../../support/time/virtual-time.js';

expectNoLeaks();

const insecure = grpc.credentials.createInsecure();

const LATE = [grpc.status.DEADLINE_EXCEEDED, grpc.status.CANCELLED];

type ServerCall = Parameters<Handlers['say']>[1];

/** A balanced client as an application declares it. */
async function balancedStub(
  address: string,
  options: Partial<GrpcLbClientOptions> = {},
  module: GrpcLbModuleOptions = {},
): Promise<EchoStub> {
  const item = { name: 'NEXT', options: echoOptions(`static:///${address}`, options) };
  const app = await startApp({ imports: [GrpcLbModule.forRoot(module), GrpcLbModule.forFeature([item])] });
  return app.get<ClientGrpc>(getGrpcLbClientToken('NEXT')).getService('Echo');
}

/** A microservice whose calls a test answers by hand. */
async function lastHop(): Promise<EchoMicroservice & { arrived: Promise<ServerCall> }> {
  const echo = await startEcho();
  const { promise: arrived, resolve } = deferred<ServerCall>();
  echo.handlers.say = (_, call) => {
    resolve(call);
    return new Promise(() => {});
  };
  return { ...echo, arrived };
}

const cancelled = (call: ServerCall): Promise<unknown> => new Promise((resolve) => call.once('cancelled', resolve));

/** A handler that calls the next service with each of its calls. */
async function forwarding(
  next: EchoMicroservice,
  forward: (stub: EchoStub, line: Line, call: ServerCall) => Promise<Line>,
  options: Partial<GrpcLbClientOptions> = {},
): Promise<EchoMicroservice & { ends: Promise<unknown>[] }> {
  const stub = await balancedStub(next.address, options);
  const echo = await startEcho();
  const ends: Promise<unknown>[] = [];
  echo.handlers.say = (line, call) => {
    const end = forward(stub, line, call);
    ends.push(end.catch((error: unknown) => error));
    return end;
  };
  return { ...echo, ends };
}

const plainly = (stub: EchoStub, line: Line): Promise<Line> => firstValueFrom(stub.say(line));

describe('four hops', () => {
  async function fourHops() {
    const last = await lastHop();
    const third = await forwarding(last, plainly);
    const second = await forwarding(third, plainly);
    const first = await forwarding(second, plainly);
    return { first, second, third, last, client: echoClient(first.address, insecure) };
  }

  test('the deadline of the first ends the calls of all', async () => {
    const { client, first, second, third, last } = await fourHops();
    holdTime();
    const failed = failureOf(say(client, 'x', 1000));
    const end = cancelled(await last.arrived);
    vi.advanceTimersByTime(1000);
    expect((await failed).code).toBe(grpc.status.DEADLINE_EXCEEDED);
    await end;
    for (const { ends } of [first, second, third]) {
      // By its own timer, or as the call before it has ended by its own.
      expect(LATE).toContain(((await ends[0]) as grpc.ServiceError).code);
    }
  });

  test('a cancellation of the first cancels the calls of all', async () => {
    const { client, first, second, third, last } = await fourHops();
    const failed = new Promise((resolve) => {
      const call = client.say({ text: 'x' }, {}, resolve);
      void last.arrived.then(() => call.cancel());
    });
    await cancelled(await last.arrived);
    await failed;
    for (const { ends } of [first, second, third]) {
      expect(await ends[0]).toMatchObject({ code: grpc.status.CANCELLED, details: 'Cancelled by parent call' });
    }
  });

  test('a hop that is late calls nobody', async () => {
    const last = await startEcho();
    let started = 0;
    last.handlers.say = (line) => {
      started++;
      return line;
    };
    const third = await forwarding(last, plainly);
    const second = await forwarding(third, async (stub, line, call) => {
      await cancelled(call);
      return plainly(stub, line);
    });
    const first = await forwarding(second, plainly);
    holdTime();
    const failed = failureOf(say(echoClient(first.address, insecure), 'x', 1000));
    await eventually(() => second.ends.length === 1);
    vi.advanceTimersByTime(1000);
    await failed;
    expect(LATE).toContain(((await second.ends[0]) as grpc.ServiceError).code);
    expect([third.ends.length, started]).toEqual([0, 0]);
  });
});

describe('a call of a handler', () => {
  /** The deadline that the last hop sees of a call whose own is 30 s away; Infinity if it inherits none. */
  async function inherited(
    forward: (stub: EchoStub, line: Line, call: ServerCall) => Promise<Line>,
    options: Partial<GrpcLbClientOptions> = {},
  ): Promise<number> {
    const last = await startEcho();
    let seen: grpc.Deadline | undefined;
    last.handlers.say = (line, call) => {
      seen = call.getDeadline();
      return line;
    };
    const first = await forwarding(last, forward, options);
    await say(echoClient(first.address, insecure), 'x', 30_000);
    return Math.round((Number(seen) - Date.now()) / 10_000) * 10;
  }

  test('takes the shorter of its own deadline and the one that it inherits', async () => {
    expect(await inherited(plainly)).toBe(30);
    expect(await inherited((stub, line) => firstValueFrom(stub.say(line, { timeout: 10_000 })))).toBe(10);
    expect(await inherited((stub, line) => firstValueFrom(stub.say(line, { timeout: 60_000 })))).toBe(30);
  });

  test('inherits after an await, through interceptors, and of each kind', async () => {
    expect(
      await inherited(async (stub, line) => {
        await new Promise((resolve) => setTimeout(resolve, 1));
        return plainly(stub, line);
      }),
    ).toBe(30);
    const interceptors: grpc.Interceptor[] = [(options, next) => new grpc.InterceptingCall(next(options))];
    expect(await inherited(plainly, { interceptors })).toBe(30);
  });

  test('inherits nothing if the call, its method, or its client says so', async () => {
    expect(await inherited((stub, line) => firstValueFrom(stub.say(line, { inherit: false })))).toBe(Infinity);
    const byMethod = { loadBalancing: { deadline: { methods: { Say: { inherit: false } } } } };
    expect(await inherited(plainly, byMethod)).toBe(Infinity);
    const byClient = { loadBalancing: { deadline: { inherit: false } } };
    expect(await inherited(plainly, byClient)).toBe(Infinity);
    const nevertheless = (stub: EchoStub, line: Line) => firstValueFrom(stub.say(line, { inherit: true }));
    expect(await inherited(nevertheless, byClient)).toBe(30);
  });

  test('inherits from the parent that it names, and only from that', async () => {
    const other = await lastHop();
    const call = echoClient(other.address, insecure).say({ text: 'x' }, { deadline: Date.now() + 10_000 }, () => {});
    const parent = await other.arrived;
    expect(await inherited((stub, line) => firstValueFrom(stub.say(line, { parent } as object)))).toBe(10);
    call.cancel();
  });

  test('inherits nothing if the module or the server says so', async () => {
    const last = await lastHop();
    const stub = await balancedStub(last.address, {}, { loadBalancing: { deadline: { inherit: false } } });
    const other = await balancedStub(last.address);
    for (const [options, client] of [
      [{}, stub],
      [{ deadlines: { propagate: false } }, other],
    ] as const) {
      const echo = await startEcho(options);
      const done = deferred<number>();
      last.handlers.say = (line, call) => {
        done.resolve(Number(call.getDeadline()));
        return line;
      };
      echo.handlers.say = (line) => plainly(client, line);
      await say(echoClient(echo.address, insecure), 'x', 30_000);
      expect(await done.promise).toBe(Infinity);
    }
  });

  test('goes on if its handler has answered, and what the handler left behind works for no call', async () => {
    const last = await lastHop();
    const stub = await balancedStub(last.address);
    const echo = await startEcho();
    const later = deferred<() => void>();
    const ends: unknown[] = [];
    echo.handlers.say = (line) => {
      plainly(stub, line).then(
        (end) => ends.push(end),
        (error: unknown) => ends.push(error),
      );
      // As a timer does that the handler has started.
      later.resolve(AsyncResource.bind(() => void plainly(stub, line).then((end) => ends.push(end))));
      return line;
    };
    const client = echoClient(echo.address, insecure);
    await say(client, 'x', 30_000);
    const left = await last.arrived;
    expect(Number(left.getDeadline())).toBeLessThan(Infinity);
    client.close();
    last.handlers.say = (line, call) => ({ ...line, server: String(call.getDeadline()) });
    (await later.promise)();
    await eventually(() => ends.length > 0);
    expect(ends).toEqual([expect.objectContaining({ server: 'Infinity' })]);
    expect(left.cancelled).toBe(false);
  });

  /** Two handlers wait for calls of one hop that holds them; the caller of the first leaves. */
  async function shared(share: (stub: EchoStub) => () => Promise<Line>, calls: number) {
    const last = await startEcho();
    const held: { line: Line; call: ServerCall; answer: (line: Line) => void }[] = [];
    last.handlers.say = (line, call) => new Promise((answer) => held.push({ line, call, answer }));
    const ask = share(await balancedStub(last.address));
    const echo = await startEcho();
    let waiting = 0;
    echo.handlers.say = (line) => {
      if (line.text === 'at once') return line;
      waiting++;
      return ask();
    };
    const client = echoClient(echo.address, insecure);
    const first = client.say({ text: 'first' }, { deadline: Date.now() + 20_000 }, () => {});
    await eventually(() => held.length === 1);
    const second = say(client, 'second', 50_000);
    await eventually(() => waiting === 2 && held.length === calls);
    first.cancel();
    // The cancellation has arrived when a later call of the same connection has been answered.
    await say(client, 'at once');
    return { held, second };
  }

  test('is that of the handler which subscribes, whoever has made the Observable', async () => {
    let cold: ReturnType<EchoStub['say']> | undefined;
    const share = (stub: EchoStub) => () => firstValueFrom((cold ??= stub.say({ text: 'cold' })));
    const { held, second } = await shared(share, 2);
    await eventually(() => held[0]!.call.cancelled);
    expect(Number(held[1]!.call.getDeadline())).toBeGreaterThan(Date.now() + 25_000);
    held[1]!.answer(held[1]!.line);
    expect((await second).text).toBe('cold');
  });

  test('goes on for others that wait for it, if it opts out', async () => {
    let cached: Promise<Line> | undefined;
    const share = (stub: EchoStub) => () =>
      (cached ??= firstValueFrom(stub.say({ text: 'cached' }, { inherit: false })));
    const { held, second } = await shared(share, 1);
    expect([held[0]!.call.cancelled, held[0]!.call.getDeadline()]).toEqual([false, Infinity]);
    held[0]!.answer(held[0]!.line);
    expect((await second).text).toBe('cached');
  });

  test('of a stream of requests, or of responses, ends with it', async () => {
    const last = await lastHop();
    const stub = await balancedStub(last.address);
    const echo = await startEcho();
    echo.handlers.repeat = (line) => stub.say(line);
    const client = echoClient(echo.address, insecure);
    const stream = client.repeat({ text: 'x' });
    const failed = new Promise((resolve) => stream.once('error', resolve));
    const end = cancelled(await last.arrived);
    stream.cancel();
    await Promise.all([failed, end]);
  });
});

describe('a server', () => {
  test('starts no handler if the deadline has passed while the request waited', async () => {
    let block = false;
    const blocking: grpc.ServerInterceptor = (_, call) =>
      new grpc.ServerInterceptingCall(call, {
        start: (next) =>
          next({
            onReceiveMetadata: (metadata, forward) => {
              // The timer of the deadline does not run before: the event loop is blocked.
              if (block) vi.setSystemTime(Number(call.getDeadline()));
              forward(metadata);
            },
          }),
      });
    const ends: unknown[] = [];
    const observer = { callStarted: () => ({ ended: ({ refused }: { refused?: string }) => ends.push(refused) }) };
    const echo = await startEcho({ observer }, { channelOptions: { interceptors: [blocking] } });
    let started = 0;
    echo.handlers.say = (line) => {
      started++;
      return line;
    };
    const client = echoClient(echo.address, insecure);
    holdTime();
    await say(client);
    block = true;
    const { code } = await failureOf(say(client, 'x', 500));
    await eventually(() => ends.length === 2);
    expect([code, started, ends]).toEqual([grpc.status.DEADLINE_EXCEEDED, 1, [undefined, 'deadline_passed']]);
    expect(echo.server.refused()).toMatchObject({ deadline_passed: 1, deadline_hopeless: 0 });
    block = false;
    await say(client);
    expect(started).toBe(2);
  });

  test('refuses what it cannot end in time, if that is switched on', async () => {
    const echo = await startEcho({ deadlines: { refuseHopeless: true } });
    let started = 0;
    echo.handlers.say = async (line) => {
      started++;
      await new Promise((resolve) => setTimeout(resolve, 500));
      return line;
    };
    const client = echoClient(echo.address, insecure);
    holdTime();
    const calls = Array.from({ length: 50 }, () => say(client));
    await eventually(() => started === 50);
    vi.advanceTimersByTime(500);
    await Promise.all(calls);
    const { code, details } = await failureOf(say(client, 'x', 400));
    expect(code).toBe(grpc.status.DEADLINE_EXCEEDED);
    expect(details).toMatch(/^Deadline cannot be met: 400 ms are left, and half of the calls take over \d+ ms/);
    expect([started, echo.server.refused().deadline_hopeless]).toEqual([50, 1]);
    const enough = say(client);
    await eventually(() => started === 51);
    vi.advanceTimersByTime(500);
    await enough;
  });
});
