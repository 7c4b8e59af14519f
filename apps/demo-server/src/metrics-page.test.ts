import { afterEach, expect, test } from 'vitest';
import { freePort } from 'nestjs-grpc-lb/testing';
import { MetricsPage } from './metrics-page.js';

let page: MetricsPage;
afterEach(() => page.onApplicationShutdown());

test('metrics are served at /metrics of their port, and nothing else', async () => {
  const port = await freePort();
  page = new MetricsPage(port, '127.0.0.1:50051');
  await page.onApplicationBootstrap();
  const metrics = await fetch(`http://127.0.0.1:${port}/metrics`);
  expect([metrics.status, metrics.headers.get('content-type')]).toEqual([200, expect.stringMatching(/^text\/plain/)]);
  expect((await fetch(`http://127.0.0.1:${port}/`)).status).toBe(404);
});

test('without a port nothing listens', async () => {
  const listening = (): number => process.getActiveResourcesInfo().filter((kind) => kind === 'TCPServerWrap').length;
  const before = listening();
  page = new MetricsPage(0, '127.0.0.1:50051');
  await page.onApplicationBootstrap();
  expect(listening()).toBeLessThanOrEqual(before);
});
