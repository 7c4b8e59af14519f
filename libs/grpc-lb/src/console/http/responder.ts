import type { IncomingHttpHeaders, ServerResponse } from 'node:http';
import type { AbstractHttpAdapter } from '@nestjs/core';
import type { PageFile } from './page-files.js';
import { SECURITY_HEADERS } from './security-headers.js';

/** What Express's and Fastify's requests have in common. */
export interface ConsoleRequest {
  readonly headers: IncomingHttpHeaders;
  readonly query: Readonly<Record<string, unknown>>;
  readonly body?: unknown;
  readonly url: string;
  readonly originalUrl?: string;
}

/** A response of Express, or a reply of Fastify. */
export type ConsoleResponse = ServerResponse | { readonly raw: ServerResponse; hijack(): void };

/** Answers by Nest's adapter, so that interceptors of the application do not wrap what the page reads. */
export class Responder {
  constructor(private readonly adapter: Pick<AbstractHttpAdapter, 'reply' | 'setHeader'>) {}

  json(response: ConsoleResponse, data: unknown, status = 200): void {
    this.#headers(response, 'application/json; charset=utf-8', 'no-store');
    this.adapter.reply(response, JSON.stringify(data), status);
  }

  file(request: ConsoleRequest, response: ConsoleResponse, { type, text, etag }: PageFile): void {
    this.#headers(response, type, 'no-cache');
    this.adapter.setHeader(response, 'etag', etag);
    const known = request.headers['if-none-match'] === etag;
    this.adapter.reply(response, known ? '' : text, known ? 304 : 200);
  }

  /** The response of Node, for what the adapter cannot do; its headers are the caller's. */
  raw(response: ConsoleResponse): ServerResponse {
    if (!('hijack' in response)) return response;
    response.hijack();
    return response.raw;
  }

  later(response: ConsoleResponse, seconds: number, message: string): void {
    this.adapter.setHeader(response, 'retry-after', String(seconds));
    this.json(response, { message }, 503);
  }

  #headers(response: ConsoleResponse, type: string, caching: string): void {
    const headers = { ...SECURITY_HEADERS, 'content-type': type, 'cache-control': caching };
    for (const [name, value] of Object.entries(headers)) this.adapter.setHeader(response, name, value);
  }
}
