import 'reflect-metadata';
import { type IncomingHttpHeaders, type IncomingMessage, request, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import type { INestApplication, ModuleMetadata } from '@nestjs/common';
import { ExpressAdapter } from '@nestjs/platform-express';
import { FastifyAdapter } from '@nestjs/platform-fastify';
import { Test } from '@nestjs/testing';
import { GrpcLbModule, type GrpcLbModuleOptions, GrpcLbRegistry } from 'nestjs-grpc-lb';
import { GrpcLbConsoleModule, type GrpcLbConsoleOptions } from 'nestjs-grpc-lb/console';
import { firstValueFrom } from 'rxjs';
import { onTestFinished } from 'vitest';
import { startBackends } from '../echo/backends.js';
import { staticTarget } from '../echo/cluster.js';
import { echoClient, type EchoStub } from '../nest/app.js';

/** Both platforms of Nest. */
export const ADAPTERS = { Express: () => new ExpressAdapter(), Fastify: () => new FastifyAdapter() };

export type Platform = keyof typeof ADAPTERS;

export interface ConsoleAppOptions {
  readonly platform?: Platform;
  /** Servers behind the client; by default two. */
  readonly servers?: number;
  /** In place of servers. */
  readonly target?: string;
  readonly console?: GrpcLbConsoleOptions;
  readonly root?: GrpcLbModuleOptions;
  readonly more?: ModuleMetadata;
  /** Before it listens. */
  readonly prepare?: (app: INestApplication) => void;
}

export interface Answer {
  readonly status: number;
  readonly headers: IncomingHttpHeaders;
  readonly text: string;
}

/** An application with a console over a client with ready servers; all of it ends with the test. */
export async function consoleApp(options: ConsoleAppOptions = {}) {
  const servers = await startBackends(options.servers ?? (options.target === undefined ? 2 : 0));
  const EchoClient = echoClient(options.target ?? staticTarget(servers), { name: 'ECHO' });
  const module = await Test.createTestingModule({
    ...options.more,
    imports: [
      ...(options.more?.imports ?? []),
      GrpcLbModule.forRoot({ logging: false, ...options.root }),
      GrpcLbModule.forFeature([EchoClient]),
      GrpcLbConsoleModule.forRoot(options.console),
    ],
  }).compile();
  const app = module.createNestApplication(ADAPTERS[options.platform ?? 'Express'](), { logger: false });
  onTestFinished(() => app.close());
  options.prepare?.(app);
  await app.listen(0, '127.0.0.1');
  const registry = app.get(GrpcLbRegistry);
  while (servers.length > 0 && registry.snapshot('ECHO').endpoints.some(({ state }) => state !== 'ready'))
    await firstValueFrom(registry.events$);
  const { port } = (app.getHttpServer() as Server).address() as AddressInfo;
  return {
    app,
    servers,
    registry,
    port,
    url: `http://127.0.0.1:${port}`,
    addresses: servers.map(({ address }) => address),
    echo: app.get<EchoStub>(EchoClient),
    ask: (path: string, init: AskOptions = {}) => ask(port, path, init),
    events: (path: string, headers?: Record<string, string>) => openEvents(port, path, headers),
  };
}

export interface AskOptions {
  readonly method?: string;
  readonly headers?: Record<string, string>;
  readonly body?: string;
}

function ask(port: number, path: string, { method = 'GET', headers, body }: AskOptions): Promise<Answer> {
  return new Promise((resolve, reject) => {
    const sent = request({ host: '127.0.0.1', port, method, path, agent: false, headers: { ...headers } });
    sent.on('error', reject);
    sent.on('response', (response) => {
      let text = '';
      response.setEncoding('utf8').on('data', (part: string) => (text += part));
      response.on('end', () => resolve({ status: response.statusCode!, headers: response.headers, text }));
    });
    sent.end(body);
  });
}

/** A reader of server-sent events. */
export class EventReader {
  readonly seen: { readonly type: string; readonly data: unknown }[] = [];
  closed = false;
  #text = '';
  #wake: (() => void) | undefined;

  constructor(readonly response: IncomingMessage) {
    response.setEncoding('utf8');
    response.on('close', () => {
      this.closed = true;
      this.#wake?.();
    });
    // The server may cut it off.
    response.on('error', () => {});
  }

  /** Starts to read. */
  start(): this {
    this.response.on('data', (part: string) => this.#take(part));
    return this;
  }

  /** The next event of this type that satisfies the condition, also one that has already come. */
  async next<T>(type: string, condition: (data: T) => boolean = () => true): Promise<T> {
    for (let at = 0; ;) {
      for (; at < this.seen.length; at++) {
        const { type: each, data } = this.seen[at]!;
        if (each === type && condition(data as T)) return data as T;
      }
      if (this.closed) throw new Error(`The stream ended without "${type}"`);
      await new Promise<void>((resolve) => (this.#wake = resolve));
    }
  }

  async ended(): Promise<void> {
    while (!this.closed) await new Promise<void>((resolve) => (this.#wake = resolve));
  }

  close(): void {
    this.response.destroy();
  }

  #take(part: string): void {
    this.#text += part;
    const blocks = this.#text.split('\n\n');
    this.#text = blocks.pop()!;
    for (const block of blocks) {
      const [, type, data] = /^event: (\w+)\ndata: (.*)$/.exec(block)!;
      this.seen.push({ type: type!, data: JSON.parse(data!) as unknown });
    }
    this.#wake?.();
  }
}

/** Opens a stream without reading it; it ends with the test. */
function openEvents(port: number, path: string, headers: Record<string, string> = {}): Promise<EventReader> {
  return new Promise((resolve, reject) => {
    const sent = request({ host: '127.0.0.1', port, path, agent: false, headers });
    sent.on('error', reject);
    sent.on('response', (response) => {
      if (response.statusCode !== 200) return reject(new Error(`status ${response.statusCode}`));
      const reader = new EventReader(response);
      onTestFinished(() => reader.close());
      resolve(reader);
    });
    sent.end();
  });
}
