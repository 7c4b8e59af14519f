import { type CanActivate, Controller, type ExecutionContext, Get, Header, Injectable } from '@nestjs/common';
import { GrpcLbModule, ringHash } from 'nestjs-grpc-lb';
import { catchError, firstValueFrom, interval, mergeMap, of, type Subscription } from 'rxjs';
import { statusError } from 'nestjs-grpc-lb/testing';
import type { Browser, Page, Route } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, onTestFinished, test } from 'vitest';
import { consoleApp, type ConsoleAppOptions } from '../../support/console/console-app.js';
import { ManualDiscovery } from '../../support/echo/balanced-client.js';
import { answerBy, startBackend } from '../../support/echo/backends.js';
import { echoOptions } from '../../support/nest/app.js';
import { ConsolePage, LOOKS, takePicture } from './console-page.js';
import { launchBrowser } from './live-page.js';

let browser: Browser;

beforeAll(async () => {
  browser = await launchBrowser();
});

afterAll(() => browser?.close());

/** What the guard of the actions answers. */
let mayAct = true;

@Injectable()
class TestGuard implements CanActivate {
  canActivate(_context: ExecutionContext): boolean {
    return mayAct;
  }
}

const ACTIONS = { actions: { guards: [TestGuard] } };

function untilTestEnds(subscription: Subscription): void {
  onTestFinished(() => subscription.unsubscribe());
}

/** An application in which much happens: three clients, calls that fail, an endpoint that is ejected, one drained. */
async function busyApp(options: ConsoleAppOptions = {}) {
  mayAct = true;
  const other = (name: string, target: string) => ({ name, options: echoOptions(target) });
  const app = await consoleApp({
    servers: 5,
    console: ACTIONS,
    more: {
      imports: [
        GrpcLbModule.forFeature([
          {
            name: 'SESSIONS',
            options: echoOptions('static:///127.0.0.1:1', { loadBalancing: { policy: ringHash({ by: 'x-session' }) } }),
          },
          other('BROKEN', 'dns:///no-such-name.invalid:50051'),
        ]),
      ],
    },
    ...options,
  });
  let calls = 0;
  answerBy(app.servers[4]!, () => {
    if (++calls % 7 > 0) return new Promise((resolve) => setTimeout(() => resolve({}), 30));
    throw statusError('INTERNAL', 'the database is away');
  });
  const load = interval(20).pipe(mergeMap(() => app.echo.say({ text: 'x' }).pipe(catchError(() => of(null)))));
  untilTestEnds(load.subscribe());
  app.registry.eject('ECHO', app.addresses[0]!, 3_600_000);
  app.registry.drain('ECHO', app.addresses[1]!);
  return app;
}

describe.each(LOOKS)('at $width px, $colorScheme', (look) => {
  test('the page shows everything, nothing overflows, and axe finds nothing', async () => {
    const { url, addresses } = await busyApp();
    const view = await ConsolePage.open(browser, `${url}/grpc-lb#client=ECHO`, look);
    const { page } = view;
    await expect.poll(() => page.locator('#rows tr[data-address]').count()).toBe(5);
    await expect.poll(() => page.locator('#failed > li').count(), { timeout: 20_000 }).toBeGreaterThan(0);
    await expect.poll(() => page.locator('#slow > li').count(), { timeout: 20_000 }).toBeGreaterThan(0);
    await page.getByRole('button', { name: addresses[4]!, exact: true }).click();
    await page.locator('.legend summary').click();
    await page.getByLabel('Key of ring_hash').fill('session-7');
    await page.getByRole('button', { name: 'Explain', exact: true }).click();
    await expect.poll(() => page.locator('#explanation li').count()).toBeGreaterThan(0);
    await page.getByLabel('with details').check();

    expect(await view.text('#story')).toMatch(
      /^ECHO sends \d+ attempts a second to 5 endpoints by least_request\. 3 are ready, .*1 ejected.*1 taken out.* A call made now is sent at once\.$/,
    );
    expect(await page.locator('#clients button').allInnerTexts()).toHaveLength(3);
    expect(await view.text('#sources')).toMatch(/static: 5 endpoints, list of \d+ s ago/);
    expect(await view.text('#priorities')).toContain('Priority 0: 100 % of the calls.');
    expect(await view.text('#options')).toContain('pool.maxSize');
    expect(await view.text('#failed')).toMatch(
      /\/echo\.v1\.Echo\/Say\s+INTERNAL.*the database is away.*INTERNAL after/s,
    );
    expect(await view.row(addresses[0]!).innerText()).toContain('ejected by hand for 3600 s');
    const detail = page.locator('#rows tr.detail:not([hidden])');
    expect(await detail.innerText()).toMatch(/Gets the next call with a chance of .*Connection \d+: ready/s);

    expect(await view.outside()).toEqual([]);
    if (process.env.CONSOLE_SHOTS)
      await page.screenshot({
        path: `${process.env.CONSOLE_SHOTS}/${look.width}-${look.colorScheme}.png`,
        fullPage: true,
      });
    expect(await view.violations()).toEqual([]);
    expect(view.complaints).toEqual([]);
    await page.close();
  });
});

