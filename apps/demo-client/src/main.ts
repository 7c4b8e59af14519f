import 'reflect-metadata';
import { NestFactory } from '@nestjs/core';
import type { NestExpressApplication } from '@nestjs/platform-express';
import { AppModule } from './app.module.js';
import { LoadService } from './load/load.service.js';
import { guardPage } from './page-guard.js';
import { pagePort } from './page-port.js';
import type { Frame } from './panel/frame.js';
import { FramesService } from './panel/frames.service.js';
import { RunnerLink } from './runner-link.js';
import { settings } from './settings.js';

/** Only this computer may press the buttons, unless the deployment allows other hosts. */
const HOST = process.env.HOST ?? '127.0.0.1';

/** The client library of Kubernetes is large, so it is loaded only if it is used. */
async function registerSources(): Promise<void> {
  if (!process.env.GRPC_LB_ORDERS_CLIENT_TARGET?.startsWith('kubernetes:')) return;
  const { registerKubernetes } = await import('nestjs-grpc-lb/kubernetes');
  registerKubernetes();
}

async function bootstrap(): Promise<void> {
  await registerSources();
  const app = await NestFactory.create<NestExpressApplication>(AppModule, {
    logger: ['warn', 'error', 'fatal'],
    abortOnError: false,
    // Pages keep their event stream open forever.
    forceCloseConnections: true,
  });
  guardPage(app, settings.hosts);
  const link = app.get(RunnerLink);
  const load = app.get(LoadService);
  const frames = app.get(FramesService);

  link.open(() => void close());
  const close = async (): Promise<void> => {
    link.tell({ type: 'done', phases: load.summaries() });
    await app.close();
    link.close();
  };

  await app.listen(await pagePort(settings.httpPort, HOST, settings.anyPort), HOST);
  const url = await app.getUrl();
  if (link.connected) link.tell({ type: 'listening', url });
  else {
    app.enableShutdownHooks();
    console.log(`page: ${url}`);
  }
  frames.start();
  const show = (frame: Frame | null): void => {
    if (frame) link.tell({ type: 'frame', frame });
  };
  frames.frames$.subscribe(show);
  await load.run(() => show(frames.frame()));
  link.tell({ type: 'done', phases: load.summaries() });
}

bootstrap().catch((error: unknown) => {
  console.error(error instanceof Error ? error.message : error);
  process.exitCode = 1;
  process.exit();
});
