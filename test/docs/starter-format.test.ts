import { execFileSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { afterAll, expect, it } from 'vitest';
import { readPage, ROOT } from './pages.js';

const folder = mkdtempSync(join(tmpdir(), 'format-'));
afterAll(() => rmSync(folder, { recursive: true }));

/** As the `.prettierrc` of Nest's starters; oxfmt writes what Prettier writes. */
const STARTERS_FORMAT = { singleQuote: true, trailingComma: 'all', printWidth: 80 };

it.each(['README.md', 'docs/guide/getting-started.md'])(
  'the files of %s have the format that the linter of the starter of Nest 11 wants',
  (path) => {
    const home = join(folder, path.replaceAll(/\W/g, '-'));
    const files = readPage(path).code.flatMap(({ text }) => {
      const name = /^\/\/ ([\w./-]+\.ts)$/.exec(text.split('\n', 1)[0]!)?.[1];
      return name === undefined ? [] : [[name, `${text}\n`] as const];
    });
    for (const [name, text] of files) {
      mkdirSync(dirname(join(home, name)), { recursive: true });
      writeFileSync(join(home, name), text);
    }
    writeFileSync(join(home, '.oxfmtrc.json'), JSON.stringify(STARTERS_FORMAT));
    expect(files.length).toBeGreaterThan(2);
    const oxfmt = join(ROOT, 'node_modules/.bin/oxfmt');
    expect(execFileSync(oxfmt, ['--list-different', 'src'], { cwd: home, encoding: 'utf8' })).toBe('');
  },
);
