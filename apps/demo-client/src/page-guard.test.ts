import 'reflect-metadata';
import { type OutgoingHttpHeaders, request } from 'node:http';
import type { AddressInfo } from 'node:net';
import { Test } from '@nestjs/testing';
import type { NestExpressApplication } from '@nestjs/platform-express';
import { expect, onTestFinished, test } from 'vitest';
import { expectNoLeaks } from '../../../test/support/run/leaks.js';
import { LoadService } from './load/load.service.js';
import { guardPage } from './page-guard.js';
import { BackendsController } from './panel/backends.controller.js';
import { ClickVerdict } from './panel/click-verdict.js';
import { FramesService } from './panel/frames.service.js';
import { PanelController } from './panel/panel.controller.js';
import { RunnerLink } from './runner-link.js';
import { settings } from './settings.js';

expectNoLeaks();

interface Answer {
  readonly status: number;
  readonly headers: Readonly<Record<string, unknown>>;
  readonly text: string;
}

/** The controllers of the demo, and the commands that they sent to the runner. */
async function page() {
  const told: object[] = [];
  const link = { connected: true, tell: (message: object) => told.push(message) };
  const module = await Test.createTestingModule({
    controllers: [PanelController, BackendsController],
    providers: [
      { provide: RunnerLink, useValue: link },
      { provide: FramesService, useValue: {} },
      { provide: LoadService, useValue: { runs: [] } },
      ClickVerdict,
    ],
  }).compile();
  const app = module.createNestApplication<NestExpressApplication>({ logger: false });
  onTestFinished(() => app.close());
  guardPage(app, ['demo.example']);
  await app.listen(0, '127.0.0.1');
  const { port } = app.getHttpServer().address() as AddressInfo;
  const ask = (method: string, path: string, headers: OutgoingHttpHeaders = {}): Promise<Answer> =>
    new Promise((resolve, reject) => {
      const sent = request({
        host: '127.0.0.1',
        port,
        method,
        path,
        agent: false,
        headers: { connection: 'close', ...headers },
      });
      sent.on('error', reject);
      sent.on('response', (response) => {
        let text = '';
        response.setEncoding('utf8').on('data', (part: string) => (text += part));
        response.on('end', () => resolve({ status: response.statusCode!, headers: response.headers, text }));
      });
      sent.end();
    });
  return { told, port, ask };
}

const SLOW = `/demo/backends/${encodeURIComponent(settings.addresses[0]!)}/slow`;

test('the page is served under names that DNS cannot rebind, and under those that are configured', async () => {
  const { ask, port } = await page();
  for (const host of [
    `127.0.0.1:${port}`,
    `localhost:${port}`,
    '[::1]:3000',
    '10.1.2.3:3000',
    'demo.example',
    'LOCALHOST',
  ])
    expect(await ask('GET', '/demo/panel.js', { host })).toMatchObject({ status: 200 });
  for (const host of ['evil.example', `evil.example:${port}`, 'localhost.evil.example', '127.0.0.1.evil.example']) {
    const { status, text } = await ask('GET', '/demo/panel.js', { host });
    expect({ host, status }).toEqual({ host, status: 403 });
    expect(text).toContain('Host is not a name of this page');
  }
});

test('other pages cannot trigger its actions', async () => {
  const { ask, told, port } = await page();
  const own = `http://127.0.0.1:${port}`;
  for (const headers of [
    { origin: 'https://evil.example' },
    { origin: 'null' },
    { origin: `http://127.0.0.1:${port + 1}` },
    { origin: own, 'sec-fetch-site': 'cross-site' },
    { 'sec-fetch-site': 'same-site' },
    { host: 'evil.example', origin: 'http://evil.example' },
  ]) {
    expect(await ask('POST', SLOW, headers)).toMatchObject({ status: 403 });
  }
  expect(told).toEqual([]);
  // The page itself, an older browser, and a program without a browser.
  for (const headers of [{ origin: own, 'sec-fetch-site': 'same-origin' }, { origin: own }, {}])
    expect(await ask('POST', SLOW, headers)).toMatchObject({ status: 202 });
  expect(told).toHaveLength(3);
});

test('no response can be framed, and none reveals the server software', async () => {
  const { ask } = await page();
  for (const path of ['/demo/panel.js', '/nothing', '/demo/backends']) {
    const { headers } = await ask('GET', path);
    expect(headers).toMatchObject({
      'x-frame-options': 'DENY',
      'x-content-type-options': 'nosniff',
      'content-security-policy': expect.stringContaining("frame-ancestors 'none'"),
    });
    expect(headers).not.toHaveProperty('x-powered-by');
  }
});
