import { Inject, Injectable } from '@nestjs/common';
import type { ClientGrpc } from '@nestjs/microservices';
import {
  GrpcLbClient,
  GrpcLbModule,
  GrpcLbRegistry,
  GrpcService,
  InjectGrpcLbClient,
  InjectGrpcService,
  LeastRequest,
} from 'nestjs-grpc-lb';
import { firstValueFrom, lastValueFrom, map, of, toArray } from 'rxjs';
import type { Fleet, FleetBackend } from 'nestjs-grpc-lb/testing';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { echoFleet, startBackends } from '../../support/echo/backends.js';
import { type Line, staticTarget } from '../../support/echo/cluster.js';
import { expectNoLeaks } from '../../support/run/leaks.js';
import {
  echoClient,
  echoOptions,
  type EchoService,
  type EchoStub,
  type MirrorService,
  startApp,
} from '../../support/nest/app.js';

expectNoLeaks();

let fleet: Fleet;
let servers: FleetBackend[] = [];
let target: string;

beforeAll(async () => {
  fleet = await echoFleet(2);
  servers = [...fleet];
  target = staticTarget(servers);
});
afterAll(() => fleet.close());
beforeEach(() => {
  fleet.clear();
});

/** Makes all four kinds of calls, and checks that they leave nothing in flight. */
async function callAll(echo: EchoStub): Promise<unknown> {
  const texts = (lines: Line[]): string[] => lines.map(({ text }) => text);
  const words = [{ text: 'a' }, { text: 'b' }];
  async function* slowly(): AsyncGenerator<{ text: string }> {
    for (const word of words) yield await Promise.resolve(word);
  }
  return {
    say: (await firstValueFrom(echo.say({ text: 'hello' }))).text,
    repeat: texts(await lastValueFrom(echo.repeat({ text: 'again', times: 3 }).pipe(toArray()))),
    joinObservable: (await firstValueFrom(echo.join(of(...words)))).text,
    joinIterable: (await firstValueFrom(echo.join(words))).text,
    joinAsyncIterable: (await firstValueFrom(echo.join(slowly()))).text,
    talkObservable: texts(await lastValueFrom(echo.talk(of(...words)).pipe(toArray()))),
    talkIterable: texts(await lastValueFrom(echo.talk(new Set(words)).pipe(toArray()))),
    talkAsyncIterable: texts(await lastValueFrom(echo.talk(slowly()).pipe(toArray()))),
  };
}

const ANSWERS = {
  say: 'hello',
  repeat: ['again', 'again', 'again'],
  joinObservable: 'a b',
  joinIterable: 'a b',
  joinAsyncIterable: 'a b',
  talkObservable: ['a', 'b'],
  talkIterable: ['a', 'b'],
  talkAsyncIterable: ['a', 'b'],
};

