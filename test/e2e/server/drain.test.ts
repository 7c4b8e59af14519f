import { once } from 'node:events';
import http2 from 'node:http2';
import net from 'node:net';
import { credentials, type ServiceError, status } from '@grpc/grpc-js';
import { Logger, Module, type OnModuleDestroy } from '@nestjs/common';
import { concat, fromEvent, NEVER, of, takeUntil } from 'rxjs';
import { expect, onTestFinished, test, vi } from 'vitest';
import { DRAINING_KEY } from '../../../libs/grpc-lb/src/server/index.js';
import { deferred, type Line } from '../../support/echo/cluster.js';
import { HealthWatch } from '../../support/peers/health-watch.js';
import { expectNoLeaks } from '../../support/run/leaks.js';
import { eventually } from '../../support/time/patience.js';
import { holdTime } from '../../support/time/virtual-time.js';
import { echoClient, type EchoClient, failureOf, say, startEcho, startHybridEcho } from '../../support/server/app.js';
import { SteadyLoad } from '../../support/echo/steady-load.js';
import { Stopwatch } from '../../support/time/stopwatch.js';

expectNoLeaks();

const clientOf = (addresses: string | string[], options = {}): EchoClient =>
  echoClient(addresses, credentials.createInsecure(), options);

// A call that crosses the GOAWAY is refused, and every gRPC client sends a refused call again by itself: a transparent
// retry, which needs no policy. (`grpc.enable_retries: 0` would turn that off in grpc-js, too.)
const ROUND_ROBIN = { 'grpc.service_config': '{"loadBalancingConfig":[{"round_robin":{}}]}' };

test('health watchers are told first; calls are served until the GOAWAY, and the watches end after it', async () => {
  const backend = await startEcho({ drain: { delay: 1000 } });
  const client = clientOf(backend.address);
  const watch = new HealthWatch(backend.address, 'echo.v1.Echo');
  expect(await watch.next()).toBe('SERVING');

  holdTime();
  const closed = backend.close();
  expect(await watch.next()).toBe('NOT_SERVING');
  expect(backend.server.draining).toBe(true);
  vi.advanceTimersByTime(999);
  expect((await say(client, 'still here')).text).toBe('still here');
  expect(backend.server.drainSignal.aborted).toBe(false);
  vi.advanceTimersByTime(1);
  expect((await watch.end).code).toBe(status.UNAVAILABLE);
  expect(backend.server.drainSignal.aborted).toBe(true);
  await closed;
  expect(await failureOf(say(client))).toMatchObject({ code: status.UNAVAILABLE });
});

test('a call in flight is finished before the server closes, and the log says so', async () => {
  const logged = vi.spyOn(Logger.prototype, 'log').mockImplementation(() => {});
  onTestFinished(() => logged.mockRestore());
  const backend = await startEcho();
  const { arrived, answer } = holdCalls(backend.handlers);
  const running = say(clientOf(backend.address), 'slow');
  await arrived;
  const closed = backend.close();
  await once(backend.server.drainSignal, 'abort');
  answer.resolve();
  expect((await running).text).toBe('slow');
  await closed;
  expect(await backend.server.drain()).toMatchObject({ finished: 1, streamsMoved: 0, cut: 0 });
  const lines = logged.mock.calls.map(([text]) => String(text).replace(/Drained in \d+ ms/, 'Drained in a while'));
  expect(lines.filter((line) => line.startsWith('Drain'))).toEqual([
    'Draining: NOT_SERVING now, GOAWAY in 0 ms; calls in flight: 1',
    'Drained in a while; calls finished: 1, cut: 0; streams left by their clients: 0, ended so that they move: 0',
  ]);
});

test('an endless stream ends after its grace period with UNAVAILABLE and the reason; a unary call continues', async () => {
  const backend = await startEcho({ drain: { streamGrace: 50 } });
  backend.handlers.repeat = () => concat(of({ text: 'first' }), NEVER);
  const { arrived, answer } = holdCalls(backend.handlers);
  const client = clientOf(backend.address);
  const running = say(client, 'slow');
  const stream = client.repeat({});
  const talk = client.talk();
  talk.write({ text: 'hello' });
  await Promise.all([arrived, once(stream, 'data'), once(talk, 'data')]);

  const ends = Promise.all([endOf(stream), endOf(talk)]);
  const closed = backend.close();
  for (const end of await ends) {
    expect(end.code).toBe(status.UNAVAILABLE);
    expect(end.details).toContain('open the stream again');
    expect(end.metadata.get(DRAINING_KEY)).toEqual(['true']);
  }
  answer.resolve();
  expect((await running).text).toBe('slow');
  await closed;
  expect(await backend.server.drain()).toMatchObject({ finished: 1, streamsMoved: 2, cut: 0 });
});

test('a handler that listens to the drain signal ends its stream itself', async () => {
  const backend = await startEcho();
  const draining = fromEvent(backend.server.drainSignal, 'abort');
  backend.handlers.repeat = () =>
    concat(of({ text: 'first' }), NEVER.pipe(takeUntil(draining)), of({ text: 'goodbye' }));
  const stream = clientOf(backend.address).repeat({});
  const lines: Line[] = [];
  stream.on('data', (line: Line) => lines.push(line));
  await once(stream, 'data');
  const closed = backend.close();
  await once(stream, 'end');
  expect(lines.map(({ text }) => text)).toEqual(['first', 'goodbye']);
  await closed;
  expect(await backend.server.drain()).toMatchObject({ streamsMoved: 0, cut: 0 });
});

