import { mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { Application } from 'typedoc';
import { useLayout } from './layout.mjs';

// Writes docs/reference/api from the doc comments; with --check compares, and says which pages differ.

const ROOT = fileURLToPath(new URL('../../../', import.meta.url));
const PACKAGE = join(ROOT, 'libs/grpc-lb');
const PAGES = join(ROOT, 'docs/reference/api');

/** The source of each entry of the package. */
function readEntries() {
  const { name, exports } = JSON.parse(readFileSync(join(PACKAGE, 'package.json'), 'utf8'));
  const entries = Object.entries(exports).flatMap(([path, { types }]) =>
    types === undefined ? [] : [[path, join(PACKAGE, types.replace('./dist', 'src').replace('.d.ts', '.ts'))]],
  );
  // What several entries export is described with the first.
  const order = (path) => ['.', './server', './grpc'].indexOf(path) >>> 0;
  return { name, entries: new Map(entries.toSorted(([a], [b]) => order(a) - order(b))) };
}

/** True unless typedoc has a warning. */
async function write(out) {
  const { name, entries } = readEntries();
  const app = await Application.bootstrapWithPlugins({
    name,
    plugin: ['typedoc-plugin-markdown'],
    tsconfig: join(PACKAGE, 'tsconfig.build.json'),
    entryPoints: [...entries.values()],
    out,
    readme: 'none',
    githubPages: false,
    disableGit: true,
    disableSources: true,
    excludeExternals: true,
    excludeInternal: true,
    excludePrivate: true,
    outputFileStrategy: 'modules',
    hideBreadcrumbs: true,
    hidePageHeader: true,
    classPropertiesFormat: 'table',
    interfacePropertiesFormat: 'table',
    typeAliasPropertiesFormat: 'table',
    propertyMembersFormat: 'table',
    typeDeclarationFormat: 'table',
    tableColumnSettings: { hideDefaults: true, hideInherited: true, hideModifiers: true, hideOverrides: true },
    sort: ['source-order'],
    treatWarningsAsErrors: true,
    treatValidationWarningsAsErrors: true,
    logLevel: 'Warn',
  });
  useLayout(app, name, entries);
  const project = await app.convert();
  if (!project) return false;
  app.validate(project);
  await app.generateOutputs(project);
  return !app.logger.hasErrors() && !app.logger.hasWarnings();
}

function read(folder) {
  const names = readdirSync(folder, { recursive: true }).filter((name) => name.endsWith('.md'));
  return new Map(names.map((name) => [name, readFileSync(join(folder, name), 'utf8')]));
}

async function check() {
  const folder = mkdtempSync(join(tmpdir(), 'api-'));
  try {
    const isClean = await write(folder);
    const [made, committed] = [read(folder), read(PAGES)];
    const names = new Set([...made.keys(), ...committed.keys()]);
    const stale = [...names].filter((name) => made.get(name) !== committed.get(name));
    for (const name of stale) console.error(`docs/reference/api/${name} is not what the doc comments say`);
    if (stale.length > 0) console.error('npm run docs:api writes it');
    return isClean && stale.length === 0;
  } finally {
    rmSync(folder, { recursive: true });
  }
}

const isDone = process.argv.includes('--check') ? await check() : await write(PAGES);
process.exitCode = isDone ? 0 : 1;
