import type { INestMicroservice } from '@nestjs/common';
import { Test } from '@nestjs/testing';
import { expect, onTestFinished, test } from 'vitest';
import { freePort } from '../../../apps/demo-client/src/runner/ports.js';
import { type GrpcServerMicroservice, grpcServer } from '../../../libs/grpc-lb/src/server/index.js';
import { expectNoLeaks } from '../../support/run/leaks.js';
import { echoController, echoTransport } from '../../support/server/app.js';

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
