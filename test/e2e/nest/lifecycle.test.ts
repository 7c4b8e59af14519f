import { once } from 'node:events';
import { type AddressInfo, createServer } from 'node:net';
import { Metadata, status as Status } from '@grpc/grpc-js';
import {
  type BeforeApplicationShutdown,
  Inject,
  Injectable,
  type OnModuleDestroy,
  type OnModuleInit,
} from '@nestjs/common';
import type { ClientGrpc } from '@nestjs/microservices';
import { GrpcLbModule, GrpcLbRegistry, InjectGrpcService, type LbEvent } from 'nestjs-grpc-lb';
import { firstValueFrom, lastValueFrom, toArray } from 'rxjs';
import { afterAll, beforeAll, describe, expect, it, onTestFinished } from 'vitest';
import { Child, node } from '../../../apps/demo-client/src/runner/child-process.js';
import { startBackend, startBackends } from '../../support/echo/backends.js';
import { deferred, ECHO_PROTO, staticTarget } from '../../support/echo/cluster.js';
import { expectNoLeaks } from '../../support/run/leaks.js';
import {
  CLIENTS,
  echoClient,
  echoOptions,
  type EchoStub,
  errorOf,
  startApp,
  startError,
} from '../../support/nest/app.js';
import { ScriptedBackend } from '../../support/nest/backend.js';
import { transpile, type Transpiled } from '../../support/run/transpile.js';

expectNoLeaks();

const balanced = CLIENTS['the balanced client'];

describe('when the application starts', () => {
  it('clients connect, before the first call', async () => {
    const servers = await startBackends(2);
    const app = await startApp(balanced(echoOptions(staticTarget(servers))));
    const registry = app.get(GrpcLbRegistry);
    const connected = (): boolean =>
      registry.snapshot('ECHO').endpoints.filter(({ state }) => state === 'ready').length === 2;
    while (!connected()) await firstValueFrom(registry.events$);
    expect(servers.map(({ accepted, calls }) => [accepted, calls])).toEqual([
      [1, 0],
      [1, 0],
    ]);
  });

  it('a provider may call from its own hook', async () => {
    const [server] = await startBackends(1);
    const EchoClient = echoClient(server!.address);
    @Injectable()
    class Warmup implements OnModuleInit {
      answer: unknown;
      constructor(@Inject(EchoClient) private readonly echo: EchoStub) {}
      async onModuleInit(): Promise<void> {
        this.answer = await firstValueFrom(this.echo.say({ text: 'warm' }));
      }
    }
    const app = await startApp({
      imports: [GrpcLbModule.forRoot(), GrpcLbModule.forFeature([EchoClient])],
      providers: [Warmup],
    });
    expect(app.get(Warmup).answer).toMatchObject({ text: 'warm' });
  });

  it('an invalid client keeps the others from connecting', async () => {
    const [server] = await startBackends(1);
    const wrong = echoClient(server!.address, { service: 'Ecko' });
    await startError({
      imports: [
        GrpcLbModule.forRoot(),
        GrpcLbModule.forFeature([echoClient(server!.address, { name: 'FINE' }), wrong]),
      ],
    });
    expect(server!.connections).toBe(0);
  });
});

