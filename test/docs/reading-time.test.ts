import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, it, test } from 'vitest';
import { readPage, ROOT, tableOf } from './pages.js';

/** An adult reads about this many words of prose in a minute (Brysbaert 2019: 238); tables count, code does not. */
const WORDS_PER_MINUTE = 230;

const steps = tableOf(readPage('docs/README.md'), 'Read').rows.map(([what, , minutes]) => {
  const [, page] = /\]\(([^)#]+)\)/.exec(what!)!;
  const [, end] = /up to _(.+)_/.exec(what!) ?? [];
  return { page: `docs/${page}`, end, minutes: Number(minutes), words: wordsOf(`docs/${page}`, end) };
});

/** The words of a page, up to a heading. */
function wordsOf(path: string, end?: string): number {
  const text = readFileSync(join(ROOT, path), 'utf8');
  const until = end === undefined ? text.length : text.indexOf(`\n## ${end}\n`);
  if (until < 0) throw new Error(`${path} has no heading "${end}"`);
  const prose = text
    .slice(0, until)
    .replaceAll(/^ *```[^]*?^ *```$/gm, '')
    .replaceAll(/\]\([^)]*\)/g, '')
    .replaceAll(/[|]|-{3,}/g, ' ');
  return prose.split(/\s+/).filter(Boolean).length;
}

test('the guide takes less than 30 minutes', () => {
  expect(steps.length).toBeGreaterThan(4);
  const words = steps.reduce((sum, step) => sum + step.words, 0);
  expect(words / WORDS_PER_MINUTE).toBeLessThan(30);
});

it.each(steps)('$page takes as long as the index says', ({ words, minutes }) => {
  expect(Math.abs(words / WORDS_PER_MINUTE - minutes)).toBeLessThan(1.5);
});

test('code and targets of links are not read word by word', () => {
  const all = readFileSync(join(ROOT, 'docs/guide/getting-started.md'), 'utf8').split(/\s+/).length;
  expect(wordsOf('docs/guide/getting-started.md')).toBeLessThan(all * 0.7);
});
