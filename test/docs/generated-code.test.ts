import { execFileSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { parse, stringify } from 'yaml';
import { readPage, ROOT } from './pages.js';

const { code } = readPage('docs/guide/generated-code.md');
const blocks = (name: string): string[] => code.map(({ text }) => text).filter((text) => text.startsWith(name));

const folder = mkdtempSync(join(tmpdir(), 'generated-code-'));
afterAll(() => rmSync(folder, { recursive: true }));

interface GenFile {
  readonly version: string;
  readonly plugins: readonly object[];
}

// All at once, as buf takes most of its time to start.
beforeAll(() => {
  mkdirSync(join(folder, 'protos'));
  writeFileSync(join(folder, 'protos/orders.proto'), blocks('// protos/orders.proto')[0]!);
  writeFileSync(join(folder, 'buf.yaml'), blocks('# buf.yaml')[0]!);
  const files = blocks('# buf.gen.yaml').map((text) => parse(text) as GenFile);
  expect(files).toHaveLength(4);
  writeFileSync(
    join(folder, 'buf.gen.yaml'),
    stringify({ version: 'v2', plugins: files.flatMap(({ plugins }) => plugins) }),
  );
  const bin = join(ROOT, 'node_modules/.bin');
  const env = { ...process.env, PATH: `${bin}:${process.env['PATH']}` };
  execFileSync(join(bin, 'buf'), ['generate'], { cwd: folder, env });
});

it('the commands of the page write every module that its code imports, with the names that it imports', () => {
  const imports = code
    .filter(({ language }) => language === 'ts')
    .flatMap(({ text }) => [...text.matchAll(/import (?:type )?\{ (.+) \} from '\.\/(gen\/.+)\.js'/g)]);
  expect(imports.length).toBeGreaterThan(4);
  for (const [, names, path] of imports) {
    const written = readFileSync(join(folder, `src/${path!}.ts`), 'utf8');
    for (const name of names!.split(', ')) {
      const [exported] = name.replace('type ', '').split(' as ');
      expect(written, path).toMatch(new RegExp(`^export (const|interface|type) ${exported}\\b`, 'm'));
    }
  }
});
