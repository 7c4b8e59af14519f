import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join, normalize } from 'node:path';
import { describe, expect, it } from 'vitest';
import { readPage, ROOT } from './pages.js';

interface Manifest {
  readonly version: string;
  readonly dependencies: Readonly<Record<string, string>>;
  readonly devDependencies: Readonly<Record<string, string>>;
  readonly peerDependencies: Readonly<Record<string, string>>;
}

const manifestOf = (folder: string): Manifest =>
  JSON.parse(readFileSync(join(ROOT, folder, 'package.json'), 'utf8')) as Manifest;

const library = manifestOf('libs/grpc-lb');
const folders = readdirSync(join(ROOT, 'examples'), { withFileTypes: true })
  .filter((entry) => entry.isDirectory())
  .map(({ name }) => `examples/${name}`);

// That they run is tested in test/package/examples.test.ts.
describe.each(folders)('%s', (folder) => {
  const page = readPage(`${folder}/README.md`);

  it('has a README whose links and files exist, and that begins with how to start it', () => {
    const files = page.tables
      .filter(({ header }) => header[0] === 'File')
      .flatMap(({ rows }) => rows.map(([file]) => file!.replaceAll('`', '')));
    expect(files.length).toBeGreaterThan(2);
    for (const path of [...page.links, ...files])
      expect(existsSync(join(ROOT, normalize(join(folder, path.split('#')[0]!)))), path).toBe(true);
    expect(page.code[0]).toEqual({ language: 'sh', text: 'npm start' });
  });

  it('is in the index of the documents', () => {
    expect(readPage('docs/README.md').links).toContain(`../${folder}/README.md`);
  });

  it('needs this version, and versions of other packages that this one supports', () => {
    const { dependencies } = manifestOf(folder);
    expect(dependencies['nestjs-grpc-lb']).toBe(`^${library.version}`);
    for (const [name, range] of Object.entries(dependencies)) {
      expect((library.peerDependencies[name] ?? range).split(' || '), name).toContain(range);
    }
  });
});
