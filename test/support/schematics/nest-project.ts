import { type Rule, type SchematicContext, Tree } from '@angular-devkit/schematics';
import { nestAdd, type NestAddOptions } from '../../../libs/grpc-lb/src/schematics/nest-add/nest-add.js';

/** Starts the root module, as `nest new` writes it. */
export const MAIN = `import { NestFactory } from '@nestjs/core';
import { AppModule } from './app.module.js';

const app = await NestFactory.create(AppModule);
await app.listen(3000);
`;

/** The root module, as `nest new` writes it. */
export const MODULE = `import { Module } from '@nestjs/common';
import { AppController } from './app.controller.js';

@Module({
  imports: [],
  controllers: [AppController],
})
export class AppModule {}
`;

export const MANIFEST = {
  type: 'module',
  dependencies: { '@nestjs/common': '^12.0.1', '@nestjs/core': '^12.0.1', rxjs: '^7.8.1' },
};

/** A project as `nest new` makes it, with other files where the test says so. Undefined leaves a file out. */
export function project(files: Record<string, string | object | undefined> = {}): Tree {
  const tree = Tree.empty();
  const all = {
    'package.json': MANIFEST,
    'nest-cli.json': { sourceRoot: 'src' },
    'src/main.ts': MAIN,
    'src/app.module.ts': MODULE,
    ...files,
  };
  for (const [path, content] of Object.entries(all)) {
    if (content === undefined) continue;
    tree.create(path, typeof content === 'string' ? content : JSON.stringify(content));
  }
  return tree;
}

export interface Outcome {
  readonly tree: Tree;
  readonly told: readonly string[];
  readonly warnings: readonly string[];
  readonly tasks: number;
}

export function add(tree: Tree, options: NestAddOptions = {}): Outcome {
  const told: string[] = [];
  const warnings: string[] = [];
  let tasks = 0;
  const context = {
    logger: {
      info: (message: string) => void told.push(message),
      warn: (message: string) => void warnings.push(message),
    },
    addTask: () => void (tasks += 1),
  };
  // The devkit's own type, so that the compiler compares it with the part of it that is declared here.
  const rule: Rule = nestAdd(options);
  void rule(tree, context as unknown as SchematicContext);
  return { tree, told, warnings, tasks };
}

/** The array of imports of a module. */
export const imports = (tree: Tree, path = 'src/app.module.ts'): string =>
  /imports: (\[[^]*\]),?\n/.exec(tree.readText(path))![1]!.replace(/,\n {2}controllers[^]*/, '');
