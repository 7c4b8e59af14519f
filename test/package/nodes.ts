import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { run } from './run.js';

export interface NodeBinary {
  readonly major: number;
  /** Undefined where there is none for this machine. */
  readonly path: string | undefined;
  readonly label: string;
}

const MAJORS = [20, 22, 24, 26];

/**
 * The Node that runs this, and the other versions that the package supports, from npm. The package `node` chooses the
 * binary in an install script, which npm 11 does not run unless it is allowed; so the package of this platform, which
 * has just the binary, is asked for by its name.
 */
export async function findNodes(directory: string): Promise<NodeBinary[]> {
  const running = Number(process.versions.node.split('.')[0]);
  const found: NodeBinary[] = [{ major: running, path: process.execPath, label: `Node ${process.versions.node}` }];
  for (const major of MAJORS) if (major !== running) found.push(await install(major, join(directory, String(major))));
  return found;
}

async function install(major: number, directory: string): Promise<NodeBinary> {
  const name = `node-${process.platform === 'win32' ? 'win' : process.platform}-${process.arch}`;
  mkdirSync(directory, { recursive: true });
  writeFileSync(join(directory, 'package.json'), '{ "private": true }');
  await run('npm', ['install', '--no-audit', '--no-fund', `${name}@${major}`], directory, 120_000);
  const path = join(directory, 'node_modules', name, 'bin', 'node');
  const version = await run(path, ['--version'], directory, 10_000);
  if (version.code !== 0)
    return { major, path: undefined, label: `Node ${major} (no ${name}@${major} to be had here)` };
  return { major, path, label: `Node ${version.stdout.trim().slice(1)}` };
}
