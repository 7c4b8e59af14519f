import { posix } from 'node:path';
import type ts from 'typescript';
import type { Tree } from './devkit.js';
import type { Project } from './project.js';
import { Refusal } from './refusal.js';
import { parse, type TypeScript } from './typescript.js';

/** The file of the module that main.ts starts, or the one that is asked for. */
export function findRootModule(typescript: TypeScript, tree: Tree, project: Project, asked?: string): string {
  if (asked !== undefined) {
    const path = posix.normalize(asked);
    if (path.endsWith('.ts') && tree.exists(path)) return path;
    throw new Refusal(`There is no TypeScript file "${asked}": --module is a path from the root folder.`);
  }
  const usual = posix.join(project.sourceRoot, 'app.module.ts');
  const candidates = [startedModule(typescript, tree, project.entryFile), usual];
  const found = candidates.find((path) => path !== undefined && tree.exists(path));
  if (found !== undefined) return found;
  throw new Refusal(
    `${project.entryFile} does not show which module it starts, and there is no ${usual}: name the file of the root module with --module.`,
  );
}

function startedModule(typescript: TypeScript, tree: Tree, entry: string): string | undefined {
  if (!tree.exists(entry)) return undefined;
  const source = parse(typescript, tree.readText(entry));
  const started = find(typescript, source, (node) => {
    if (!typescript.isCallExpression(node) || !node.expression.getText().startsWith('NestFactory.create'))
      return undefined;
    const [module] = node.arguments;
    return module && typescript.isIdentifier(module) ? module.text : undefined;
  });
  if (started === undefined) return undefined;
  const from = find(typescript, source, (node) =>
    typescript.isImportDeclaration(node) &&
    typescript.isStringLiteral(node.moduleSpecifier) &&
    new RegExp(`\\b${started}\\b`).test(node.importClause?.getText() ?? '')
      ? node.moduleSpecifier.text
      : undefined,
  );
  if (from === undefined || !from.startsWith('.')) return undefined;
  return posix.join(posix.dirname(entry), `${from.replace(/\.(js|ts)$/, '')}.ts`);
}

/** The first answer that is not undefined, over all nodes. */
function find<T>(typescript: TypeScript, node: ts.Node, ask: (node: ts.Node) => T | undefined): T | undefined {
  return ask(node) ?? typescript.forEachChild(node, (child) => find(typescript, child, ask));
}