describe('when the application closes', () => {
  it('providers may call in their own hooks', async () => {
    const [server] = await startBackends(1);
    const answers: string[] = [];
    @Injectable()
    class Goodbye implements OnModuleDestroy, BeforeApplicationShutdown {
      constructor(@InjectGrpcService('ECHO', 'Echo') private readonly echo: EchoStub) {}
      async onModuleDestroy(): Promise<void> {
        answers.push((await firstValueFrom(this.echo.say({ text: 'destroy' }))).text);
      }
      async beforeApplicationShutdown(): Promise<void> {
        answers.push((await firstValueFrom(this.echo.say({ text: 'shutdown' }))).text);
      }
    }
    const app = await startApp({ ...balanced(echoOptions(server!.address)), providers: [Goodbye] });
    await app.close();
    expect(answers).toEqual(['destroy', 'shutdown']);
  });

  it('events$ completes after all clients have shut down, and connections are closed', async () => {
    const [server] = await startBackends(1);
    const clients = ['A', 'B'].map((name) => ({ name, options: echoOptions(server!.address) }));
    const app = await startApp({ imports: [GrpcLbModule.forRoot(), GrpcLbModule.forFeature(clients)] });
    const events = lastValueFrom(app.get(GrpcLbRegistry).events$.pipe(toArray()));
    for (const { name } of clients)
      await firstValueFrom(app.get<ClientGrpc>(name).getService<EchoStub>('Echo').say({}));
    await app.close();
    const ends = (await events).filter((event: LbEvent) => event.type === 'client_state' && event.to === 'shutdown');
    expect(ends.map(({ client }) => client)).toEqual(['A', 'B']);
    expect(
      app
        .get(GrpcLbRegistry)
        .snapshot()
        .map(({ state }) => state),
    ).toEqual(['shutdown', 'shutdown']);
    await app.close();
  });

  it('later calls fail', async () => {
    const [server] = await startBackends(1);
    const app = await startApp(balanced(echoOptions(server!.address)));
    const echo = app.get<ClientGrpc>('ECHO').getService<EchoStub>('Echo');
    await firstValueFrom(echo.say({}));
    await app.close();
    expect(await errorOf(echo.say({}))).toMatchObject({ message: expect.stringMatching(/shut ?down|closed/i) });
    expect(await errorOf(echo.repeat({}))).toMatchObject({ message: expect.stringMatching(/shut ?down|closed/i) });
    expect(server!.calls).toBe(1);
  });

  it('a call in flight may end by itself', async () => {
    const answer = deferred();
    const backend = await new ScriptedBackend({
      say: (call, done) => void answer.promise.then(() => done(null, call.request)),
    }).start();
    const app = await startApp(balanced(echoOptions(backend.target)));
    const arrival = backend.arrival;
    const call = firstValueFrom(app.get<ClientGrpc>('ECHO').getService<EchoStub>('Echo').say({ text: 'x' }));
    await arrival;
    await app.close();
    answer.resolve();
    expect(await call).toMatchObject({ text: 'x' });
  });

  it('a call that does not end is cancelled on both sides', async () => {
    const backend = await new ScriptedBackend({ repeat: (call) => call.write({ text: 'x' }) }).start();
    const app = await startApp(balanced(echoOptions(backend.target)));
    const arrival = backend.arrival;
    const echo = app.get<ClientGrpc>('ECHO').getService<EchoStub>('Echo');
    const error = errorOf(echo.repeat({}));
    const { cancelled } = await arrival;
    await app.close();
    expect(await error).toMatchObject({ code: Status.CANCELLED, details: 'client ECHO is closed' });
    await cancelled;
  });

  it('a call that waits for a connection ends', async () => {
    const app = await startApp(balanced(echoOptions('127.0.0.1:1')));
    const echo = app.get<ClientGrpc>('ECHO').getService<EchoStub>('Echo');
    await errorOf(echo.say({}));
    const error = errorOf(echo.say({}, new Metadata({ waitForReady: true })));
    await app.close();
    expect(await error).toMatchObject({ code: expect.any(Number) });
  });
});

describe('after app.close() the process ends by itself within a second', () => {
  let child: Transpiled;
  beforeAll(() => {
    child = transpile('test/support/nest/child.ts');
  });
  afterAll(() => child.remove());

  it.each(['close at once', 'close after a call', 'close with open calls'])('%s', async (todo) => {
    const live = await startBackend();
    const refusing = await startBackend();
    await refusing.stop();
    // Accepts connections, and never sends anything.
    const hole = createServer((socket) => socket.on('error', () => {}).resume()).listen(0, '127.0.0.1');
    await once(hole, 'listening');
    onTestFinished(() => void hole.close());
    const targets = [
      live.address,
      refusing.address,
      `127.0.0.1:${(hole.address() as AddressInfo).port}`,
      `dns:///localhost:${live.port}`,
    ];

    const lines: string[] = [];
    const onLine = (line: string): void => void lines.push(line);
    const application = new Child(node(child.path, [todo, ECHO_PROTO, ...targets]), { onLine });
    onTestFinished(() => application.kill());
    expect(await application.ended).toBe('exit 0');
    expect(lines).toEqual([expect.stringMatching(/^closed, and ended \d+ later$/)]);
    // The child counts the time itself, in tenths of a second: this process may have to wait for a CPU.
    expect(Number(/\d+/.exec(lines[0]!)![0])).toBeLessThan(10);
  });
});
