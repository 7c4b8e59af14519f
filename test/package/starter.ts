import { cpSync, mkdirSync, readFileSync, symlinkSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { inject } from 'vitest';
import { quoted, readPage, tableOf } from '../docs/pages.js';
import { mustRun } from './run.js';

export const GUIDE = 'docs/guide/getting-started.md';

/** A major version of Nest, with what the guide says of its starter. */
export interface Starter {
  readonly major: number;
  readonly isEsm: boolean;
}

export const STARTERS: readonly Starter[] = [
  { major: 12, isEsm: true },
  { major: 11, isEsm: false },
];

/** What the starters bring and these tests do not need. */
const UNUSED = /eslint|oxlint|prettier|coverage|globals|source-map|mau/;

/** How an application is built and started, as the guide's table of compilers says. */
export interface Toolchain {
  readonly name: string;
  readonly install: readonly string[];
  readonly build: string;
  readonly run: string;
}

/** A row of the table, `esbuild, after nest build`, is told by its first word. */
export function toolchains({ isEsm }: Starter): Toolchain[] {
  const { rows } = tableOf(readPage(GUIDE), 'Compiler');
  const all = rows.map(([compiler, install, build, start]): Toolchain => {
    const [name] = compiler!.split(',');
    const [command, format] = quoted(build!);
    const whole = isEsm && format !== undefined ? `${command} ${format}` : command!;
    return {
      name: name!,
      install: quoted(install!),
      build: name === 'esbuild' ? `npx nest build && ${whole}` : whole,
      run: quoted(start!)[0]!,
    };
  });
  const excluded = isEsm ? 'webpack' : 'rspack';
  return all.filter(({ name }) => name !== excluded);
}

/** The lines of a command block of the guide that are for this version. */
function commandFor({ major }: Starter, pattern: RegExp): string {
  const lines = readPage(GUIDE).code.flatMap(({ text }) => text.split('\n'));
  const found = lines.find((line) => pattern.test(line) && new RegExp(`# (or )?Nest ${major}$`).test(line));
  if (found === undefined) throw new Error(`the guide has no line for Nest ${major} that matches ${pattern}`);
  return found.replace(/\s+#.*$/, '');
}

/** The packages that the guide installs, as in `@nestjs/microservices@11`, with the packed library. */
export function installLine(starter: Starter): string {
  return commandFor(starter, /^npm install \.\.\//).replace(/\.\.\/\S+\.tgz/, inject('tarball'));
}

/**
 * An application from Nest's starter by the guide's commands, with what each toolchain needs. Linters and formatters of
 * the starter are left out, and everything is installed at once, because that takes half the time.
 */
export async function makeStarter(starter: Starter): Promise<string> {
  const parent = join(inject('directory'), `first-steps-${starter.major}`);
  mkdirSync(parent, { recursive: true });
  const create = commandFor(starter, /@nestjs\/cli.* new orders/);
  await mustRun('sh', ['-c', `${create} --skip-git --skip-install`], parent, 280_000);
  const home = join(parent, 'orders');
  const manifest = JSON.parse(readFileSync(join(home, 'package.json'), 'utf8')) as {
    devDependencies: Record<string, string>;
  };
  for (const name of Object.keys(manifest.devDependencies))
    if (UNUSED.test(name)) delete manifest.devDependencies[name];
  writeFileSync(join(home, 'package.json'), JSON.stringify(manifest, undefined, 2));
  const tools = toolchains(starter).flatMap(({ install }) => install.map((each) => each.split('--save-dev ')[1]!));
  await mustRun('sh', ['-c', `${installLine(starter)} ${tools.join(' ')} --no-audit --no-fund`], home, 500_000);
  return home;
}

/** A copy of the application that has its packages and the files, in the form of its module format. */
export function copyStarter(home: string, name: string, starter: Starter, files: ReadonlyMap<string, string>): string {
  const copy = join(home, '..', name);
  cpSync(home, copy, { recursive: true, filter: (source) => !/\/(node_modules|dist)$/.test(source) });
  symlinkSync(join(home, 'node_modules'), join(copy, 'node_modules'));
  for (const [file, text] of files) {
    mkdirSync(dirname(join(copy, file)), { recursive: true });
    writeFileSync(join(copy, file), starter.isEsm ? text : withoutExtensions(text));
  }
  return copy;
}

/** "In CommonJS, write relative imports without `.js`." */
export function withoutExtensions(text: string): string {
  return text.replaceAll(/(from '\.[^']*)\.js'/g, "$1'");
}

/** The blocks of a page with a file name in their first line, with other ports. */
export function filesOfPage(path: string, ports: ReadonlyMap<string, number> = new Map()): Map<string, string> {
  const files = new Map<string, string>();
  for (const { text } of readPage(path).code) {
    const name = /^\/\/ ([\w./-]+)$/.exec(text.split('\n', 1)[0]!)?.[1];
    if (name === undefined) continue;
    files.set(
      name,
      [...ports].reduce((all, [port, free]) => all.replaceAll(port, String(free)), text),
    );
  }
  return files;
}
