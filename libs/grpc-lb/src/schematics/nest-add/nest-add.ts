import { posix } from 'node:path';
import { copyProtoFile } from './assets.js';
import { clientFile } from './client-file.js';
import { type Contract, readContract, sampleContract, sampleProto } from './contract.js';
import { addDependencies } from './dependencies.js';
import { type Context, INSTALL, type Rule, type Tree } from './devkit.js';
import { dryRun } from './dry-run.js';
import { addToModule } from './module-edit.js';
import { namesOf } from './names.js';
import { findProject, inSources, type Project } from './project.js';
import { Refusal } from './refusal.js';
import { findRootModule } from './root-module.js';
import { checkTarget, registrationFor } from './target.js';
import { findTypeScript } from './typescript.js';

/** Options of `nest add nestjs-grpc-lb`; schema.json documents each. */
export interface NestAddOptions {
  readonly name?: string;
  readonly target?: string;
  readonly proto?: string;
  readonly service?: string;
  readonly module?: string;
  readonly project?: string;
  readonly sourceRoot?: string;
  readonly skipInstall?: boolean;
  /** `-d`, `-p` and `-s` of the Nest command-line tool, which passes them as they are. */
  readonly d?: boolean;
  readonly p?: string;
  readonly s?: boolean;
}

/** `nest add nestjs-grpc-lb`: writes a client, and imports it in the root module. Changes nothing the second time. */
export const nestAdd = (options: NestAddOptions): Rule => {
  const change: Rule = (tree, context) => {
    const project = findProject(tree, { project: options.project ?? options.p, sourceRoot: options.sourceRoot });
    const { name, path, isNew } = addClient(tree, context, project, options);
    const modulePath = addToRootModule(tree, project, options, name, path);
    const hasNewDependencies = addDependencies(tree, project.nestMajor);
    if (hasNewDependencies && !options.skipInstall && !options.s) context.addTask(INSTALL);
    context.logger.info(
      `${isNew ? `${path} has the client` : `${path} was there, and stays as it is`}; ${modulePath} imports it. Inject ${name} where you need it.`,
    );
  };
  return options.d ? (tree, context) => dryRun(tree, context, change) : change;
};

interface AddedClient {
  /** The class. */
  readonly name: string;
  readonly path: string;
  readonly isNew: boolean;
}

function addClient(tree: Tree, context: Context, project: Project, options: NestAddOptions): AddedClient {
  const given = options.proto === undefined ? undefined : readProto(tree, options.proto, options.service);
  const names = namesOf(options.name ?? given?.contract.service ?? 'orders');
  const name = `${names.pascal}Client`;
  const path = posix.join(project.sourceRoot, `${names.kebab}.client.ts`);
  if (tree.exists(path)) {
    if (new RegExp(`export class ${name}\\b`).test(tree.readText(path))) return { name, path, isNew: false };
    throw new Refusal(`${path} exists, and has no class ${name}: choose another --name.`);
  }
  // The folder of a bundle is as deep as that of its sources, so that it finds a folder beside both from there.
  const folder = project.isBundled ? 'proto' : project.sourceRoot;
  const proto = given?.path ?? posix.join(folder, `${names.kebab}.proto`);
  if (!given) {
    if (tree.exists(proto)) throw new Refusal(`${proto} exists: run this with --proto=${proto}, or another --name.`);
    tree.create(proto, sampleProto(names));
  }
  const source = inSources(project, proto);
  if (source !== undefined) copyProtoFile(tree, context, project, source);
  const target = options.target ?? `dns:///${names.kebab}:50051`;
  checkTarget(target);
  const registration = registrationFor(target);
  if (registration !== undefined) context.logger.warn(registration);
  const file = clientFile({
    names,
    contract: given?.contract ?? sampleContract(names),
    target,
    proto: posix.relative(project.sourceRoot, proto),
    isEsm: project.isEsm,
  });
  tree.create(path, file);
  return { name, path, isNew: true };
}

function readProto(tree: Tree, asked: string, service: string | undefined): { path: string; contract: Contract } {
  const path = posix.normalize(asked);
  if (path.startsWith('..') || path.startsWith('/') || !tree.exists(path))
    throw new Refusal(`There is no file "${asked}": --proto is a path from the root folder.`);
  return { path, contract: readContract(path, tree.readText(path), service) };
}

function addToRootModule(tree: Tree, project: Project, options: NestAddOptions, name: string, client: string): string {
  const typescript = findTypeScript();
  const path = findRootModule(typescript, tree, project, options.module);
  const text = tree.readText(path);
  const from = posix.relative(posix.dirname(path), client).replace(/\.ts$/, '');
  const edited = addToModule(typescript, text, {
    path,
    client: name,
    from: `${from.startsWith('.') ? '' : './'}${from}${project.isEsm ? '.js' : ''}`,
    withRoot: !hasRootElsewhere(tree, project.sourceRoot, path),
  });
  if (edited !== text) tree.overwrite(path, edited);
  return path;
}

/** Whether another module of the application imports `GrpcLbModule.forRoot()`. */
function hasRootElsewhere(tree: Tree, folder: string, modulePath: string): boolean {
  const { subfiles, subdirs } = tree.getDir(folder);
  const isRoot = (file: string): boolean => {
    const path = posix.join(folder, file);
    return file.endsWith('.module.ts') && path !== modulePath && /GrpcLbModule\s*\.forRoot/.test(tree.readText(path));
  };
  const ofSources = subdirs.filter((each) => each !== 'node_modules' && !each.startsWith('.'));
  return (
    subfiles.some(isRoot) || ofSources.some((each) => hasRootElsewhere(tree, posix.join(folder, each), modulePath))
  );
}
