import { cpSync, existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { inject } from 'vitest';
import { linkTree } from './link-tree.js';
import { mustRun } from './run.js';

/** The module formats of applications, and their `type` in package.json. */
export const FORMATS = [
  ['ESM', 'module'],
  ['CommonJS', 'commonjs'],
] as const;

/** The optional peers of the package, in the versions for Nest 11. */
export const PEERS_OF_NEST_11: Readonly<Record<string, string>> = {
  '@bufbuild/protobuf': '^2.0.0',
  '@grpc/grpc-js-xds': '^1.14.0',
  '@grpc/reflection': '^1.0.4',
  '@kubernetes/client-node': '^1.4.0',
  '@nestjs/config': '^4.0.0',
  '@nestjs/terminus': '^11.0.0',
  '@opentelemetry/api': '^1.9.0',
  consul: '^2.0.1',
  'grpc-health-check': '^2.1.0',
  'prom-client': '^15.0.0',
  yaml: '^2.0.0',
};

const directory = inject('directory');

/**
 * The folder of an empty Nest application with the tarball, and what else is asked for, beside its dependencies. Files
 * of tests run side by side in processes of their own, and the first that asks for a folder installs it.
 */
export async function installed(nest: string, more: Record<string, string> = {}): Promise<string> {
  const name = [nest, ...Object.entries(more).map((each) => each.join('').replaceAll(/\W/g, ''))].join('-');
  const home = join(directory, name);
  const [ended, failed] = [`${home}.installed`, `${home}.failed`];
  try {
    mkdirSync(`${home}.begun`);
  } catch {
    while (!existsSync(ended)) {
      if (existsSync(failed)) throw new Error(readFileSync(failed, 'utf8'));
      await delay(100);
    }
    return home;
  }
  try {
    await install(nest, home, more);
  } catch (error) {
    writeFileSync(failed, String(error));
    throw error;
  }
  writeFileSync(ended, '');
  return home;
}

async function install(nest: string, home: string, more: Record<string, string>): Promise<void> {
  // Unpacking takes most of the time, and most is in the same application without `more` too.
  if (Object.keys(more).length > 0) {
    const base = await installed(nest);
    cpSync(join(base, 'package.json'), join(home, 'package.json'));
    linkTree(join(base, 'node_modules'), join(home, 'node_modules'));
    cpSync(join(base, 'package-lock.json'), join(home, 'package-lock.json'));
  }
  const manifest = JSON.parse(readFileSync(join(home, 'package.json'), 'utf8')) as { dependencies: object };
  const dependencies = { ...manifest.dependencies, ...more, 'nestjs-grpc-lb': `file:${inject('tarball')}` };
  writeFileSync(join(home, 'package.json'), JSON.stringify({ ...manifest, dependencies }));
  await mustRun('npm', ['install', '--no-audit', '--no-fund'], home, 280_000);
}

/**
 * Puts a fixture below the installed packages, with what it shares with others, and compiles it with their TypeScript.
 * Returns its folder.
 */
export async function compile(
  home: string,
  fixture: string,
  type: string,
  shared: readonly string[] = [],
): Promise<string> {
  const app = place(home, fixture, type, shared);
  await mustRun(process.execPath, [join(home, 'node_modules/typescript/bin/tsc'), '-p', '.'], app, 240_000);
  return app;
}

/** The same without compiling it. */
export function place(home: string, fixture: string, type: string, shared: readonly string[] = []): string {
  const app = join(home, `${fixture}-${type}`);
  for (const part of [...shared, fixture]) cpSync(join(directory, part), app, { recursive: true });
  writeFileSync(join(app, 'package.json'), JSON.stringify({ private: true, type }));
  return app;
}