test('an endpoint that cannot be reached is so in the same words in its row, below it, and of its connection', async () => {
  const { url } = await busyApp();
  const view = await ConsolePage.open(browser, `${url}/grpc-lb#client=SESSIONS`);
  await expect.poll(() => view.row('127.0.0.1:1').innerText()).toContain('unreachable');
  await view.page.getByRole('button', { name: '127.0.0.1:1', exact: true }).click();
  const detail = view.page.locator('#rows tr.detail:not([hidden])');
  await expect
    .poll(() => detail.innerText())
    .toMatch(
      /chance of 0 %\. Unreachable: connect ECONNREFUSED 127\.0\.0\.1:1\..*Connection \d+: (?:unreachable|connecting)\s*\n/s,
    );
  await view.page.close();
});

test.skipIf(process.env.PAGE_SCREENSHOT === undefined)('its picture', async () => {
  const { url, addresses, registry, servers } = await busyApp();
  registry.restore('ECHO', addresses[1]!);
  for (const [i, server] of servers.slice(0, 4).entries()) server.slow(8 + 4 * i);
  const view = await ConsolePage.open(browser, `${url}/grpc-lb#client=ECHO`, { width: 1120, colorScheme: 'light' });
  await view.page.getByRole('button', { name: addresses[4]!, exact: true }).click();
  await expect.poll(() => view.page.locator('#failed > li').count(), { timeout: 30_000 }).toBeGreaterThan(1);
  // Until the window has filled.
  await view.page.waitForTimeout(12_000);
  await takePicture(view.page, 'console.png', 'main > .pair');
  await view.page.close();
});

/** Brings the page to the reader, or puts it in the background. */
async function show(page: Page, seen: boolean): Promise<void> {
  await page.evaluate(`
    Object.defineProperty(document, 'hidden', { value: ${!seen}, configurable: true });
    document.dispatchEvent(new Event('visibilitychange'))`);
}

test('a page in the background gives its stream back, and comes back with the reader', async () => {
  const { url } = await consoleApp({ servers: 1 });
  const view = await ConsolePage.open(browser, `${url}/grpc-lb`);
  const { page } = view;
  await page.clock.install();
  await show(page, false);
  await page.clock.runFor(59_000);
  await expect.poll(() => view.text('#connection')).toBe('live');
  await page.clock.runFor(2000);
  await expect.poll(() => view.text('#connection')).toBe('paused, because the page was hidden');
  await show(page, true);
  await expect.poll(() => view.text('#connection')).toBe('live');
  await page.close();
});

test('a page that comes back to an application that was restarted shows nothing of the old one', async () => {
  const before = await consoleApp({ servers: 1 });
  const root = { loadBalancing: { pool: { maxSize: 7 } } };
  const after = await consoleApp({ servers: 1, root, console: { calls: { always: true } } });
  const fail = async ({ servers, echo }: typeof before, details: string): Promise<void> => {
    answerBy(servers[0]!, () => {
      throw statusError('INTERNAL', details);
    });
    await firstValueFrom(echo.say({ text: 'x' }).pipe(catchError(() => of(null))));
  };
  for (let i = 0; i < 5; i++) {
    before.registry.eject('ECHO', before.addresses[0]!, 60_000);
    before.registry.restore('ECHO', before.addresses[0]!);
  }
  const view = await ConsolePage.open(browser, `${before.url}/grpc-lb`);
  const { page } = view;
  await fail(before, 'the old one fails');
  await fail(after, 'the new one fails');
  await expect.poll(() => view.text('#failed')).toContain('the old one fails');
  await expect.poll(() => view.text('#events')).toContain(before.addresses[0]!);
  await page.clock.install();
  await show(page, false);
  await page.clock.runFor(61_000);
  await page.route('**/{stream,config}?*', (route) =>
    route.continue({ url: route.request().url().replace(before.url, after.url) }),
  );
  await show(page, true);
  await expect.poll(() => view.text('#rows')).toContain(after.addresses[0]!);
  await expect.poll(() => view.text('#events')).toContain(after.addresses[0]!);
  await expect.poll(() => view.text('#failed')).toContain('the new one fails');
  await expect.poll(() => view.text('#options')).toMatch(/pool\.maxSize\s+7/);
  expect(await view.text('main')).not.toContain(before.addresses[0]!);
  expect(await view.text('#failed')).not.toContain('the old one fails');
  await page.close();
});

