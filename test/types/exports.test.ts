import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { beforeAll, describe, expect, it } from 'vitest';
import { exportsOf } from '../docs/api/examples.js';
import { ROOT } from '../docs/pages.js';
import { type Entry, readEntries } from './entries.js';

interface Manifest {
  readonly name: string;
  readonly exports: Readonly<Record<string, string | { readonly types: string }>>;
}

const { name, exports } = JSON.parse(readFileSync(join(ROOT, 'libs/grpc-lb/package.json'), 'utf8')) as Manifest;
const paths = Object.fromEntries(
  Object.entries(exports).flatMap(([key, value]) =>
    typeof value === 'string'
      ? []
      : [[key.replace('.', name), value.types.replace('./dist/', '').replace(/\.d\.ts$/, '.ts')]],
  ),
);

/** These extend the main entry, or take its options, so their users have the types that it exports. */
const ON_MAIN: ReadonlySet<string> = new Set(
  ['config', 'console', 'doctor', 'microservices', 'opentelemetry', 'prometheus', 'terminus', 'testing'].map(
    (path) => `${name}/${path}`,
  ),
);

describe('of the entry', () => {
  let entries = new Map<string, Entry>();
  beforeAll(() => {
    entries = new Map(readEntries(paths).map((entry) => [entry.name, entry]));
  });

  it.each(Object.keys(paths))('%s every type that an exported type reaches is exported too', (key) => {
    const { unexported } = entries.get(key)!;
    const main = ON_MAIN.has(key) ? entries.get(name)!.exported : new Set<string>();
    expect(unexported.filter((each) => !main.has(each))).toEqual([]);
  });

  it.each(Object.keys(paths))('%s every export, and every member of one, has a doc comment', (key) => {
    expect(entries.get(key)!.undocumented).toEqual([]);
  });

  // `npm run docs:api -- --check` compares the pages as a whole; this finds most stale ones without typedoc.
  it.each(Object.keys(paths))(
    '%s every export is on its page of the API reference, which `npm run docs:api` writes',
    (key) => {
      const page = key === name ? 'main' : key.slice(name.length + 1);
      const exported = new Set(entries.get(key)!.names);
      expect(new Set(exportsOf(`docs/reference/api/${page}.md`))).toEqual(exported);
    },
  );
});
