import type { IncomingMessage, ServerResponse } from 'node:http';
import { isIP } from 'node:net';
import { type CanActivate, type ExecutionContext, Injectable } from '@nestjs/common';
import type { NestExpressApplication } from '@nestjs/platform-express';
import { settings } from './settings.js';

const HEADERS = {
  // No other page may frame this one and trick users into pressing its buttons.
  'content-security-policy': "default-src 'none'; frame-ancestors 'none'; base-uri 'none'; form-action 'none'",
  'x-frame-options': 'DENY',
  'x-content-type-options': 'nosniff',
  'referrer-policy': 'no-referrer',
  'cross-origin-resource-policy': 'same-origin',
};

type Request = Pick<IncomingMessage, 'method' | 'headers'>;

/**
 * Why a request is refused. A page elsewhere may send requests to this computer: under a name of its own that resolves
 * to it (DNS rebinding), which the `Host` header shows, or across sites, which `Sec-Fetch-Site` or `Origin` show.
 *
 * @param hosts Names of the page beside `localhost` and IP addresses, which DNS cannot rebind.
 */
export function refusal({ method, headers }: Request, hosts: readonly string[]): string | undefined {
  const { host = '', origin } = headers;
  const name = host
    .replace(/:\d*$/, '')
    .replace(/^\[(.*)\]$/, '$1')
    .toLowerCase();
  if (name !== 'localhost' && isIP(name) === 0 && !hosts.includes(name))
    return 'Host is not a name of this page: open it by http://localhost or an IP address, or name the host in "hosts" of DEMO_CLIENT_SETTINGS';
  if (method === 'GET' || method === 'HEAD') return undefined;
  const site = headers['sec-fetch-site'];
  const elsewhere = site === undefined ? origin !== undefined && hostOf(origin) !== host : site !== 'same-origin';
  return elsewhere ? 'The request comes from another page: press the buttons on this one' : undefined;
}

function hostOf(origin: string): string | undefined {
  return URL.canParse(origin) ? new URL(origin).host : undefined;
}

/** The same for the actions of the console. */
@Injectable()
export class PageGuard implements CanActivate {
  canActivate(context: ExecutionContext): boolean {
    return refusal(context.switchToHttp().getRequest<Request>(), settings.hosts) === undefined;
  }
}

/** Lets only this page press its buttons. */
export function guardPage(app: NestExpressApplication, hosts: readonly string[]): void {
  app.disable('x-powered-by');
  app.use((request: IncomingMessage, response: ServerResponse, next: () => void) => {
    for (const [header, value] of Object.entries(HEADERS)) response.setHeader(header, value);
    const why = refusal(request, hosts);
    if (why === undefined) return next();
    response.writeHead(403, { 'content-type': 'text/plain; charset=utf-8' }).end(`${why}\n`);
  });
}