test('an answer for a client that is no longer shown is dropped', async () => {
  const pool = { maxSize: 7 };
  const other = { name: 'OTHER', options: echoOptions('127.0.0.1:1', { loadBalancing: { pool } }) };
  const { url } = await consoleApp({ servers: 1, more: { imports: [GrpcLbModule.forFeature([other])] } });
  const view = await ConsolePage.open(browser, `${url}/grpc-lb#client=OTHER`);
  const { page } = view;
  await expect.poll(() => view.text('#options')).toMatch(/pool\.maxSize\s+7/);
  const held: Route[] = [];
  await page.route(/(config|explain)\?client=ECHO/, (route) => void held.push(route));
  await page.locator('#clients button', { hasText: 'ECHO' }).click();
  await expect.poll(() => held.length).toBe(1);
  await page.getByRole('button', { name: 'Explain', exact: true }).click();
  await expect.poll(() => held.length).toBe(2);
  await page.locator('#clients button', { hasText: 'OTHER' }).click();
  await expect.poll(() => view.text('#client-name')).toBe('OTHER');
  for (const route of held) {
    const answered = page.waitForResponse((response) => response.request() === route.request());
    await route.continue();
    await (await answered).finished();
  }
  await page.waitForTimeout(100);
  expect(await view.text('#options')).toMatch(/pool\.maxSize\s+7/);
  expect(await view.text('#explanation')).toBe('');
  await page.close();
});

test('a part of the application has a heading, frames, and words for endpoints', async () => {
  @Controller('operations')
  class PanelController {
    @Get('panel.js')
    @Header('content-type', 'text/javascript')
    script(): string {
      return `export default function open({ element, onFrame, describe }) {
        onFrame(({ client }) => { element.textContent = client.name + ': ' + describe(client.endpoints.rows[0]).plain; });
      }`;
    }
  }
  const panels = [
    { title: 'Ours', script: '/operations/panel.js' },
    { title: 'Broken', script: '/operations/nothing.js' },
  ];
  const more = { controllers: [PanelController] };
  const { url } = await consoleApp({ servers: 1, console: { panels }, more });
  const view = await ConsolePage.open(browser, `${url}/grpc-lb`);
  await expect.poll(() => view.text('section[aria-labelledby=panel-0]')).toMatch(/^Ours\s+ECHO: gets calls$/);
  expect(await view.text('section[aria-labelledby=panel-1]')).toMatch(
    /^Broken\s+This part of the page does not work: /,
  );
  await view.page.close();
});

test('it opens within a second', async () => {
  const { url } = await busyApp();
  const page = await browser.newPage();
  const took: number[] = [];
  for (let i = 0; i < 3; i++) {
    const began = performance.now();
    await page.goto(`${url}/grpc-lb#client=ECHO`);
    await page.locator('#rows tr[data-address]').first().waitFor();
    took.push(performance.now() - began);
    await page.goto('about:blank');
  }
  expect(Math.min(...took)).toBeLessThan(1000);
  await page.close();
});

