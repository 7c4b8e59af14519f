import { fileURLToPath } from 'node:url';
import type { Browser } from 'playwright-core';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { type DemoProcess, startDemo } from './demo-process.js';
import { launchBrowser, LivePage } from './live-page.js';

const SCREENSHOT = process.env.PAGE_SCREENSHOT
  ? fileURLToPath(new URL('../../../docs/images/demo-page.png', import.meta.url))
  : null;
const BACKENDS = 5;
const EQUAL_SHARE = 100 / BACKENDS;

/** Each test continues where the previous one left the page, as a visitor would. */
let demo: DemoProcess;
let browser: Browser;
let live: LivePage;

beforeAll(async () => {
  browser = await launchBrowser();
  // For the picture, as much of the first phase as a visitor sees.
  demo = await startDemo('--port', '0', '--baseline-seconds', SCREENSHOT ? '15' : '6');
  live = await LivePage.open(browser, demo.url);
});

afterAll(async () => {
  await browser?.close();
  await demo?.process.kill();
});

test('the client of Nest sends every call to one of five backends', async () => {
  const rows = await live.until('one backend has all the calls', (all) => all[0]?.share === 100);
  expect(rows).toHaveLength(BACKENDS);
  expect(rows.slice(1).map((row) => row.share)).toEqual([0, 0, 0, 0]);
});

test('balanced, all are ready, the fast ones share evenly, and the slow one gets less than an equal share', async () => {
  const fair = (share: number): boolean => share > 0.75 * EQUAL_SHARE && share < 1.4 * EQUAL_SHARE;
  const rows = await live.until('shares are even', (all) => {
    const slow = all.filter((row) => row.note.includes('slower'));
    const fast = all.filter((row) => !row.note.includes('slower'));
    return fast.every((row) => fair(row.share)) && slow.every((row) => row.share > 0 && row.share < 0.75 * EQUAL_SHARE);
  });
  expect(rows.map((row) => row.state)).toEqual(Array.from({ length: BACKENDS }, () => 'ready'));
  expect(rows.map((row) => row.note)).toEqual(['', '', '', '', '3× slower']);
  if (SCREENSHOT) await takeScreenshot(SCREENSHOT);
});

test('a stopped backend is shown as such, and no call is lost', async () => {
  const address = await live.addressOf(0);
  // By keyboard: the focus survives a redraw of the page.
  await live.button('Stop', address).focus();
  await live.page.keyboard.press('Enter');
  await live.untilRow(address, 'is down', (row) => row.state !== 'ready' && row.note.includes('stopped'));
  await live.untilRow(address, 'gets no calls', (row) => row.share === 0);
  expect(await live.figure('errors')).toBe(0);
  await expect.poll(() => live.page.locator('#events').textContent()).toContain(`${address} went from ready to`);
});

test('a restarted backend is used again', async () => {
  const address = await live.addressOf(0);
  await live.button('Start', address).click();
  await live.untilRow(address, 'is ready and used', (row) => row.state === 'ready' && row.share > 0.75 * EQUAL_SHARE);
  expect(await live.figure('errors')).toBe(0);
});

test('a backend restarted under load loses no call', async () => {
  const address = await live.addressOf(1);
  await live.button('Restart', address).click();
  await live.untilRow(address, 'is down', (row) => row.state !== 'ready');
  await live.untilRow(address, 'is ready and used', (row) => row.state === 'ready' && row.share > 0.75 * EQUAL_SHARE);
  expect(await live.figure('errors')).toBe(0);
});

test('a backend that slows down gets less, and gets its share back with its speed', async () => {
  const address = await live.addressOf(2);
  await live.button('Slow', address).click();
  await live.untilRow(address, 'gets less', (row) => row.note === '3× slower' && row.share < 0.7 * EQUAL_SHARE);
  await live.button('Normal', address).click();
  await live.untilRow(address, 'gets its share', (row) => row.note === '' && row.share > 0.75 * EQUAL_SHARE);
});

test('a visitor who comes later sees the history, without an error', async () => {
  const later = await LivePage.open(browser, demo.url, 'dark');
  await later.until('the table is filled', (rows) => rows.length === BACKENDS);
  expect(await later.seconds()).toBeGreaterThan(5);
  expect(await later.page.locator('#events li').count()).toBeGreaterThan(0);
  expect(later.complaints).toEqual([]);
  await later.page.close();
});

test.each([390, 320, 768])('nothing overflows at a width of %d', async (width) => {
  await live.page.setViewportSize({ width, height: 844 });
  // The chart is redrawn after the layout has changed.
  await expect.poll(() => live.outside()).toEqual([]);
});

test.each([
  ['/backends/127.0.0.1:1/stop', 404],
  ['/backends/nobody/stop', 404],
])('POST %s is rejected', async (path, status) => {
  const answer = await fetch(new URL(path, demo.url), { method: 'POST' });
  expect(answer.status).toBe(status);
});

test('an action that does not exist is rejected', async () => {
  const address = await live.addressOf(0);
  const answer = await fetch(new URL(`/backends/${address}/explode`, demo.url), { method: 'POST' });
  expect(answer.status).toBe(400);
});

test('Ctrl-C ends the demo with code 0, and the page shows it', async () => {
  demo.process.signal('SIGINT');
  expect(await demo.process.ended).toBe('exit 0');
  await expect.poll(() => live.page.locator('#load').textContent()).toBe('the demo has ended');
});

test('the console of the page stayed empty', () => {
  expect(live.complaints).toEqual([]);
});

/** When the curve shows enough of both phases. */
async function takeScreenshot(path: string): Promise<void> {
  await expect.poll(() => live.seconds(), { timeout: 40_000 }).toBeGreaterThan(35);
  await live.page.screenshot({ path, fullPage: true });
}
