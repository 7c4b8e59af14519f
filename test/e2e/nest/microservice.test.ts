import { Metadata, status as Status } from '@grpc/grpc-js';
import { Controller, Get, type INestApplicationContext, Inject, Param } from '@nestjs/common';
import { NestFactory } from '@nestjs/core';
import { GrpcMethod, GrpcStreamMethod, type MicroserviceOptions, RpcException, Transport } from '@nestjs/microservices';
import { Test } from '@nestjs/testing';
import { GrpcLbModule } from 'nestjs-grpc-lb';
import {
  finalize,
  firstValueFrom,
  interval,
  lastValueFrom,
  map,
  NEVER,
  type Observable,
  of,
  range,
  reduce,
  startWith,
  take,
  toArray,
} from 'rxjs';
import { describe, expect, it, onTestFinished } from 'vitest';
import { freePort } from 'nestjs-grpc-lb/testing';
import { deferred, ECHO_PROTO, type Line } from '../../support/echo/cluster.js';
import { expectNoLeaks } from '../../support/run/leaks.js';
import { echoClient, type EchoStub, errorOf, startApp } from '../../support/nest/app.js';

expectNoLeaks();

type PartialLine = Partial<Line>;
let repeatStopped = deferred();

/** The service as Nest applications offer it. */
@Controller()
class EchoController {
  @GrpcMethod('Echo', 'Say')
  say(line: Line, metadata: Metadata): PartialLine {
    if (line.text === 'fail') throw new RpcException({ code: Status.NOT_FOUND, message: 'no such line' });
    return { text: `${line.text} ${String(metadata.get('x-tenant'))}` };
  }

  @GrpcMethod('Echo', 'Repeat')
  repeat(line: Line): Observable<PartialLine> {
    if (line.times > 0) return range(0, line.times).pipe(map((times) => ({ times })));
    return interval(1).pipe(
      map((times) => ({ times })),
      finalize(() => repeatStopped.resolve()),
    );
  }

  @GrpcStreamMethod('Echo', 'Join')
  join(lines: Observable<Line>): Observable<PartialLine> {
    return lines.pipe(
      reduce((text, line) => text + line.text, ''),
      map((text) => ({ text })),
    );
  }

  @GrpcStreamMethod('Echo', 'Talk')
  talk(lines: Observable<Line>): Observable<PartialLine> {
    return lines.pipe(map(({ text }) => ({ text: `${text}!` })));
  }
}

async function startMicroservice(): Promise<string> {
  class EchoModule {}
  const module = { module: EchoModule, controllers: [EchoController] };
  // Nest does not report the assigned port.
  const url = `127.0.0.1:${await freePort()}`;
  const options = { url, package: 'echo.v1', protoPath: ECHO_PROTO, loader: { defaults: true } };
  const app = await NestFactory.createMicroservice<MicroserviceOptions>(module, {
    transport: Transport.GRPC,
    options,
    logger: false,
  });
  onTestFinished(() => app.close());
  await app.listen();
  return url;
}

const clientOf = (app: INestApplicationContext, client: ReturnType<typeof echoClient>): EchoStub => app.get(client);

describe('a client and a microservice of Nest', () => {
  it('support all four kinds of calls', async () => {
    const EchoClient = echoClient(await startMicroservice());
    const app = await startApp({ imports: [GrpcLbModule.forRoot(), GrpcLbModule.forFeature([EchoClient])] });
    const echo = clientOf(app, EchoClient);
    const metadata = new Metadata();
    metadata.set('x-tenant', 'blue');
    const words = [{ text: 'a' }, { text: 'b' }];
    expect((await firstValueFrom(echo.say({ text: 'hello' }, metadata))).text).toBe('hello blue');
    expect(await errorOf(echo.say({ text: 'fail' }))).toMatchObject({
      code: Status.NOT_FOUND,
      details: 'no such line',
    });
    expect((await lastValueFrom(echo.repeat({ times: 3 }).pipe(toArray()))).map(({ times }) => times)).toEqual([
      0, 1, 2,
    ]);
    expect((await firstValueFrom(echo.join(words))).text).toBe('ab');
    expect((await lastValueFrom(echo.talk(of(...words)).pipe(toArray()))).map(({ text }) => text)).toEqual([
      'a!',
      'b!',
    ]);
  });

  it('stop a stream when the caller has enough', async () => {
    const EchoClient = echoClient(await startMicroservice());
    const app = await startApp({ imports: [GrpcLbModule.forRoot(), GrpcLbModule.forFeature([EchoClient])] });
    repeatStopped = deferred();
    await lastValueFrom(clientOf(app, EchoClient).repeat({}).pipe(take(2)));
    await repeatStopped.promise;
    const first = await firstValueFrom(clientOf(app, EchoClient).talk(NEVER.pipe(startWith({ text: 'a' }))));
    expect(first.text).toBe('a!');
  });
});

it('an HTTP application returns the answer of its backend', async () => {
  const EchoClient = echoClient(await startMicroservice());
  @Controller()
  class FrontController {
    constructor(@Inject(EchoClient) private readonly echo: EchoStub) {}

    @Get(':text')
    get(@Param('text') text: string): Observable<Line> {
      return this.echo.say({ text });
    }
  }
  const imports = [GrpcLbModule.forRoot(), GrpcLbModule.forFeature([EchoClient])];
  const testing = await Test.createTestingModule({ imports, controllers: [FrontController] }).compile();
  const app = testing.createNestApplication({ forceCloseConnections: true });
  onTestFinished(() => app.close());
  await app.listen(0, '127.0.0.1');
  const response = await fetch(`${await app.getUrl()}/hello`, { headers: { connection: 'close' } });
  expect(await response.json()).toMatchObject({ text: 'hello ' });
});
