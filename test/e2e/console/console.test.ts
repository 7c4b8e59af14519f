import { VersioningType } from '@nestjs/common';
import { firstValueFrom, lastValueFrom, mergeMap, range } from 'rxjs';
import { describe, expect, it } from 'vitest';
import { ConsoleFeed } from '../../../libs/grpc-lb/src/console/console-feed.js';
import type { Frame } from '../../../libs/grpc-lb/src/console/frame/frame.js';
import type { CallRecord } from '../../../libs/grpc-lb/src/console/calls/call-record.js';
import { ADAPTERS, consoleApp, type Platform } from '../../support/console/console-app.js';
import { errorOf } from '../../support/nest/app.js';
import { expectNoLeaks } from '../../support/run/leaks.js';

expectNoLeaks();

const PLATFORMS = Object.keys(ADAPTERS) as Platform[];

interface Calls {
  readonly failed: readonly CallRecord[];
  readonly slow: readonly CallRecord[];
}

describe.each(PLATFORMS)('on %s', (platform) => {
  it('serves the page and its files, and no other file', async () => {
    const { ask } = await consoleApp({ platform, console: { title: 'A <b> & "c"' } });
    const page = await ask('/grpc-lb');
    expect(page).toMatchObject({ status: 200, headers: { 'content-type': 'text/html; charset=utf-8' } });
    expect(page.text).toContain('<title>A &lt;b&gt; &amp; &quot;c&quot;</title>');
    const files = [...page.text.matchAll(/(?:href|src)="(\.[^"]+)"/g)].map(([, path]) => path!);
    expect(files).toContain('./grpc-lb/assets/main.js');
    expect(files.length).toBeGreaterThan(10);
    for (const file of files) {
      const path = new URL(file, 'http://localhost/grpc-lb').pathname;
      expect((await ask(path)).status, path).toBe(200);
    }
    for (const name of ['index.html', 'nothing.js', '..%2findex.js', '..%2f..%2fpackage.json', '%00'])
      expect((await ask(`/grpc-lb/assets/${name}`)).status, name).toBeGreaterThanOrEqual(400);
  });

  it('sends a file again only if it has changed', async () => {
    const { ask } = await consoleApp({ platform });
    const { headers } = await ask('/grpc-lb/assets/main.js');
    const again = await ask('/grpc-lb/assets/main.js', { headers: { 'if-none-match': headers.etag! } });
    expect(again).toMatchObject({ status: 304, text: '' });
  });

  it('streams complete frames of the client that is looked at', async () => {
    const { events, addresses, echo } = await consoleApp({ platform, servers: 3 });
    const reader = (await events('/grpc-lb/stream?client=ECHO')).start();
    const first = await reader.next<Frame>('frame');
    expect(first.clients).toMatchObject([{ name: 'ECHO', state: 'ready', endpoints: 3, ready: 3 }]);
    expect(first.client).toMatchObject({
      name: 'ECHO',
      policy: 'least_request',
      next: 'is sent at once',
      sources: [{ kind: 'static', state: 'ok', endpoints: 3 }],
      priorities: [{ priority: 0, share: 1, healthy: 3 }],
    });
    expect(first.client!.endpoints.rows.map(({ address }) => address)).toEqual(addresses);
    expect(first.client!.endpoints.rows[0]).toMatchObject({ state: 'ready', share: null, connections: [{}] });
    await lastValueFrom(range(0, 30).pipe(mergeMap(() => echo.say({ text: 'x' }), 1)));
    const later = await reader.next<Frame>('frame', ({ client }) => client!.figures.observed >= 30);
    const { rows } = later.client!.endpoints;
    expect(rows.reduce((sum, { share }) => sum + (share ?? 0), 0)).toBeCloseTo(1);
    expect(rows.every(({ p50, p99 }) => p50 !== null && p99! >= p50)).toBe(true);
    expect(later.client!.figures).toMatchObject({ failed: 0, sampled: 1 });
    expect(later.client!.figures.perSecond).toBeGreaterThan(0);
  });

  it('sends events as sentences, and recent failed calls with the course of their attempts', async () => {
    const { events, servers, addresses, echo } = await consoleApp({ platform, servers: 1 });
    const reader = (await events('/grpc-lb/stream')).start();
    await reader.next('calls');
    servers[0]!.fail('NOT_FOUND', { details: '<b>no' });
    await errorOf(echo.say({ text: 'x' }));
    const { failed } = await reader.next<Calls>('calls', (calls) => calls.failed.length > 0);
    expect(failed).toMatchObject([
      {
        method: '/echo.v1.Echo/Say',
        end: { status: 'NOT_FOUND', details: '<b>no', origin: 'remote' },
        attempts: [{ number: 1, kind: 'first', address: addresses[0], end: { status: 'NOT_FOUND' } }],
      },
    ]);
    const lines = await reader.next<{ weight: string; text: string }[]>('events');
    expect(lines).toContainEqual(
      expect.objectContaining({ weight: 'good', text: 'the client went from connecting to ready' }),
    );
  });

  it('answers where a call would go, and which option comes from where', async () => {
    const { ask, addresses } = await consoleApp({ platform });
    const config = JSON.parse((await ask('/grpc-lb/config?client=ECHO')).text) as {
      options: { path: string; value: unknown; origin: string }[];
      methods: string[];
    };
    expect(config.options).toContainEqual({ path: 'pool.size', value: 1, origin: 'default' });
    expect(config.methods).toContain('/echo.v1.Echo/Say');
    const explained = await ask('/grpc-lb/explain?client=ECHO&method=Say');
    expect(JSON.parse(explained.text)).toMatchObject({
      endpoints: addresses.map((address) => ({ address, chance: 0.5 })),
    });
    expect(await ask('/grpc-lb/explain?client=ECHO&method=Nope')).toMatchObject({ status: 404 });
    expect(await ask('/grpc-lb/config?client=NOPE')).toMatchObject({
      status: 404,
      text: expect.stringContaining('NOPE'),
    });
  });

  it('is below a global prefix, beside versioned controllers, and at the root', async () => {
    const prefixed = await consoleApp({
      platform,
      prepare: (app) => {
        app.setGlobalPrefix('api');
        app.enableVersioning({ type: VersioningType.URI, defaultVersion: '1' });
      },
    });
    expect((await prefixed.ask('/api/grpc-lb')).text).toContain('./grpc-lb/assets/main.js');
    expect((await prefixed.ask('/api/grpc-lb/assets/main.js')).status).toBe(200);
    const atRoot = await consoleApp({ platform, console: { path: '/' } });
    expect((await atRoot.ask('/')).text).toContain('src="./assets/main.js"');
    expect((await atRoot.ask('/assets/main.js')).status).toBe(200);
  });

  it('says goodbye to its pages when the application closes', async () => {
    const { app, events } = await consoleApp({ platform });
    const reader = (await events('/grpc-lb/stream')).start();
    await reader.next('frame');
    await app.close();
    await reader.ended();
    expect(reader.seen.at(-1)).toMatchObject({ type: 'bye' });
  });
});

