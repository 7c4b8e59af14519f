import {
  Controller,
  Get,
  Inject,
  NotFoundException,
  Param,
  Post,
  Req,
  Res,
  type Type,
  UseGuards,
  VERSION_NEUTRAL,
} from '@nestjs/common';
import { HttpAdapterHost } from '@nestjs/core';
import { GrpcLbError } from '../core/errors.js';
import type { GrpcLbRegistry } from '../nest/registry.js';
import { REQUIRED_REGISTRY } from '../nest/required-imports.js';
import { ConsoleActions, OFFERED_POLICIES } from './console-actions.js';
import { ConsoleFeed } from './console-feed.js';
import { viewQuery } from './frame/view-query.js';
import { IndexPage } from './http/index-page.js';
import { PageFiles } from './http/page-files.js';
import { type ConsoleRequest, type ConsoleResponse, Responder } from './http/responder.js';
import { foreignAction } from './http/same-origin.js';
import { SECURITY_HEADERS } from './http/security-headers.js';
import type { EffectiveConsoleOptions } from './options.js';

const RETRY_AFTER_SECONDS = 30;

/** The controllers of one console: their paths and guards are known only when the module is imported. */
export function consoleControllers(options: EffectiveConsoleOptions): Type[] {
  const { path, title, guards, actions, panels } = options;
  const files = new PageFiles();
  const index = new IndexPage(files.get('index.html')!, title, path, files.modules);

  /** What is read. */
  @Controller({ path, version: VERSION_NEUTRAL })
  @UseGuards(...guards)
  class GrpcLbConsoleController {
    constructor(
      @Inject(HttpAdapterHost) private readonly host: HttpAdapterHost,
      @Inject(REQUIRED_REGISTRY) private readonly registry: GrpcLbRegistry,
      @Inject(ConsoleFeed) private readonly feed: ConsoleFeed,
    ) {}

    @Get()
    page(@Req() request: ConsoleRequest, @Res() response: ConsoleResponse): void {
      this.#respond.file(request, response, index.at(request.originalUrl ?? request.url));
    }

    @Get('assets/:file')
    asset(@Param('file') name: string, @Req() request: ConsoleRequest, @Res() response: ConsoleResponse): void {
      const file = name === 'index.html' ? undefined : files.get(name);
      if (!file) throw new NotFoundException();
      this.#respond.file(request, response, file);
    }

    /** What does not change while the application runs. */
    @Get('info')
    info(@Res() response: ConsoleResponse): void {
      this.#respond.json(response, { panels, actions: actions !== undefined, policies: OFFERED_POLICIES });
    }

    @Get('stream')
    stream(@Req() { query }: ConsoleRequest, @Res() response: ConsoleResponse): void {
      if (this.feed.full)
        return this.#respond.later(response, RETRY_AFTER_SECONDS, 'as many pages are open as this console allows');
      this.feed.open(this.#respond.raw(response), SECURITY_HEADERS, viewQuery(query));
    }

    /** The options in force of a client, each with its origin, and its methods. */
    @Get('config')
    config(@Req() { query }: ConsoleRequest, @Res() response: ConsoleResponse): void {
      this.#answer(response, query['client'], (client) => ({
        options: this.registry.origins(client).map((option) => ({ ...option, value: shownValue(option.value) })),
        methods: this.registry.get(client).methods,
      }));
    }

    /** Where a call of a method with a key would go. */
    @Get('explain')
    explain(@Req() { query }: ConsoleRequest, @Res() response: ConsoleResponse): void {
      this.#answer(response, query['client'], (client) =>
        this.registry.explain(client, { method: textOf(query['method']), key: textOf(query['key']) }),
      );
    }

    get #respond(): Responder {
      return new Responder(this.host.httpAdapter);
    }

    #answer(response: ConsoleResponse, client: unknown, of: (client: string) => object): void {
      try {
        this.#respond.json(response, of(textOf(client) ?? ''));
      } catch (error) {
        if (!(error instanceof GrpcLbError)) throw error;
        this.#respond.json(response, { message: error.message }, 404);
      }
    }
  }

  if (!actions) return [GrpcLbConsoleController];

  /** What changes something. */
  @Controller({ path, version: VERSION_NEUTRAL })
  @UseGuards(...guards, ...actions.guards)
  class GrpcLbConsoleActionsController {
    constructor(
      @Inject(HttpAdapterHost) private readonly host: HttpAdapterHost,
      @Inject(ConsoleActions) private readonly console: ConsoleActions,
    ) {}

    @Post('actions')
    act(@Req() request: ConsoleRequest, @Res() response: ConsoleResponse): void {
      const respond = new Responder(this.host.httpAdapter);
      const why = foreignAction(request.headers);
      if (why !== undefined) return respond.json(response, { done: false, message: `Not done: ${why}` }, 403);
      const result = this.console.perform(request.body);
      respond.json(response, result, result.done ? 200 : 400);
    }
  }

  return [GrpcLbConsoleController, GrpcLbConsoleActionsController];
}

function textOf(value: unknown): string | undefined {
  return typeof value === 'string' && value !== '' ? value : undefined;
}

/** Functions, such as those that return a key, have no form in JSON. */
function shownValue(value: unknown): unknown {
  if (value === undefined) return null;
  return JSON.parse(
    JSON.stringify(value, (_key, inner: unknown) => (typeof inner === 'function' ? 'a function' : inner)),
  );
}
