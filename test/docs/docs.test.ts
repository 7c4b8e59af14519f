import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { dirname, join, normalize } from 'node:path';
import { describe, expect, it } from 'vitest';
import { isApiPage, withPrograms } from './api/examples.js';
import { compile } from './compile-code.js';
import { type Page, readPage, readPages, ROOT, tableOf } from './pages.js';

const pages = readPages();
const byPath = new Map(pages.map((page) => [page.path, page]));

const wrong: Page = {
  ...readPage('README.md'),
  path: 'wrong.md',
  code: [
    { language: 'ts', text: '// a.ts\nexport const a = 1;' },
    { language: 'ts', text: "import { a } from './a.js';\nexport const b: string = a;" },
    { language: 'ts partial', text: 'keepalive: { keepaliveTime: 1 },' },
  ],
};

describe('code', () => {
  // One program for all, since most of the time goes into reading the types of Nest and grpc-js.
  const faults = compile([...pages, wrong].map(withPrograms));

  it.each(pages.map(({ path }) => path))('compiles: %s', (path) => {
    expect(faults.get(path) ?? []).toEqual([]);
  });

  it('that does not compile is reported with its page and line', () => {
    const complete: unknown = expect.stringMatching(/^wrong\/block-1\.ts:2 Type 'number' is not assignable/);
    const partial: unknown = expect.stringMatching(/^wrong\/block-2\.ts:\d .*'keepaliveTime' does not exist/);
    expect(faults.get(wrong.path)).toEqual([complete, partial]);
  });

  it('is marked as partial only rarely', () => {
    const languages = pages.flatMap(({ code }) => code.map(({ language }) => language));
    expect(languages.filter((language) => language === 'ts partial').length).toBeLessThanOrEqual(12);
    // Any other word after `ts` would exclude a block from the check.
    const typescript = new Set(languages.filter((language) => /^(ts|typescript)\b/.test(language)));
    expect(typescript).toEqual(new Set(['ts', 'ts partial']));
  });
});

describe('links', () => {
  const local = pages.flatMap(({ path, links }) =>
    links.filter((link) => !/^[a-z]+:/.test(link)).map((link) => [path, link] as const),
  );

  it.each(local)('in %s: %s', (from, link) => {
    const [file = '', anchor] = link.split('#');
    const path = file === '' ? from : normalize(join(dirname(from), file));
    expect(path.startsWith('..'), 'stays in the repository').toBe(false);
    expect(existsSync(join(ROOT, path)), `${path} exists`).toBe(true);
    if (anchor === undefined) return;
    expect(byPath.get(path)?.anchors ?? [], `the headings of ${path}`).toContain(anchor);
  });

  it('lead to every page of the guide, from its index and from the README', () => {
    const targets = (from: string): Set<string> =>
      new Set(byPath.get(from)!.links.map((link) => normalize(join(dirname(from), link.split('#')[0]!))));
    const all = [...byPath.keys()].filter((path) => path.startsWith('docs/') && path !== 'docs/README.md');
    const api = all.filter((path) => isApiPage(byPath.get(path)!));
    const guide = all.filter((path) => !api.includes(path));
    const [fromIndex, fromReadme] = [targets('docs/README.md'), targets('README.md')];
    expect(guide.filter((path) => !fromIndex.has(path))).toEqual([]);
    expect(guide.filter((path) => !path.includes('/decisions/') && !fromReadme.has(path))).toEqual([]);
    const fromApi = targets('docs/reference/api/README.md');
    expect(api.filter((path) => !fromApi.has(path))).toEqual([]);
  });
});

it('pages that the code refers to exist', () => {
  const files = ['libs/grpc-lb/src', 'apps', 'bench', 'chaos', 'deploy', 'test'].flatMap((folder) =>
    readdirSync(join(ROOT, folder), { recursive: true, encoding: 'utf8' })
      .filter((name) => /\.(ts|mjs|yaml)$/.test(name) && !/node_modules|dist/.test(name))
      .map((name) => join(folder, name)),
  );
  const named = files.flatMap((file) =>
    [...textOf(file).matchAll(/\bdocs\/[\w./-]+\.md\b/g)].map(([page]) => ({ file, page })),
  );
  expect(named.length).toBeGreaterThan(10);
  expect(named.filter(({ page }) => !existsSync(join(ROOT, page)))).toEqual([]);
});

const textOf = (path: string): string => readFileSync(join(ROOT, path), 'utf8');