test('names of endpoints and texts of backends are never markup', async () => {
  const discovery = new ManualDiscovery();
  const name = '<img src=x onerror=pwned=1>';
  discovery.setEndpoints([{ address: { path: `/tmp/${name}` }, locality: { zone: '<script>pwned=1</script>' } }]);
  const { url } = await consoleApp({ target: discovery.target });
  const view = await ConsolePage.open(browser, `${url}/grpc-lb`);
  await expect.poll(() => view.text('#rows')).toContain(name);
  await expect.poll(() => view.text('#events')).toContain(name);
  expect(await view.page.locator('img, main script').count()).toBe(0);
  expect(await view.page.evaluate('globalThis.pwned')).toBeUndefined();
  // Not by accident: the browser would refuse.
  await expect(view.page.evaluate('document.body.innerHTML = "<b>x</b>"')).rejects.toThrow('TrustedHTML');
  await view.page.close();
});

test('by keyboard: a backend is ejected after a question, and restored', async () => {
  const { url, addresses, registry } = await consoleApp({ servers: 2, console: ACTIONS });
  mayAct = true;
  const view = await ConsolePage.open(browser, `${url}/grpc-lb`);
  const { keyboard } = view.page;
  const state = () => registry.snapshot('ECHO').endpoints[0]!.state;
  await view.row(addresses[0]!).getByRole('button').focus();
  await keyboard.press('Enter');
  await keyboard.press('Tab');
  await expect.poll(() => focused(view)).toBe(`Eject for a minute: ${addresses[0]}`);
  await keyboard.press('Enter');
  await expect.poll(() => focused(view)).toBe('Eject for a minute');
  expect(state()).toBe('ready');
  expect(await view.violations()).toEqual([]);
  await keyboard.press('Escape');
  expect(state()).toBe('ready');
  await keyboard.press('Enter');
  await keyboard.press('Enter');
  await expect.poll(state).toBe('ejected');
  await expect.poll(() => view.text('#result')).toContain(`${addresses[0]} is ejected for 60 s`);
  // The table is drawn again, and puts what has a problem first; the row that is used stays, with the focus.
  await view.page.getByRole('button', { name: `Restore: ${addresses[0]}` }).focus();
  await keyboard.press('Enter');
  await expect.poll(state).toBe('ready');
  expect(view.complaints).toEqual([]);
  await view.page.close();
});

test('a question that is asked again right after it was dismissed takes the next answer', async () => {
  const { url, addresses, registry } = await consoleApp({ servers: 2, console: ACTIONS });
  mayAct = true;
  const view = await ConsolePage.open(browser, `${url}/grpc-lb`);
  await view.row(addresses[0]!).getByRole('button').click();
  // In one turn, so that the event of the first end comes while the dialog asks again.
  await view.page.evaluate(`
    const [button] = document.querySelectorAll('#rows tr.detail:not([hidden]) button');
    button.click();
    document.getElementById('confirm').close();
    button.click();`);
  await view.page.locator('#confirm-yes').click();
  await expect.poll(() => registry.snapshot('ECHO').endpoints[0]!.state).toBe('ejected');
  await view.page.close();
});

test('the policy is changed, and the page shows who set it', async () => {
  const { url, registry } = await consoleApp({ servers: 2, console: ACTIONS });
  mayAct = true;
  const view = await ConsolePage.open(browser, `${url}/grpc-lb`);
  await view.page.getByLabel('Policy', { exact: true }).selectOption('round_robin');
  await view.page.getByRole('button', { name: 'Change the policy' }).click();
  await view.page.locator('#confirm-yes').click();
  await expect.poll(() => registry.snapshot('ECHO').loadBalancing!.policy.name).toBe('round_robin');
  await expect.poll(() => view.text('#options')).toMatch(/policy\s+round_robin\s+a change at run time/);
  await view.page.close();
});

test('whom the guard rejects is told so', async () => {
  const { url, addresses, registry } = await consoleApp({ servers: 2, console: ACTIONS });
  mayAct = false;
  const view = await ConsolePage.open(browser, `${url}/grpc-lb`);
  await view.row(addresses[0]!).getByRole('button').click();
  await view.page.getByRole('button', { name: `Drain: ${addresses[0]}` }).click();
  await view.page.locator('#confirm-yes').click();
  await expect.poll(() => view.text('#result')).toBe('You may not do this.');
  expect(registry.snapshot('ECHO').drained).toBeUndefined();
  await view.page.close();
});

test('without actions there are none', async () => {
  const { url, addresses } = await consoleApp({ servers: 1 });
  const view = await ConsolePage.open(browser, `${url}/grpc-lb`);
  await view.row(addresses[0]!).getByRole('button').click();
  expect(await view.page.getByRole('button', { name: /Eject|Drain|Recycle|policy/ }).count()).toBe(0);
  await view.page.close();
});

