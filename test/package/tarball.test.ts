import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { publint } from 'publint';
import { formatMessage } from 'publint/utils';
import { describe, expect, inject, it } from 'vitest';
import { mustRun } from './run.js';

const ROOT = join(import.meta.dirname, '../..');
const tarball = inject('tarball');
const unpacked = inject('unpacked');
const files = readdirSync(unpacked, { recursive: true, withFileTypes: true })
  .filter((entry) => entry.isFile())
  .map((entry) => join(entry.parentPath, entry.name).slice(unpacked.length + 1))
  .toSorted();

describe('the tarball', () => {
  it('has the build, its sources and the documents, but no tests', () => {
    const names = readdirSync(join(ROOT, 'libs/grpc-lb/src'), { recursive: true, encoding: 'utf8' });
    const sources = names.filter((name) => /\.c?ts$/.test(name) && !name.endsWith('.test.ts'));
    // The page is served, and the schematic read, as they are.
    const copied = names.filter(
      (name) =>
        name.startsWith(join('console', 'page', '/')) || (name.startsWith('schematics') && name.endsWith('.json')),
    );
    // A .cts becomes a .cjs.
    const built = sources.flatMap((name) =>
      ['$1js', '$1js.map', 'd.$1ts', 'd.$1ts.map'].map((end) => `dist/${name.replace(/(c?)ts$/, end)}`),
    );
    const papers = ['CHANGELOG.md', 'LICENSE', 'README.md', 'package.json'];
    const pages = ['guide', 'discovery', 'operations', 'reference'].flatMap((folder) =>
      readdirSync(join(ROOT, 'docs', folder))
        .filter((name) => name.endsWith('.md'))
        .map((name) => `docs/${folder}/${name}`),
    );
    expect(files).toEqual(
      [
        ...papers,
        'docs/README.md',
        ...pages,
        ...built,
        ...sources.map((name) => `src/${name}`),
        ...copied.flatMap((name) => [`src/${name}`, `dist/${name}`]),
      ].toSorted(),
    );
  });

  it('has no source map that points nowhere', () => {
    const missing = files
      .filter((file) => file.endsWith('.map'))
      .flatMap((file) => {
        const { sources } = JSON.parse(readFileSync(join(unpacked, file), 'utf8')) as { sources: string[] };
        return sources.map((source) => join(dirname(file), source));
      })
      .filter((source) => !existsSync(join(unpacked, source)));
    expect(missing).toEqual([]);
  });

  it('has documents whose links and pictures are there, and that its README names', () => {
    const pages = files.filter((file) => file.startsWith('docs/'));
    const dead = pages.flatMap((page) => {
      const text = readFileSync(join(unpacked, page), 'utf8').replaceAll(/^ *```[^]*?^ *```$/gm, '');
      return [...text.matchAll(/\]\(([^)\s#]+)(?:#[^)\s]*)?\)/g)]
        .map(([, link]) => link!)
        .filter((link) => !/^[a-z]+:/.test(link) && !existsSync(join(unpacked, dirname(page), link)))
        .map((link) => `${page}: ${link}`);
    });
    expect(dead).toEqual([]);
    const named = [...readFileSync(join(unpacked, 'README.md'), 'utf8').matchAll(/`([\w/-]+\.md)`/g)].map(
      ([, name]) => name!,
    );
    expect(named.length).toBeGreaterThan(4);
    expect(named.filter((name) => !pages.includes(`docs/${name}`))).toEqual([]);
  });

  it('passes publint', async () => {
    const { messages, pkg } = await publint({ pkgDir: unpacked, pack: false, strict: true });
    expect(messages.map((message) => formatMessage(message, pkg, { color: false }))).toEqual([]);
  });

  it('has types that resolve like the code', async () => {
    // cjs-resolves-to-esm: the package is ESM only, and that is right: every Node it supports (20.19 and later) can
    // require() it, which consumers.test.ts does.
    const rules = ['--profile', 'strict', '--ignore-rules', 'cjs-resolves-to-esm'];
    await mustRun('npx', ['--no-install', 'attw', tarball, ...rules, '--no-color', '--no-emoji'], ROOT, 240_000);
  });
});