it('a page that comes while the application closes is sent away', async () => {
  const { app, events } = await consoleApp();
  app.get(ConsoleFeed, { strict: false }).onModuleDestroy();
  const reader = (await events('/grpc-lb/stream')).start();
  await reader.ended();
  expect(reader.seen.map(({ type }) => type)).toEqual(['bye']);
});

describe('the table', () => {
  it('shows the client that is named, in pages, filtered and sorted', async () => {
    const { events, addresses, registry } = await consoleApp({ servers: 3 });
    registry.eject('ECHO', addresses[2]!, 60_000);
    const first = async (query: string): Promise<Frame> =>
      (await events(`/grpc-lb/stream?${query}`)).start().next<Frame>('frame');
    const { client } = await first('client=ECHO');
    expect(client!.endpoints).toMatchObject({
      total: 3,
      states: { ready: 2, ejected: 1 },
      rows: [{ address: addresses[2], state: 'ejected', restorable: true }, { restorable: false }, {}],
    });
    expect((await first('client=ECHO&filter=EJEC')).client!.endpoints).toMatchObject({ matching: 1, pages: 1 });
    expect((await first('client=ECHO&sort=discovery&page=7')).client!.endpoints).toMatchObject({
      page: 0,
      rows: addresses.map((address) => ({ address })),
    });
    expect((await first('client=NOPE')).client).toBeNull();
  });

  it('shows what an operator has drained, until it is restored', async () => {
    const { events, addresses, registry } = await consoleApp({ servers: 2 });
    const reader = (await events('/grpc-lb/stream')).start();
    registry.drain('ECHO', addresses[1]!);
    const drained = await reader.next<Frame>('frame', ({ client }) => client!.endpoints.states.drained === 1);
    expect(drained.client!.endpoints.rows[0]).toMatchObject({
      address: addresses[1],
      state: 'drained',
      restorable: true,
    });
    registry.restore('ECHO', addresses[1]!);
    await reader.next<Frame>('frame', ({ client }) => client!.endpoints.states.ready === 2);
  });
});

describe('what it costs', () => {
  it('no call is observed while no page is open', async () => {
    const { events, registry, echo } = await consoleApp();
    let observed = 0;
    const { observe } = registry;
    registry.observe = (observer) => {
      observed++;
      const stop = observe.call(registry, observer);
      return () => {
        observed--;
        stop();
      };
    };
    await firstValueFrom(echo.say({ text: 'x' }));
    expect(observed).toBe(0);
    const reader = (await events('/grpc-lb/stream')).start();
    await reader.next('frame');
    expect(observed).toBe(1);
    reader.close();
    await expect.poll(() => observed).toBe(0);
  });

  it('with calls.always failed calls are there when the page opens', async () => {
    const { events, servers, echo } = await consoleApp({ console: { calls: { always: true } }, servers: 1 });
    servers[0]!.fail('NOT_FOUND', { details: 'no' });
    await errorOf(echo.say({ text: 'x' }));
    const reader = (await events('/grpc-lb/stream')).start();
    expect((await reader.next<Calls>('calls')).failed).toHaveLength(1);
  });

  it('with calls: false nothing is observed, and the page says so', async () => {
    const { events } = await consoleApp({ console: { calls: false } });
    const reader = (await events('/grpc-lb/stream')).start();
    expect((await reader.next<Frame>('frame')).client!.figures).toMatchObject({ sampled: 0, p50: null });
  });
});
