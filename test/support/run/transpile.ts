import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import ts from 'typescript';

const ROOT = fileURLToPath(new URL('../../../', import.meta.url));

export interface Transpiled {
  /** The program as Node can run it. */
  readonly path: string;
  remove(): void;
}

/**
 * Makes a program of the workspace, with the sources of the library, one that bare Node can run: outside of vitest, and
 * of what it keeps alive, and without a build that may be stale.
 */
export function transpile(program: string): Transpiled {
  const directory = mkdtempSync(join(tmpdir(), 'transpiled-'));
  const library = readdirSync(join(ROOT, 'libs/grpc-lb/src'), { recursive: true, encoding: 'utf8' });
  const sources = library
    .filter((name) => name.endsWith('.ts') && !name.endsWith('.test.ts'))
    .map((name) => `libs/grpc-lb/src/${name}`);
  for (const source of [...sources, program]) {
    const { outputText } = ts.transpileModule(readFileSync(join(ROOT, source), 'utf8'), {
      compilerOptions: {
        target: ts.ScriptTarget.ES2022,
        module: ts.ModuleKind.ESNext,
        experimentalDecorators: true,
        emitDecoratorMetadata: true,
      },
    });
    const path = join(directory, toJs(source));
    mkdirSync(dirname(path), { recursive: true });
    writeFileSync(path, outputText);
  }
  writeFileSync(join(directory, 'package.json'), '{ "type": "module" }');
  symlinkSync(join(ROOT, 'node_modules'), join(directory, 'node_modules'));
  return { path: join(directory, toJs(program)), remove: () => rmSync(directory, { recursive: true }) };
}

const toJs = (name: string): string => name.replace(/\.ts$/, '.js');