it.each(pages.map(({ path }) => path))('%s begins with a title', (path) => {
  expect(textOf(path)).toMatch(/^# \S/);
});

it('the API reference describes every member', () => {
  const rows = pages
    .filter(isApiPage)
    .flatMap(({ path, tables }) => tables.flatMap((table) => table.rows.map((row) => ({ path, row }))));
  expect(rows.length).toBeGreaterThan(500);
  expect(rows.filter(({ row }) => row.length < 3 || row[2] === '-')).toEqual([]);
});

describe('every page opens', () => {
  const written = pages.map(({ path }) => path).filter((path) => /^docs\/(?!decisions|reference\/api)\w+\//.test(path));

  it.each(written)('with what it is for, and soon with an example: %s', (path) => {
    const text = textOf(path);
    expect(
      text
        .split('\n')
        .slice(1)
        .find((line) => line !== ''),
    ).toMatch(/^(?!```)[^|#!<]{20,}/);
    const sections = text.split(/^## /m);
    const example = sections.findIndex((section) => /^ *```(ts|sh|js|json|yaml)/m.test(section));
    expect(example, 'headings before the first example').toBeLessThanOrEqual(2);
  });
});

describe('the first screen of the README', () => {
  const full = byPath.get('README.md')!;
  const sample = full.code.find(({ text }) => text.startsWith('phase '))!.text;
  const balanced = sample
    .split('\n')
    .find((line) => line.startsWith('balanced'))!
    .trim()
    .split(/ {2,}/);
  const before = sample
    .split('\n')
    .find((line) => line.startsWith('nest-default'))!
    .trim()
    .split(/ {2,}/);

  it('has problem, picture, code and figures within 200 words', () => {
    const [screen] = textOf('README.md').split('\n## ', 1);
    expect(screen).toMatch(/\*\*Why\.\*\*[^]*!\[[^]*```ts[^]*p99 ms/);
    const words = screen!.replaceAll(/```[^]*?```|\]\(.*?\)/g, '').split(/\s+/);
    expect(words.length).toBeLessThanOrEqual(200);
  });

  it('has the figures of the demo, in its picture too', () => {
    expect(byPath.get('docs/guide/demo.md')!.code.map(({ text }) => text)).toContain(sample);
    const picture = [...textOf('docs/images/before-after.svg').matchAll(/<text[^>]*>([^<]*)</g)].map(
      ([, text]) => text,
    );
    for (const [p99, share] of [before.slice(-2), balanced.slice(-2)]) {
      expect(picture).toEqual(expect.arrayContaining([`p99 ${p99} ms`, share]));
    }
  });
});

// A row after an empty line is text with bars in it.
it.each(pages.map(({ path }) => path))('every row of %s belongs to a table', (path) => {
  const lines = textOf(path).split('\n');
  const first = lines.flatMap((line, i) => (line.startsWith('|') && !lines[i - 1]?.startsWith('|') ? [i] : []));
  expect(first.filter((i) => lines[i + 1]?.startsWith('| -') !== true).map((i) => lines[i])).toEqual([]);
});

describe('the README of the package', () => {
  const [short, full] = [byPath.get('libs/grpc-lb/README.md')!, byPath.get('README.md')!];

  it('has no code or table that is not in the README of the repository, but for the lists of imports and documents', () => {
    expect(full.code).toEqual(expect.arrayContaining([...short.code]));
    const alone = short.tables.filter(({ header }) => !['Import', 'To'].includes(header[0]!));
    expect(full.tables).toEqual(expect.arrayContaining(alone));
  });

  it('starts with the same words', () => {
    const opening = ({ path }: Page): string => textOf(path).split('\n').slice(0, 5).join('\n');
    expect(opening(short)).toBe(opening(full));
  });

  it('names every entry of the package', () => {
    const { exports } = JSON.parse(textOf('libs/grpc-lb/package.json')) as { exports: object };
    const named = tableOf(short, 'Import').rows.flat().join(' ');
    const entries = Object.keys(exports).filter((entry) => /^\.\/[a-z]+$/.test(entry));
    expect(entries.length).toBeGreaterThan(10);
    expect(entries.filter((entry) => !new RegExp(`/${entry.slice(2)}\``).test(named))).toEqual([]);
  });

  it('has no relative link, since package registries could not resolve it', () => {
    expect(short.links).toEqual([]);
  });

  it('has the versions that package.json requires', () => {
    const { engines, peerDependencies } = JSON.parse(textOf('libs/grpc-lb/package.json')) as {
      engines: { node: string };
      peerDependencies: Record<string, string>;
    };
    const said = new Map(tableOf(full, 'What').rows.map(([what, which]) => [what!.replaceAll('`', ''), which!]));
    const lowest = (name: string): string => peerDependencies[name]!.split(' ')[0]!.replace('^', '');
    const majors = peerDependencies['@nestjs/core']!.split(' || ').map((range) => /\d+/.exec(range)![0]);
    expect(said.get('Node')).toContain(engines.node.replace('>=', ''));
    expect(said.get('NestJS')).toBe(majors.join(' and '));
    expect(said.get('RxJS')).toContain(lowest('rxjs'));
    for (const name of Object.keys(peerDependencies).filter(
      (each) => !/^(@nestjs\/(core|common|microservices)|rxjs)$/.test(each),
    ))
      expect(said.get(name), name).toContain(lowest(name).replace(/(\.0)+$/, ''));
  });
});
