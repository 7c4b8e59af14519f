import { credentials } from '@grpc/grpc-js';
import type { INestMicroservice } from '@nestjs/common';
import type { ModuleRef } from '@nestjs/core';
import { type GrpcOptions, Transport } from '@nestjs/microservices';
import { Test } from '@nestjs/testing';
import { freePort, TestAuthority } from 'nestjs-grpc-lb/testing';
import { describe, expect, onTestFinished, test } from 'vitest';
import { GrpcServerModule, type GrpcServerMicroservice, grpcServer } from '../../../libs/grpc-lb/src/server/index.js';
import { expectNoLeaks } from '../../support/run/leaks.js';
import { echoClient, echoController, echoTransport, say } from '../../support/server/app.js';

expectNoLeaks();

/** An application without `GrpcServerModule`, which closes with the test. */
async function createApp(microservice: GrpcServerMicroservice): Promise<INestMicroservice> {
  const { controller } = echoController();
  const module = await Test.createTestingModule({ controllers: [controller] }).compile();
  const app = module.createNestMicroservice(microservice);
  app.useLogger(false);
  onTestFinished(() => app.close());
  return app;
}

describe('one value of grpcServer() in several applications', () => {
  test('starts the next one with TLS when the first is closed', async () => {
    const ca = new TestAuthority();
    const port = await freePort();
    const drain = { delay: 0 };
    const microservice = grpcServer(echoTransport(port), { tls: { ...ca.issue() }, drain });
    for (let i = 0; i < 2; i++) {
      const app = await createApp(microservice);
      await app.listen();
      const client = echoClient(`127.0.0.1:${port}`, credentials.createSsl(Buffer.from(ca.cert)));
      expect(await say(client)).toMatchObject({ text: 'x' });
      client.close();
      await app.close();
    }
  });

  test('tells the observer of a call once, whatever other applications were made of it', async () => {
    const port = await freePort();
    const seen: string[] = [];
    const callStarted = ({ method }: { method: string }): undefined => void seen.push(method);
    const microservice = grpcServer(echoTransport(port), { observer: { callStarted }, drain: { delay: 0 } });
    const [, second] = [await createApp(microservice), await createApp(microservice)];
    await second.listen();
    expect(await say(echoClient(`127.0.0.1:${port}`, credentials.createInsecure()))).toMatchObject({ text: 'x' });
    expect(seen).toEqual(['/echo.v1.Echo/Say']);
  });

  test('is found beside the factory too, where Nest before 11.1.9 looks for it', () => {
    const microservice = grpcServer(echoTransport(1));
    const modules = { get: () => undefined } as unknown as ModuleRef;
    const made = microservice.useFactory(modules).strategy;
    expect(microservice.strategy).toBe(made);
    expect(microservice.useFactory(modules).strategy).not.toBe(made);
  });
});

test('an observer without GrpcServerModule is let go with its application', async () => {
  const port = await freePort();
  const observed = new Set<object>();
  const observer = {
    callStarted: () => undefined,
    attached: (server: object) => {
      observed.add(server);
      return () => void observed.delete(server);
    },
  };
  const app = await createApp(grpcServer(echoTransport(port), { observer, drain: { delay: 0 } }));
  await app.listen();
  expect(observed.size).toBe(1);
  await app.close();
  expect(observed.size).toBe(0);
});

test('what is no gRPC microservice is refused at once, with the remedy', () => {
  const refused =
    (microservice: unknown): unknown =>
    () =>
      grpcServer(microservice as GrpcOptions);
  expect(refused(undefined)).toThrow(
    'grpcServer: an option is invalid\n  - options is missing; use { url, package, protoPath }',
  );
  expect(refused({ package: 'echo.v1', protoPath: 'echo.proto' })).toThrow(
    'grpcServer: an option is invalid\n  - options is missing; move package, protoPath to options',
  );
  expect(refused({ transport: Transport.TCP, options: {} })).toThrow(
    'grpcServer: an option is invalid\n  - transport is TCP; only gRPC is served, so remove it',
  );
  expect(refused({ transport: Transport.GRPC, options: [] })).toThrow(
    '- options is []; use { url, package, protoPath }',
  );
});

test('an asynchronous declaration without a factory is refused at once', () => {
  expect(() => GrpcServerModule.forRootAsync({ useFactory: { reflection: true } as never })).toThrow(
    'GrpcServerModule.forRootAsync: an option is invalid\n  - useFactory is {"reflection":true}; use a function that returns the options',
  );
});
