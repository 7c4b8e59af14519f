import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it, test } from 'vitest';
import { isApiPage } from './api/examples.js';
import { COMMANDS, commandsOf, ruleOf } from './commands.js';
import { readPages, ROOT } from './pages.js';

/** Commands of the documents: each is run by a test, or stands in the list of those that none can run. */

const pages = readPages().filter((page) => !isApiPage(page));
const COMMAND =
  /^(npm (ci|test|run|install|pack|ls|dedupe)\b|npx (vitest|nestjs-grpc-lb|nest)\b|curl -|kubectl [a-z-]|promtool |GRPC_LB_\w+=[^.])/;
const inline = pages.flatMap(({ path }) =>
  [...readFileSync(join(ROOT, path), 'utf8').matchAll(/(?<!`)`([^`\n]+)`(?!`)/g)]
    .map(([, text]) => [path, text!] as const)
    .filter(([, text]) => COMMAND.test(text) && !/…|\.\.\.$/.test(text)),
);
const blocks = pages.flatMap(({ path, code }) =>
  code
    .filter(({ language }) => language === 'sh')
    .flatMap(({ text }) => commandsOf(text).map((line) => [path, line] as const)),
);
const all = [...blocks, ...inline.flatMap(([path, text]) => commandsOf(text).map((line) => [path, line] as const))];

it('finds commands', () => {
  expect(blocks.length).toBeGreaterThan(80);
  expect(inline.length).toBeGreaterThan(50);
});

describe('every command is known, and its words are', () => {
  it.each(all)('in %s: %s', (path, line) => {
    // A record of a decision shows the commands of its day.
    if (path.startsWith('docs/decisions/') || path === 'CHANGELOG.md') return;
    expect(ruleOf(line), 'a rule in commands.ts').toBeDefined();
  });
});

describe('a package of Nest is installed in the version of the application', () => {
  const withNest = pages
    .flatMap(({ path, code }) => code.map(({ text }) => [path, text] as const))
    .filter(([, text]) => /^npm install .*@nestjs\//m.test(text));

  it.each(withNest)('in %s', (_, text) => {
    const lines = text.split('\n').filter((line) => line.includes('@nestjs/'));
    for (const name of new Set(text.match(/@nestjs\/[a-z]+/g))) {
      expect(lines.filter((line) => line.includes(name) && line.endsWith('# Nest 12'))).toHaveLength(1);
      const before = lines.filter((line) => line.endsWith('# Nest 11'));
      expect(before.filter((line) => new RegExp(`${name}@\\d+ `).test(line))).toHaveLength(1);
    }
  });

  it('is checked on the pages that show it', () => {
    const paths = withNest.map(([path]) => path);
    expect(paths).toEqual(expect.arrayContaining(['README.md', 'docs/operations/terminus.md']));
  });
});

test('every rule is of some command, and names a test that exists', () => {
  const used = new Set(all.map(([, line]) => COMMANDS.find(({ command }) => command.test(line))));
  expect(COMMANDS.filter((rule) => !used.has(rule)).map(({ command }) => command)).toEqual([]);
  const files = COMMANDS.map(({ runBy }) => runBy.split(' ')[0]!).filter((word) => /^(test|deploy|\.ci)\//.test(word));
  expect(files.filter((file) => !existsSync(join(ROOT, file)))).toEqual([]);
});

test('shell without a language is not shell', () => {
  const unmarked = pages.flatMap(({ path, code }) =>
    code
      .filter(({ language, text }) => language === '' && /^(npm|npx|kubectl|docker|curl|node) /.test(text))
      .map(() => path),
  );
  expect(unmarked).toEqual([]);
});

test.each([
  ['npm run nope', '.ci/run does not run nope'],
  ['npm install left-pad', 'neither a peer'],
  ['npx nestjs-grpc-lb doctor dns:///a:1 --concurency 5', 'concurency'],
  ['npm run sim -- --scenarios nope', 'nope'],
  ['nest add nestjs-grpc-lb --prot=a.proto', 'no option prot'],
  ['npm run bench tails', 'no part tails'],
  ['npm run chaos -- --onyl kill', 'no option --onyl'],
  ['npx vitest run test/none.test.ts', 'does not exist'],
  ['GRPC_LB_ORDERS_POLICI=adaptive', 'GRPC_LB_ORDERS_POLICI'],
  [`promtool query instant $PROM 'grpc_lb_panik == 1'`, 'grpc_lb_panik'],
  ['npm run demo -- --sekonds 3', 'sekonds'],
])('a wrong one is detected: %s', (line, fault) => {
  let found = '';
  try {
    found = ruleOf(line) ? '' : 'a rule is missing';
  } catch (error) {
    found = (error as Error).message;
  }
  expect(found).toContain(fault);
});
