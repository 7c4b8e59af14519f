import 'reflect-metadata';
import { Module, type Type } from '@nestjs/common';
import { Test, type TestingModule } from '@nestjs/testing';
import {
  getGrpcLbClientToken,
  GrpcLbClient,
  type GrpcLbClientOptions,
  GrpcLbModule,
  GrpcService,
  type ServiceClient,
} from 'nestjs-grpc-lb';
import { createFleet, type Fleet, type FleetOptions, type ReadyOptions } from 'nestjs-grpc-lb/testing';
import { onTestFinished } from 'vitest';
import { ECHO_PROTO } from '../echo/cluster.js';
import type { EchoService } from '../nest/app.js';

@GrpcLbClient({ package: 'echo.v1', service: 'Echo', protoPath: ECHO_PROTO, target: 'dns:///echo.invalid:50051' })
export class EchoClient extends GrpcService<EchoService>() {}

@Module({ imports: [GrpcLbModule.forRoot({ logging: false }), GrpcLbModule.forFeature([EchoClient])] })
export class EchoModule {}

/** A fleet that ends with the test; each backend answers with its index. */
export async function fleetOfTest(options: FleetOptions<EchoClient> = {}): Promise<Fleet> {
  const handlers: FleetOptions<EchoClient>['handlers'] = {
    say: ({ text }, { backend }) => ({ text, times: backend }),
  };
  const fleet = await createFleet({ client: EchoClient, backends: 3, handlers, ...options });
  onTestFinished(() => fleet.close());
  return fleet;
}

/** An application whose client calls the fleet, when all its backends are ready; it ends with the test. */
export async function appOfFleet(
  fleet: Fleet,
  more: Partial<GrpcLbClientOptions> = {},
  module: Type = EchoModule,
  readiness?: ReadyOptions,
  client: Type<ServiceClient<EchoService>> = EchoClient,
): Promise<{ app: TestingModule; echo: ServiceClient<EchoService> }> {
  const app = await Test.createTestingModule({ imports: [module] })
    .overrideProvider(getGrpcLbClientToken(client))
    .useFactory(fleet.client(client, more))
    .compile();
  let closed = false;
  const close = app.close.bind(app);
  app.close = async () => {
    if (closed) return;
    closed = true;
    await close();
  };
  onTestFinished(() => app.close());
  await app.init();
  await fleet.ready(undefined, readiness);
  return { app, echo: app.get(client) };
}
