import 'reflect-metadata';
import { createRequire } from 'node:module';
import { isIPv6 } from 'node:net';
import { Logger, ShutdownSignal } from '@nestjs/common';
import { NestFactory } from '@nestjs/core';
import { grpcServer } from 'nestjs-grpc-lb/server';
import { AppModule } from './app.module.js';
import { readSettings } from './settings.js';
import { supervise } from './supervised.js';

/** In a pod its own address, which also signs the answers; in a demo on one computer only that computer. */
function hostFromEnvironment(): string {
  const { HOST = '127.0.0.1' } = process.env;
  return isIPv6(HOST) ? `[${HOST}]` : HOST;
}

const protoPath = createRequire(import.meta.url).resolve('demo-server/orders.proto');

async function bootstrap(): Promise<void> {
  const settings = readSettings(process.argv.slice(2), process.env);
  const address = `${hostFromEnvironment()}:${settings.port}`;
  const supervised = process.send !== undefined;
  const app = await NestFactory.createMicroservice(AppModule.with(settings, address), {
    // Health, a drain that loses no call, and load reports: the server side of balancing.
    ...grpcServer({ options: { package: 'orders.v1', protoPath, url: address } }),
    logger: supervised ? ['warn', 'error', 'fatal'] : ['log', 'warn', 'error', 'fatal'],
    abortOnError: false,
  });
  app.enableShutdownHooks(supervised ? [ShutdownSignal.SIGTERM] : []);
  await app.listen();
  if (supervised) supervise(app, address);
  else Logger.log(`orders.v1.Orders on ${address}`, 'demo-server');
}

bootstrap().catch((error: unknown) => {
  console.error(error instanceof Error ? error.message : error);
  process.exitCode = 1;
  // A server that failed to start may hold its own sockets and timers.
  process.exit();
});