describe('all four kinds of calls work', () => {
  it('through an injected client class', async () => {
    const EchoClient = echoClient(target);
    @Injectable()
    class Caller {
      constructor(@Inject(EchoClient) readonly echo: EchoStub) {}
    }
    const app = await startApp({
      imports: [GrpcLbModule.forRoot(), GrpcLbModule.forFeature([EchoClient])],
      providers: [Caller],
    });
    expect(await callAll(app.get(Caller).echo)).toEqual(ANSWERS);
    expect(app.get(Caller).echo).toBeInstanceOf(EchoClient);
  });

  it('through a class that is injected by its type', async () => {
    @GrpcLbClient({ ...echoOptions(target), service: 'Echo' })
    @LeastRequest()
    class EchoClient extends GrpcService<EchoService>() {}
    @Injectable()
    class Caller {
      constructor(readonly echo: EchoClient) {}
    }
    const app = await startApp({
      imports: [GrpcLbModule.forRoot(), GrpcLbModule.forFeature([EchoClient])],
      providers: [Caller],
    });
    expect(await callAll(app.get(Caller).echo)).toEqual(ANSWERS);
  });

  it('through decorators that inject from a named client', async () => {
    @Injectable()
    class Caller {
      constructor(
        @InjectGrpcLbClient('ECHO') readonly client: ClientGrpc,
        @InjectGrpcService('ECHO', 'Echo') readonly echo: EchoStub,
        @InjectGrpcService('ECHO', 'Mirror') readonly mirror: MirrorService,
        // As written for ClientsModule.
        @Inject('ECHO') readonly raw: ClientGrpc,
      ) {}
    }
    const app = await startApp({
      imports: [GrpcLbModule.forRoot(), GrpcLbModule.forFeature([{ name: 'ECHO', options: echoOptions(target) }])],
      providers: [Caller],
    });
    const { client, echo, mirror, raw } = app.get(Caller);
    expect(await callAll(echo)).toEqual(ANSWERS);
    expect(await callAll(client.getService<EchoStub>('Echo'))).toEqual(ANSWERS);
    expect(await firstValueFrom(mirror.look({ text: 'me' }))).toMatchObject({ text: 'me' });
    expect(raw).toBe(client);
    expect(client.getService('Echo')).toBe(echo);
  });

  it('through decorators that inject from a client class', async () => {
    const EchoClient = echoClient(target);
    @Injectable()
    class Caller {
      constructor(
        @InjectGrpcLbClient(EchoClient) readonly client: ClientGrpc,
        @InjectGrpcService(EchoClient, 'Echo') readonly echo: EchoStub,
        @InjectGrpcService(EchoClient, 'Mirror') readonly mirror: MirrorService,
      ) {}
    }
    const app = await startApp({
      imports: [GrpcLbModule.forRoot(), GrpcLbModule.forFeature([EchoClient])],
      providers: [Caller],
    });
    const { client, echo, mirror } = app.get(Caller);
    expect(await callAll(echo)).toEqual(ANSWERS);
    expect(client).toBe(app.get(GrpcLbRegistry).get(EchoClient));
    expect(await firstValueFrom(mirror.look({ text: 'me' }))).toMatchObject({ text: 'me' });
  });

  it('by the name in the proto file and by its lower camel case', async () => {
    const EchoClient = echoClient(target);
    const app = await startApp({ imports: [GrpcLbModule.forRoot(), GrpcLbModule.forFeature([EchoClient])] });
    const byClass = app.get(EchoClient) as unknown as Record<string, EchoStub['say']>;
    const stub = app.get(GrpcLbRegistry).get(EchoClient).getService<Record<string, EchoStub['say']>>('Echo');
    for (const echo of [byClass, stub]) {
      for (const method of ['say', 'Say']) {
        expect(await firstValueFrom(echo[method]!({ text: method }))).toMatchObject({ text: method });
      }
    }
  });
});

it('the grpc-js client of a service shares the channel of its client, and is the same each time', async () => {
  const options = echoOptions(target);
  const app = await startApp({
    imports: [GrpcLbModule.forRoot(), GrpcLbModule.forFeature([{ name: 'ECHO', options }])],
  });
  const client = app.get<ClientGrpc>('ECHO');
  interface RawEcho {
    say(line: object, done: (error: Error | null, line: Line) => void): void;
    getChannel(): object;
  }
  const raw = client.getClientByServiceName<RawEcho>('Echo');
  expect(client.getClientByServiceName('Echo')).toBe(raw);
  expect(client.getClientByServiceName<RawEcho>('Mirror').getChannel()).toBe(raw.getChannel());
  const line = await new Promise<Line>((resolve, reject) => {
    raw.say({ text: 'raw' }, (error, answer) => (error ? reject(error) : resolve(answer)));
  });
  expect(line.text).toBe('raw');
  expect(
    app
      .get(GrpcLbRegistry)
      .snapshot('ECHO')
      .endpoints.reduce((sum, { started }) => sum + started, 0),
  ).toBe(1);
});

it('the calls of all services and injections of a client go over one connection to each endpoint', async () => {
  const [server] = await startBackends(1);
  const options = echoOptions(server!.address);
  const app = await startApp({
    imports: [GrpcLbModule.forRoot(), GrpcLbModule.forFeature([{ name: 'ECHO', options }])],
  });
  const client = app.get<ClientGrpc>('ECHO');
  await firstValueFrom(client.getService<EchoService>('Echo').say({ text: 'a' }));
  await firstValueFrom(client.getService<MirrorService>('Mirror').look({ text: 'b' }));
  expect(server).toMatchObject({ calls: 2, connections: 1 });
});