test('when the application ends, the page says so, and tries again with growing delays', async () => {
  const { url, app } = await consoleApp({ servers: 1 });
  const view = await ConsolePage.open(browser, `${url}/grpc-lb`);
  let attempts = 0;
  view.page.on('request', (request) => request.url().includes('/stream') && attempts++);
  await app.close();
  await expect.poll(() => view.text('#connection')).toBe('the application has ended');
  await expect.poll(() => view.text('#connection'), { timeout: 30_000 }).toMatch(/the next attempt is in \d+ s/);
  const before = attempts;
  await new Promise((resolve) => setTimeout(resolve, 3000));
  expect(attempts - before).toBeLessThanOrEqual(3);
  await view.page.close();
});

test('1000 endpoints under load stay usable: a frame costs less than 50 ms', async () => {
  const server = await startBackend({}, { host: '0.0.0.0' });
  const discovery = new ManualDiscovery();
  const endpoints = Array.from({ length: 1000 }, (_, i) => ({
    address: { host: `127.0.${(i + 1) >> 8}.${(i + 1) & 255}`, port: server.port },
  }));
  discovery.setEndpoints(endpoints);
  const { url, registry, echo } = await consoleApp({ target: discovery.target });
  const ready = () => registry.snapshot('ECHO').endpoints.filter(({ state }) => state === 'ready').length;
  await expect.poll(ready, { timeout: 60_000 }).toBe(1000);
  const load = interval(5).pipe(mergeMap(() => echo.say({ text: 'x' }).pipe(catchError(() => of(null)))));
  untilTestEnds(load.subscribe());
  const view = await ConsolePage.open(browser, `${url}/grpc-lb`);
  await view.page.getByLabel('Order').selectOption('share');
  await expect.poll(() => view.text('#page-number')).toBe('page 1 of 20, 1,000 endpoints');
  expect(await view.page.locator('#rows tr[data-address]').count()).toBe(50);
  const { cpuMs, longestMs, frames } = await costOfFrames(view, 20);
  console.log(
    `1000 endpoints: ${cpuMs.toFixed(1)} ms of CPU a frame, longest task ${longestMs.toFixed(0)} ms, ${frames} frames`,
  );
  expect(cpuMs).toBeLessThan(50);
  await view.page.getByRole('button', { name: 'Next' }).click();
  await expect.poll(() => view.text('#page-number')).toBe('page 2 of 20, 1,000 endpoints');
  await view.page.getByLabel('Filter').fill('127.0.3.2');
  await expect.poll(() => view.text('#page-number')).toMatch(/^page 1 of 1, \d+ endpoints$|^$/);
  await expect.poll(() => view.page.locator('#rows tr[data-address]').count()).toBeLessThan(50);
  expect(view.complaints).toEqual([]);
  await view.page.close();
});

/** What the main thread spends on a frame: script, style and layout, in milliseconds. */
async function costOfFrames(view: ConsolePage, frames: number) {
  const session = await view.page.context().newCDPSession(view.page);
  await session.send('Performance.enable');
  await view.page.evaluate(`
    globalThis.longest = 0;
    new PerformanceObserver((list) => {
      for (const { duration } of list.getEntries()) globalThis.longest = Math.max(globalThis.longest, duration);
    }).observe({ type: 'longtask' });
    globalThis.drawn = 0;
    new MutationObserver(() => globalThis.drawn++).observe(document.getElementById('rows'), { subtree: true, characterData: true, childList: true });`);
  const taskMs = async (): Promise<number> => {
    const { metrics } = await session.send('Performance.getMetrics');
    return metrics.find(({ name }) => name === 'TaskDuration')!.value * 1000;
  };
  const drawn = (): Promise<number> => view.page.evaluate('globalThis.drawn');
  const before = await taskMs();
  await expect.poll(drawn, { timeout: 60_000 }).toBeGreaterThanOrEqual(frames);
  const count = await drawn();
  const longestMs = await view.page.evaluate<number>('globalThis.longest');
  return { cpuMs: ((await taskMs()) - before) / count, longestMs, frames: count };
}

function focused(view: ConsolePage): Promise<string> {
  return view.page.evaluate('document.activeElement.getAttribute("aria-label") ?? document.activeElement.textContent');
}
