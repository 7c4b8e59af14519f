import { createRequire } from 'node:module';
import { join } from 'node:path';
import type ts from 'typescript';
import { Refusal } from './refusal.js';

export type TypeScript = typeof ts;

/** The compiler of the project, or that of Nest's command-line tool: later ones may be without this interface. */
export function findTypeScript(folders: readonly string[] = [process.cwd(), process.argv[1]!]): TypeScript {
  for (const folder of folders) {
    try {
      const found = createRequire(join(folder, 'package.json'))('typescript') as Partial<TypeScript>;
      if (found.createSourceFile) return found as TypeScript;
    } catch {
      // The next one may have it.
    }
  }
  throw new Refusal('TypeScript is not installed: run `npm install --save-dev typescript`, and this again.');
}

export const parse = (ts: TypeScript, text: string): ts.SourceFile =>
  ts.createSourceFile('module.ts', text, ts.ScriptTarget.Latest, true);
