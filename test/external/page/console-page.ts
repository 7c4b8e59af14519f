import { fileURLToPath } from 'node:url';
import axe from 'axe-core';
import { type Browser, type Page } from 'playwright-core';
import { expect } from 'vitest';

export interface Look {
  readonly width: number;
  readonly colorScheme: 'light' | 'dark';
}

/** The four forms of the page. */
export const LOOKS: readonly Look[] = [400, 1440].flatMap((width) =>
  (['light', 'dark'] as const).map((colorScheme) => ({ width, colorScheme })),
);

/** The console in a browser, as a test sees it. */
export class ConsolePage {
  /** What a developer would see in red, and requests to other servers. */
  readonly complaints: string[] = [];

  private constructor(readonly page: Page) {
    page.on('pageerror', (error) => this.complaints.push(error.message));
    page.on('console', (message) => {
      if (message.type() === 'error' || message.type() === 'warning') this.complaints.push(message.text());
    });
  }

  static async open(
    browser: Browser,
    url: string,
    { width, colorScheme }: Look = { width: 1440, colorScheme: 'light' },
  ): Promise<ConsolePage> {
    const page = await browser.newPage({ viewport: { width, height: 900 }, colorScheme });
    page.setDefaultTimeout(10_000);
    const view = new ConsolePage(page);
    const { origin } = new URL(url);
    page.on('request', (request) => {
      if (new URL(request.url()).origin !== origin) view.complaints.push(`a request to ${request.url()}`);
    });
    await page.goto(url);
    await expect.poll(() => page.locator('#connection').textContent()).toBe('live');
    return view;
  }

  text(selector: string): Promise<string> {
    return this.page.locator(selector).innerText();
  }

  row(address: string) {
    return this.page.locator(`#rows tr[data-address="${address}"]`);
  }

  violations(): Promise<string[]> {
    return violationsOf(this.page);
  }

  /** What sticks out of the window. */
  outside(): Promise<string[]> {
    return this.page.evaluate(`
      [document.documentElement, ...document.querySelectorAll('body *')]
        .filter((node) => node.checkVisibility?.() !== false && !node.closest('.unseen, .skip, thead, .scroll'))
        .filter((node) => node.getBoundingClientRect().right > innerWidth + 0.5)
        .map((node) => node.tagName + '.' + node.getAttribute('class'))`);
  }
}

/** What axe finds, in a form that a failure shows. */
export async function violationsOf(page: Page): Promise<string[]> {
  await page.evaluate(axe.source);
  const found = await page.evaluate<{ id: string; nodes: { html: string; failureSummary: string }[] }[]>(
    'axe.run({ resultTypes: ["violations"] }).then(({ violations }) => violations)',
  );
  return found.flatMap(({ id, nodes }) => nodes.map(({ html, failureSummary }) => `${id}: ${html} ${failureSummary}`));
}

/** Takes the picture of a page down to the end of an element. */
export async function takePicture(page: Page, name: string, until: string): Promise<void> {
  const path = fileURLToPath(new URL(`../../../docs/images/${name}`, import.meta.url));
  const { y, height } = (await page.locator(until).boundingBox())!;
  const width = page.viewportSize()!.width;
  await page.screenshot({ path, fullPage: true, clip: { x: 0, y: 0, width, height: y + height + 16 } });
}
