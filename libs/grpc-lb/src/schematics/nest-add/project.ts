import { posix } from 'node:path';
import type { Tree } from './devkit.js';
import { Refusal } from './refusal.js';

export interface Manifest {
  readonly type?: string;
  dependencies?: Record<string, string>;
  readonly devDependencies?: Readonly<Record<string, string>>;
}

interface CompilerOptions {
  readonly webpack?: boolean;
  readonly builder?: string | { readonly type?: string };
}

/** nest-cli.json, of a project with one application or of a monorepo. */
interface NestCli {
  readonly sourceRoot?: string;
  readonly entryFile?: string;
  readonly compilerOptions?: CompilerOptions;
  readonly projects?: Readonly<
    Record<string, { root?: string; sourceRoot?: string; entryFile?: string; compilerOptions?: CompilerOptions }>
  >;
}

export interface Project {
  /** Folder of the sources: `src`, or `apps/api/src`; `.` if they are in the root folder. */
  readonly sourceRoot: string;
  /** The name in nest-cli.json, of a project of a monorepo. */
  readonly name: string | undefined;
  /** File that starts the application. */
  readonly entryFile: string;
  /** Whether the build makes one file of the application, so that compiled files are not where their sources are. */
  readonly isBundled: boolean;
  /** Whether Node loads its code as ES modules. */
  readonly isEsm: boolean;
  readonly nestMajor: number;
}

const SUPPORTED: ReadonlySet<number> = new Set([11, 12]);

/**
 * Finds the application that gets the client.
 *
 * @throws {@link Refusal} if there is none, or one of another language or an unsupported version of Nest.
 */
export function findProject(
  tree: Tree,
  asked: { readonly project: string | undefined; readonly sourceRoot: string | undefined },
): Project {
  const manifest = readManifest(tree);
  const range = { ...manifest.devDependencies, ...manifest.dependencies }['@nestjs/core'];
  if (range === undefined)
    throw new Refusal('package.json does not have @nestjs/core: run this in the root folder of a Nest application.');
  const nestMajor = Number(/\d+/.exec(range)?.[0]);
  if (!SUPPORTED.has(nestMajor))
    throw new Refusal(
      `nestjs-grpc-lb needs NestJS 11 or 12, and package.json has @nestjs/core "${range}": upgrade, or name a version.`,
    );
  const cli = readJson<NestCli>(tree, 'nest-cli.json') ?? {};
  const name = asked.project ?? nameOf(cli, asked.sourceRoot);
  const found = name === undefined ? undefined : cli.projects?.[name];
  if (asked.project !== undefined && !found) {
    const names = Object.keys(cli.projects ?? {}).join(', ');
    throw new Refusal(
      `nest-cli.json has no project "${asked.project}"${names === '' ? ': leave --project out.' : `. It has: ${names}.`}`,
    );
  }
  const sourceRoot = folderOf(
    found?.sourceRoot ?? (found?.root ? `${found.root}/src` : (asked.sourceRoot ?? cli.sourceRoot ?? 'src')),
  );
  if (sourceRoot.startsWith('..') || sourceRoot.startsWith('/'))
    throw new Refusal(`The folder of the sources, "${sourceRoot}", is outside of the project.`);
  const entryFile = posix.join(sourceRoot, found?.entryFile ?? cli.entryFile ?? 'main');
  return {
    sourceRoot,
    name: found && name,
    entryFile: entryFile.endsWith('.ts') ? entryFile : `${entryFile}.ts`,
    isBundled: isBundler(found?.compilerOptions) ?? isBundler(cli.compilerOptions) ?? false,
    isEsm: isEsm(tree, sourceRoot),
    nestMajor,
  };
}

export function readManifest(tree: Tree): Manifest {
  const manifest = readJson<Manifest>(tree, 'package.json');
  if (!manifest) throw new Refusal('There is no package.json here: run this in the root folder of a Nest application.');
  return manifest;
}

/** The file, or undefined without it. */
export function readJson<T>(tree: Tree, path: string): T | undefined {
  if (!tree.exists(path)) return undefined;
  try {
    return JSON.parse(tree.readText(path)) as T;
  } catch (error) {
    throw new Refusal(`${path} is not JSON: ${(error as Error).message}. Comments must go first.`);
  }
}

/** Writes a file of JSON again, with the indentation that it has. */
export function writeJson(tree: Tree, path: string, value: object): void {
  const indent = /^[ \t]+/m.exec(tree.readText(path))?.[0] ?? '  ';
  tree.overwrite(path, `${JSON.stringify(value, undefined, indent)}\n`);
}

/** Without `./` at the beginning and `/` at the end. */
function folderOf(path: string): string {
  const folder = posix.normalize(path);
  return folder.length > 1 && folder.endsWith('/') ? folder.slice(0, -1) : folder;
}

/** Where a file is from the sources; undefined if it is elsewhere. */
export function inSources({ sourceRoot }: Project, path: string): string | undefined {
  const within = posix.relative(sourceRoot, path);
  return within.startsWith('..') ? undefined : within;
}

function nameOf({ projects = {} }: NestCli, sourceRoot: string | undefined): string | undefined {
  return Object.keys(projects).find((name) => projects[name]!.sourceRoot === sourceRoot);
}

/** Undefined if the options do not name a builder. */
function isBundler({ builder, webpack }: CompilerOptions = {}): boolean | undefined {
  const name = typeof builder === 'object' ? builder.type : builder;
  return name === undefined ? webpack : ['rspack', 'webpack'].includes(name);
}

/** By the nearest package.json, as Node decides. */
function isEsm(tree: Tree, folder: string): boolean {
  for (let at = folder; ; at = posix.dirname(at)) {
    const manifest = readJson<Manifest>(tree, posix.join(at, 'package.json'));
    if (manifest) return manifest.type === 'module';
    if (at === '.') return false;
  }
}
