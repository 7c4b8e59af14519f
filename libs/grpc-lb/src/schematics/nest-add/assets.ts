import type { Context, Tree } from './devkit.js';
import { type Project, readJson, writeJson } from './project.js';

interface Options {
  assets?: (string | { include?: string })[];
  watchAssets?: boolean;
}

interface NestCli {
  compilerOptions?: Options;
  projects?: Record<string, { compilerOptions?: Options }>;
}

/** Has the build copy proto files of the sources to its output, where the compiled client looks for them. */
export function copyProtoFiles(tree: Tree, context: Context, project: Project): void {
  const cli = readJson<NestCli>(tree, 'nest-cli.json');
  if (!cli) {
    context.logger.warn(
      `There is no nest-cli.json: have your build copy ${project.sourceRoot}/*.proto to where it writes the compiled client.`,
    );
    return;
  }
  const owner = project.name === undefined ? cli : cli.projects![project.name]!;
  const options = (owner.compilerOptions ??= {});
  const assets = (options.assets ??= []);
  const patterns = assets.map((each) => (typeof each === 'string' ? each : each.include));
  if (patterns.some((pattern = '') => pattern.endsWith('*.proto') || pattern === '**/*')) return;
  assets.push('**/*.proto');
  options.watchAssets ??= true;
  writeJson(tree, 'nest-cli.json', cli);
}
