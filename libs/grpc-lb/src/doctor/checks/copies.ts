import { readdir, readFile, realpath } from 'node:fs/promises';
import { dirname, join, relative } from 'node:path';
import type { Examination } from '../examination.js';

/** Bounds of the search: an installation has about two thousand folders of packages. */
const MAX_FOLDERS = 20_000;
const NAME = '@grpc/grpc-js';

interface Copy {
  readonly folder: string;
  readonly version: string;
}

/** Looks for several copies of grpc-js among the packages of an application. */
export async function examineCopies(exam: Examination, cwd: string): Promise<void> {
  const copies = await copiesBelow(cwd);
  const shown = copies.map(({ folder, version }) => `${relative(cwd, folder)} (${version})`);
  if (copies.length > 1) {
    const [first, ...more] = shown;
    for (const other of more)
      exam.find('grpc-js-copies', 'duplicate-grpc-js', { evidence: `${first} and ${other}: their objects differ` });
  } else if (copies.length === 0) exam.skip('grpc-js-copies', `no ${NAME} is installed in or above ${cwd}`);
  else exam.pass('grpc-js-copies', shown[0]!);
}

/** All copies that packages of this folder may load, each once. */
async function copiesBelow(cwd: string): Promise<Copy[]> {
  const copies = new Map<string, Copy>();
  const seen = new Set<string>();
  const queue = foldersAbove(cwd).map((folder) => join(folder, 'node_modules'));
  for (let next = queue.shift(); next !== undefined && seen.size < MAX_FOLDERS; next = queue.shift()) {
    const folder = await realpath(next).catch(() => undefined);
    if (folder === undefined || seen.has(folder)) continue;
    seen.add(folder);
    for (const name of await packagesIn(folder)) {
      const path = join(folder, name);
      if (name === NAME) await addCopy(copies, path);
      queue.push(join(path, 'node_modules'));
    }
  }
  return [...copies.values()];
}

function foldersAbove(cwd: string): string[] {
  const parent = dirname(cwd);
  return parent === cwd ? [cwd] : [cwd, ...foldersAbove(parent)];
}

/** As in `rxjs` and `@grpc/grpc-js`, and the folders in which pnpm keeps each version of a package. */
async function packagesIn(folder: string): Promise<string[]> {
  const names: string[] = [];
  for (const name of await namesIn(folder)) {
    if (name === '.pnpm') names.push(...(await namesIn(join(folder, name))).map((each) => join(name, each)));
    else if (name.startsWith('@')) names.push(...(await namesIn(join(folder, name))).map((each) => `${name}/${each}`));
    else if (!name.startsWith('.')) names.push(name);
  }
  return names;
}

const namesIn = (folder: string): Promise<string[]> => readdir(folder).catch(() => []);

async function addCopy(copies: Map<string, Copy>, path: string): Promise<void> {
  try {
    const folder = await realpath(path);
    const { version } = JSON.parse(await readFile(join(folder, 'package.json'), 'utf8')) as { version?: unknown };
    copies.set(folder, { folder: path, version: String(version) });
  } catch {
    // Not a package.
  }
}
