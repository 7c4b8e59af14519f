import { posix } from 'node:path';
import type { Context, Tree } from './devkit.js';
import { type Project, readJson, writeJson } from './project.js';

const ALL = '**/*.proto';

interface Options {
  assets?: (string | { include?: string })[];
  watchAssets?: boolean;
}

interface NestCli {
  compilerOptions?: Options;
  projects?: Record<string, { compilerOptions?: Options }>;
}

/**
 * Has the build copy a proto file of the sources to its output, where the compiled client looks for it.
 *
 * @param proto From the folder of the sources.
 */
export function copyProtoFile(tree: Tree, context: Context, project: Project, proto: string): void {
  const cli = readJson<NestCli>(tree, 'nest-cli.json');
  if (!cli) {
    context.logger.warn(
      `There is no nest-cli.json: have your build copy ${posix.join(project.sourceRoot, '*.proto')} to where it writes the compiled client.`,
    );
    return;
  }
  const owner = project.name === undefined ? cli : cli.projects![project.name]!;
  const options = (owner.compilerOptions ??= {});
  const assets = (options.assets ??= []);
  const patterns = assets.map((each) => (typeof each === 'string' ? each : each.include));
  const covering = new Set<string | undefined>([ALL, '**/*', proto, ...(proto.includes('/') ? [] : ['*.proto'])]);
  if (patterns.some((pattern) => covering.has(pattern))) return;
  // In the root folder there are other folders too, such as node_modules.
  assets.push(project.sourceRoot === '.' ? proto : ALL);
  options.watchAssets ??= true;
  writeJson(tree, 'nest-cli.json', cli);
}
