import { fileURLToPath } from 'node:url';
import { type Browser, chromium, type Locator, type Page } from 'playwright-core';

const IN_PAGE = fileURLToPath(new URL('in-page.js', import.meta.url));

const FLAGS = [
  '--headless',
  '--no-sandbox',
  '--disable-gpu',
  '--no-first-run',
  '--disable-background-networking',
  '--disable-component-update',
  '--disable-sync',
];

export function launchBrowser(): Promise<Browser> {
  return chromium.launch({ executablePath: process.env.CHROMIUM ?? '/usr/bin/chromium', args: FLAGS });
}

/** One row of the table, as numbers. */
export interface Row {
  readonly address: string;
  readonly share: number;
  readonly state: string;
  readonly note: string;
}

/** The page as a test sees it: what it shows, and conditions to wait for. */
export class LivePage {
  /** What a developer would see in red. */
  readonly complaints: string[] = [];

  private constructor(readonly page: Page) {
    page.on('pageerror', (error) => this.complaints.push(error.message));
    page.on('console', (message) => {
      if (message.type() === 'error' || message.type() === 'warning') this.complaints.push(message.text());
    });
  }

  static async open(browser: Browser, url: string, colorScheme: 'light' | 'dark' = 'light'): Promise<LivePage> {
    const page = await browser.newPage({ viewport: { width: 1120, height: 900 }, colorScheme });
    await page.addInitScript({ path: IN_PAGE });
    const live = new LivePage(page);
    await page.goto(url);
    return live;
  }

  rows(): Promise<Row[]> {
    return this.page.evaluate('seen.rows()');
  }

  async addressOf(index: number): Promise<string> {
    return (await this.rows())[index]?.address ?? '';
  }

  outside(): Promise<string[]> {
    return this.page.evaluate('seen.outside()');
  }

  /** How many seconds the curve shows. */
  seconds(): Promise<number> {
    return this.page.evaluate('seen.seconds()');
  }

  /** Waits until the rows are as wanted, and says what they were if they never are. */
  async until(what: string, wanted: (rows: readonly Row[]) => boolean, timeoutMs = 30_000): Promise<readonly Row[]> {
    const deadline = performance.now() + timeoutMs;
    for (;;) {
      const rows = await this.rows();
      if (wanted(rows)) return rows;
      if (performance.now() > deadline)
        throw new Error(`Not in ${timeoutMs} ms: ${what}\n${JSON.stringify(rows, null, 2)}`);
      await this.nextFrame();
    }
  }

  /** Until one row is as wanted. */
  async untilRow(address: string, what: string, wanted: (row: Row) => boolean): Promise<Row> {
    const rows = await this.until(`${address} ${what}`, (all) =>
      all.some((row) => row.address === address && wanted(row)),
    );
    return rows.find((row) => row.address === address) as Row;
  }

  button(name: string, address: string): Locator {
    return this.page.getByRole('button', { name: `${name}: ${address}`, exact: true });
  }

  /** What the page says about the last click. */
  verdict(): Promise<string | null> {
    return this.page.locator('#verdict').textContent();
  }

  /** The page draws four times a second, and until then nothing can have changed. */
  private async nextFrame(): Promise<void> {
    await this.page.waitForTimeout(250);
  }
}