test('calls that outlast the timeout end with UNAVAILABLE, and so does the drain', async () => {
  const backend = await startEcho({ drain: { timeout: 100 } });
  backend.handlers.say = () => new Promise(() => {});
  const running = failureOf(say(clientOf(backend.address)));
  await eventually(() => backend.server.load().inFlight === 1);
  expect(await new Stopwatch().time(() => backend.close())).toBeLessThan(1000);
  expect(await running).toMatchObject({ code: status.UNAVAILABLE, details: 'the server has shut down' });
  expect(await backend.server.drain()).toMatchObject({ finished: 0, cut: 1 });
});

test.each([{}, { 'grpc.enable_channelz': 0 }])(
  'a client that never reads does not keep the server (%o)',
  async (channelOptions) => {
    const backend = await startEcho({ drain: { timeout: 500, streamGrace: 10 } }, { channelOptions });
    // More than fits into the windows of HTTP/2 and the socket buffers.
    const lines = Array.from({ length: 400 }, () => ({ text: 'x'.repeat(50_000) }));
    backend.handlers.repeat = () => concat(of(...lines), NEVER);
    const client = new net.Socket().connect(Number(backend.address.split(':')[1]), '127.0.0.1');
    onTestFinished(() => void client.destroy());
    const session = http2.connect(`http://${backend.address}`, { createConnection: () => client });
    session.on('error', () => {});
    const stream = session.request({
      ':method': 'POST',
      ':path': '/echo.v1.Echo/Repeat',
      'content-type': 'application/grpc',
    });
    stream.on('error', () => {}).end(Buffer.alloc(5));
    await once(stream, 'response');
    client.pause();
    holdTime();
    const closed = backend.close();
    await eventually(() => backend.server.draining);
    // The stream moves, the timeout passes, and two times 100 ms to write what is left.
    await vi.advanceTimersByTimeAsync(700);
    await closed;
    expect(await backend.server.drain()).toMatchObject({ streamsMoved: 1, cut: 0 });
  },
);

test('a rolling restart loses no call of a plain client with round_robin, without a retry policy', async () => {
  const options = { drain: { delay: 50 } };
  const backends = await Promise.all([startEcho(options), startEcho(options)]);
  const addresses = backends.map(({ address }) => address);
  for (const { handlers } of backends) handlers.say = later;
  const client = clientOf(addresses, ROUND_ROBIN);
  const load = new SteadyLoad(() => say(client), 300);
  await load.run(60);
  for (const backend of backends) {
    await backend.close();
    const next = await startEcho(options, { port: Number(backend.address.split(':')[1]) });
    let arrived = false;
    next.handlers.say = (line) => {
      arrived = true;
      return later(line);
    };
    await load.until(() => arrived || load.failures.length > 0);
  }
  await load.stop();
  expect(load.failures).toEqual([]);
});

test('a connection that reaches its maximum age is replaced, and no call is lost', async () => {
  const backend = await startEcho({ connection: { maxAge: 1000 } });
  const client = clientOf(backend.address);
  const peers = new Set<string>();
  backend.handlers.say = (line, call) => {
    peers.add(call.getPeer());
    return later(line);
  };
  const load = new SteadyLoad(() => say(client), 300);
  await load.until(() => peers.size >= 3 || load.failures.length > 0);
  await load.stop();
  expect(load.failures).toEqual([]);
});

test('the module drains before modules imported before it, and their imports, release what calls need', async () => {
  const order: string[] = [];
  @Module({})
  class DeepModule implements OnModuleDestroy {
    onModuleDestroy(): void {
      order.push('deep');
    }
  }
  @Module({ imports: [DeepModule] })
  class DatabaseModule implements OnModuleDestroy {
    onModuleDestroy(): void {
      order.push('database');
    }
  }
  const backend = await startHybridEcho({}, { imports: [DatabaseModule] });
  backend.server.drainSignal.addEventListener('abort', () => order.push('drain'));
  const { arrived, answer } = holdCalls(backend.handlers);
  const running = say(clientOf(backend.address)).then(() => order.push('answer'));
  await arrived;
  const closed = backend.close();
  await once(backend.server.drainSignal, 'abort');
  answer.resolve();
  await Promise.all([closed, running]);
  expect(order).toEqual(['drain', 'answer', 'database', 'deep']);
});

const later = (line: Line): Promise<Line> => new Promise((resolve) => setTimeout(resolve, 20, line));

/** Holds every call until `answer` resolves. */
function holdCalls(handlers: { say: unknown }): { arrived: Promise<void>; answer: { resolve(): void } } {
  const [arrival, answer] = [deferred(), deferred()];
  handlers.say = async (line: Line) => {
    arrival.resolve();
    await answer.promise;
    return line;
  };
  return { arrived: arrival.promise, answer };
}

function endOf(stream: {
  on(event: 'error', listener: (error: ServiceError) => void): unknown;
}): Promise<ServiceError> {
  return new Promise((resolve) => stream.on('error', resolve));
}