it('a hundred calls in one tick over idle backends are spread evenly', async () => {
  const EchoClient = echoClient(target);
  const app = await startApp({ imports: [GrpcLbModule.forRoot(), GrpcLbModule.forFeature([EchoClient])] });
  const echo = app.get(EchoClient);
  await firstValueFrom(echo.say({ text: 'ready' }));
  await untilReady(app.get(GrpcLbRegistry), EchoClient.name, 2);
  fleet.clear();
  await Promise.all(Array.from({ length: 100 }, () => firstValueFrom(echo.say({ text: 'x' }))));
  expect(servers.map(({ calls }) => calls)).toEqual([50, 50]);
});

async function untilReady(registry: GrpcLbRegistry, client: string, count: number): Promise<void> {
  const ready = (): number => registry.snapshot(client).endpoints.filter(({ state }) => state === 'ready').length;
  while (ready() < count) await firstValueFrom(registry.events$);
}

describe('a client class', () => {
  it('may override a method and call the original by super', async () => {
    @GrpcLbClient({ ...echoOptions(target), service: 'Echo' })
    class LoudEcho extends GrpcService<EchoService>() {
      override readonly say: EchoStub['say'] = (request, ...rest) =>
        super
          .say({ ...request, text: request.text!.toUpperCase() }, ...(rest as []))
          .pipe(map((line) => ({ ...line, text: `${line.text}!` })));

      sayTwice(text: string): ReturnType<EchoStub['say']> {
        return this.say({ text: `${text} ${text}` });
      }
    }
    const app = await startApp({ imports: [GrpcLbModule.forRoot(), GrpcLbModule.forFeature([LoudEcho])] });
    expect(await firstValueFrom(app.get(LoudEcho).say({ text: 'hey' }))).toMatchObject({ text: 'HEY!' });
    expect(await firstValueFrom(app.get(LoudEcho).sayTwice('hey'))).toMatchObject({ text: 'HEY HEY!' });
    expect(await lastValueFrom(app.get(LoudEcho).repeat({ text: 'hey', times: 1 }))).toMatchObject({ text: 'hey' });
  });

  it('may have dependencies of its own', async () => {
    @Injectable()
    class Voice {
      readonly greeting = 'good morning';
    }
    @GrpcLbClient({ ...echoOptions(target), service: 'Echo' })
    class Greeter extends GrpcService<EchoService>() {
      constructor(private readonly voice: Voice) {
        super();
      }

      greet(): ReturnType<EchoStub['say']> {
        return this.say({ text: this.voice.greeting });
      }
    }
    class VoiceModule {}
    const voice = { module: VoiceModule, global: true, providers: [Voice], exports: [Voice] };
    const app = await startApp({ imports: [voice, GrpcLbModule.forRoot(), GrpcLbModule.forFeature([Greeter])] });
    expect(await firstValueFrom(app.get(Greeter).greet())).toMatchObject({ text: 'good morning' });
  });

  it('is separate from another class of the same name', async () => {
    const [other] = await startBackends(1);
    const Here = echoClient(target, { name: 'HERE' });
    const There = echoClient(other!.address, { name: 'THERE' });
    @Injectable()
    class Caller {
      constructor(
        @InjectGrpcService(Here, 'Echo') readonly here: EchoStub,
        @InjectGrpcService(There, 'Echo') readonly there: EchoStub,
      ) {}
    }
    const imports = [GrpcLbModule.forRoot(), GrpcLbModule.forFeature([Here, There])];
    const app = await startApp({ imports, providers: [Caller] });
    const { here, there } = app.get(Caller);
    for (const echo of [app.get(There), there]) {
      expect(await firstValueFrom(echo.say({ text: 'x' }))).toMatchObject({ server: other!.address });
    }
    for (const echo of [app.get(Here), here]) {
      expect((await firstValueFrom(echo.say({ text: 'x' }))).server).not.toBe(other!.address);
    }
  });
});
