import { describe, expect, it } from 'vitest';
import { readPage } from '../../docs/pages.js';
import { expectNoLeaks } from '../../support/run/leaks.js';
import { Stopwatch } from '../../support/time/stopwatch.js';
import { type Mistake, MISTAKES } from './mistakes.js';

expectNoLeaks();

const page = readPage('docs/guide/first-day.md');
/** The messages of the page, by mistake. */
const documented = new Map(
  page.tables.flatMap(({ header, rows }) =>
    header[1] === 'Message' ? rows.map(([title, text]) => [title!, text!]) : [],
  ),
);

describe.each([...MISTAKES])('%s', (_, mistakes) => {
  it.each(mistakes.map((mistake) => [mistake.title, mistake] as const))('%s', async (title, mistake) => {
    let seen = '';
    const milliseconds = await new Stopwatch().time(async () => (seen = await mistake.make()));
    for (const part of mistake.names) expect(seen).toContain(part);
    expect(milliseconds).toBeLessThan(1000);
    expectDocumented(title, seen);
  });
});

it('the page has these mistakes, and no other', () => {
  const titles = [...MISTAKES.values()].flat().map(({ title }: Mistake) => title);
  expect(titles.length).toBeGreaterThanOrEqual(40);
  expect([...documented.keys()]).toEqual(titles);
});

/** The page shows the message, with `...` for what is left out. */
function expectDocumented(title: string, seen: string): void {
  const text = /^`(.*)`$/.exec(documented.get(title) ?? '')?.[1];
  expect(text, `docs/guide/first-day.md on: ${title}`).toBeDefined();
  let rest = seen;
  for (const part of text!.split('...').map((each) => each.trim())) {
    expect(rest).toContain(part);
    rest = rest.slice(rest.indexOf(part) + part.length);
  }
}
